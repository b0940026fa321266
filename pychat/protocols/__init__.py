"""Languages: bytes to verbs, events to bytes. Nothing here knows a socket, a thread or a clock."""
