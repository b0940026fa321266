"""
Values and pure functions: the vocabulary of a chat. They import nothing else of pychat, and protocols and clients need
no more.

    verbs.py        what a session asks for; queries.py: what only asks; server_ban.py: bans of the server
    events.py       what happened; burst.py: many messages at once
    replies.py      answers to verbs
    errors.py       refusals and other errors; arguments.py, functions.py, verb_types.py: mistakes of programs
    limits.py       every limit that can be set
    names.py        valid nicknames and room names, and when two are the same; reserved_names.py, tokens.py
    modes.py        modes of rooms and people; masks.py, hostmask.py, cloaks.py: matching people by masks
    text.py         allowed text; search.py: the words of a search
    clock.py        the current time; durations.py, times.py: durations and times of events
    participant.py  the methods that sessions and clients have in common
"""
