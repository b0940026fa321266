"""Rooms: members, rules, roles, admission and catching up. `actions.py` implements the verbs."""
