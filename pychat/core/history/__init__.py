"""History: reading the log. `actions.py` implements the verbs."""
