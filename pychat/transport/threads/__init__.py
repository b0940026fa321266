"""
The threads that serve connections: one for all of them, and one more for each that waits.

    loop.py         waits for everything, and does it in turn
    relay.py        the threads that run the loop, one at a time
    own_thread.py   instead of the loop: a thread for one connection (`threads="each"`)
    home.py         what both have in common: what a connection may wait for
    serving.py      which threads may be inside functions of programs, for whom
"""
