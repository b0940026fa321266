"""
IRC: the language of the clients that are already there.

In: `protocol.py` frames lines, `message.py` is their grammar, `commands.py` the table of commands; what a command
means is in the modules named there. Out: `dialect.py`. What the one has to tell the other is in `words.py`.

Sources, cited by name and section where a branch implements one: the Modern IRC specification
(modern.ircdocs.horse), the IRCv3 specifications (ircv3.net), and RFC 1459 and RFC 2812.
"""
