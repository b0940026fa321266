"""Moderation: kicks, modes, bans, and their audit record. `actions.py` implements the verbs."""
