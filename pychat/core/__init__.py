"""
State and rules of a chat: no bytes, no sockets. `chat.py` is the place to begin reading.

    chat.py         what a program sees of it, and the way of a verb: its row in verb_table.py; permissions.py: rooms
    order.py        where what happens gets its place; delivery.py: who hears of it
    session.py      one participant; local_session.py: one inside this process
    handler.py      the hooks of handlers
    people/         nicknames, who is here, whom somebody watches or ignores
    rooms/          members, rules, roles by account
    moderation/     kicks, modes, bans, the audit record
    accounts/       accounts, passwords, operators, and how somebody arrives
    messages/       what is said
    history/        the log, and what is read of it
    price.py        what work costs a session; scan.py, pauses.py: looking at many, waiting in a hook
    worker_pool.py  threads for what takes long; scheduler.py: one thread that calls functions later
"""
