"""People: nicknames, profiles, WHOWAS, monitor and ignore lists. `actions.py` implements the verbs."""
