"""What a web browser says: no language of the chat, but answered."""
