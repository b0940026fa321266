"""
The state and rules of a chat: no bytes, no sockets. Begin reading at `chat.py`.

    chat.py         the API for programs; permissions.py: what is allowed in rooms
    performing.py   how a verb is performed: permission, handlers, and its row in verb_table.py
    order.py        gives events their position; turn.py: those that wait for it; delivery.py: hands them to subscribers
    state.py        the shared state; sequencer.py: applies proposals (proposals.py) to it, with an outcome (outcome.py)
    session.py      one participant; local_session.py: one inside this process
    handler.py      the hooks of handlers; hooks/: running them, each on the thread where it may block
    waiting.py      what a thread says before it blocks
    publish.py      checks what programs publish
    price.py        the price of a session's work; scan.py, pauses.py: scanning many items, waiting in a hook
    attempts.py     counts attempts, of passwords above all, by address or name
    persistence.py  saves rooms and sessions, and restores them at the start
    worker_pool.py  threads for slow work; scheduler.py: one thread that calls functions later

Folders by topic; each imports only those above it:

    log/            the log in which everything has its place
    people/         nicknames, profiles, monitor and ignore lists
    rooms/          members, rules, roles by account; state.py: the state of a room, changed by changes.py, rules.py
    messages/       messages and tags; history/: reading the log
    moderation/     kicks, modes, bans, the audit record
    accounts/       accounts, passwords, operators, and the hello of a session
"""
