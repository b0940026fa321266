"""History: reading the log, and what is persisted of rooms and sessions. `actions.py` implements the verbs."""
