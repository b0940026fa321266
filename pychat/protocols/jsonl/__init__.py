"""The language of programs: one JSON object per line, for a server and for a client."""
