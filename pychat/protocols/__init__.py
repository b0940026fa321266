"""Languages: they turn bytes into verbs and events into bytes, without sockets, threads or clocks."""
