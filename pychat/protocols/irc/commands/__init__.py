"""IRC, in: the table of commands, and what verbs each of them becomes."""
