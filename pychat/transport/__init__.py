"""
Sockets and the threads that use them: one reader for each connection, one writer for all.

    admission.py    who may connect; origins.py: from where, perhaps through a proxy
    reader.py       in: the thread of one connection; input.py: its bytes, through TLS if there is any
    writer.py       out: the thread that encodes, sends and closes; jobs.py: what other threads ask of it
    write_queue.py  the queue before it; subscribers.py: the members of a room, by dialect
    send_queue.py   the queue of each member, sending without blocking; labeled_responses.py: answers that are held
    silence.py      pings, and who is silent for too long; timers.py: one timer for each connection
    link.py         one connection as both threads know it
    tls.py          TLS, the only user of ssl; trust.py, client_hello.py: certificates, and what a client offers
    unix.py         Unix sockets; socket_options.py: options of all; forking.py, unserved.py: servers in odd states
"""
