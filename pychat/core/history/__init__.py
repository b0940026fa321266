"""What was said: the log and its memory, what is read of it, what is persisted. `actions.py` is what the verbs do."""
