"""Rooms: their members, rules and roles, who may come in, and how one catches up. `actions.py` is what the verbs do."""
