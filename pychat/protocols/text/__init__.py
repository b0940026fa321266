"""The language of people at a terminal: slash commands in, lines to read out."""
