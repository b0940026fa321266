"""
IRC: the language of the clients that are already there.

    protocol.py         in: lines become verbs; grammar.py: what a line is; fast_path.py: many lines at once
    commands/           table.py has all commands, the others what each of them means
    dialect.py          out: items become lines; line_length.py: as many bytes as IRC allows
    replies/            how each item is written; errors.py: refusals
    asked.py            what the one has to tell the other: which command was asked
    client_state.py     what is known of a client; capabilities.py: what it and the server can do
    formatting.py       colours and the like

Sources, cited by name and section where a branch implements one: the Modern IRC specification
(modern.ircdocs.horse), the IRCv3 specifications (ircv3.net), and RFC 1459 and RFC 2812.
"""
