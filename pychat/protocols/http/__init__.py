"""HTTP requests of web browsers: not a language of the chat, but answered with a page."""
