"""IRC output: how events and replies are written, one module for each kind."""
