"""The hooks of handlers: in which order they run, on which threads, and what becomes of their errors."""
