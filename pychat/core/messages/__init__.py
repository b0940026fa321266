"""Messages: sending one or many, and publishing by programs. `actions.py` implements the verbs."""
