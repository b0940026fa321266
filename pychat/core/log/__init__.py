"""
The log of a chat, in which everything has its place: what a log must do, and the one in memory.

    log.py          the interface, and the log in memory; pending_write.py: what is said while it is not stored yet
    ring_buffer.py  the newest events of each room
    snapshots.py    rooms and sessions as a log persists them
"""
