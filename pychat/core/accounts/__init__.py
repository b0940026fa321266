"""Identity: accounts, passwords, operators, and the hello that proves it. `actions.py` implements the verbs."""
