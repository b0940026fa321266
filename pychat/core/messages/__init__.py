"""What is said: one message, many at once, and what a program publishes. `actions.py` is what the verbs do."""
