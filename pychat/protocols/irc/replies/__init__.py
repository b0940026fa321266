"""IRC, out: how events and answers are written, a module for each kind."""
