"""People: nicknames, presence, WHOWAS, monitor and ignore lists. `actions.py` implements the verbs."""
