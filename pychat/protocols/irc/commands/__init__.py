"""IRC input: the table of commands, and the verbs that each of them becomes."""
