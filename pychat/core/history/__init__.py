"""History: the log and its memory, reading, and snapshots. `actions.py` implements the verbs."""
