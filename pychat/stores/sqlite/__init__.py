"""
A log in one SQLite file.

    log.py            the log as the chat sees it
    writer.py         its thread: transaction.py is what one commit has, rejected.py what could not be stored
    reader.py         what a question finds; search_index.py: by its words
    database.py       the file, the only door of sqlite3; file_lock.py: one process alone; schema.py: tables, migrations
    event_codec.py    events as bytes; state_codec.py: rooms, sessions and accounts
    startup.py        what there is when a server begins
    maintenance.py    what can wait: the index, deleting; retention.py: what is too old
    archive.py        the file for those who only read; check.py: check and backup
"""
