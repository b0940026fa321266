"""The threads that serve connections: one for all of them, and one more for each that waits."""
