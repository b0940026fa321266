"""Order: kicks, modes, bans, and the audit record of them. `actions.py` is what the verbs do."""
