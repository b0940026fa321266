"""Who somebody is: accounts, passwords, operators, and the hello that proves it. `actions.py` is what the verbs do."""
