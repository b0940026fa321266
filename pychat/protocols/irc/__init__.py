"""
IRC: the language of existing clients.

    protocol.py         in: lines become verbs; grammar.py: what a line is; fast_path.py: many lines at once
    commands/           table.py lists all commands, the other modules implement them
    dialect.py          out: items become lines; line_length.py: the byte limits of lines
    replies/            how each item is written; errors.py: refusals; forms.py: what is written once for all
    asked.py            what the protocol passes to the dialect: which command was sent
    client_state.py     the state of a client; capabilities.py: the extensions of client and server
    formatting.py       colours and similar codes

Sources, cited by name and section where a branch implements one: the Modern IRC specification
(modern.ircdocs.horse), the IRCv3 specifications (ircv3.net), and RFC 1459 and RFC 2812.
"""
