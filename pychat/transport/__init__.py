"""
Sockets, and the threads that serve them: one loop for all, and a thread for each that waits.

    admission.py    who may connect; origins.py: from where, perhaps through a proxy
    greeting.py     in: the first bytes of a connection; input.py: all its bytes, through TLS if there is any
    connection.py   in: the conversation, from chunks to verbs
    threads/        where connections run: loop.py, and relay.py, which passes the loop on before a thread blocks
    writer.py       out: encodes, sends and closes; jobs.py: what other threads ask of it
    write_queue.py  the queue before it; subscribers.py: the members of a room, by dialect
    send_queue.py   the queue of each member, sending without blocking; labeled_responses.py: answers that are held
    poller.py       the sockets that the loop waits for; silence.py: pings; timers.py: one timer for each connection
    link.py         one connection as the writer knows it
    tls.py          TLS, the only user of ssl; trust.py, client_hello.py: certificates, and what a client offers
    unix.py         Unix sockets; socket_options.py: options of all; forking.py, unserved.py: servers in odd states
"""
