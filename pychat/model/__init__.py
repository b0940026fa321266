"""
Values and pure functions: the vocabulary of a chat. They import nothing else of pychat; languages and clients need
no more.

    verbs.py        what somebody asks for; account_verbs.py, moderation_verbs.py, queries.py: more of them
    events.py       what happened; burst.py: many messages at once
    replies.py      what answers; account_replies.py, ignored.py, server_ban.py: more of them
    errors.py       what is refused; arguments.py, functions.py, verb_types.py: mistakes of programs
    limits.py       every bound that can be set
    names.py        what a nickname or room may be called, and when two are the same; reserved_names.py, tokens.py
    modes.py        modes of rooms and people; masks.py, hostmask.py, cloaks.py: whom a mask means
    text.py         what a text may have; tags.py, search.py: tags and words of it
    clock.py        what time it is; durations.py, times.py: how long, and since when
    participant.py  the methods that sessions and clients have in common
"""
