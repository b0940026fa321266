"""People: nicknames, who is here and who was, whom somebody watches or ignores. `actions.py` is what the verbs do."""
