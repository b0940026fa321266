"""
A log in one SQLite file.

    log.py            the log as the chat sees it
    writer.py         its thread: transaction.py is the content of one commit, rejected.py handles failed events
    reader.py         reads events for queries; search_index.py: finds them by their words
    database.py       the file, the only module that uses sqlite3; file_lock.py: one process alone; schema.py: tables,
                      migrations
    event_codec.py    events as bytes; state_codec.py: rooms, sessions and accounts
    startup.py        what a server reads when it starts
    maintenance.py    deferred work: the index, deleting; retention.py: what has expired
    archive.py        the file for read-only access; check.py: check and backup
"""
