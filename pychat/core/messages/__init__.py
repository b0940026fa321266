"""Messages: sending one or many. `actions.py` implements the verbs."""
