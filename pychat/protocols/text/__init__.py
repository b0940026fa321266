"""The language of people at a terminal: slash commands in, readable lines out."""
