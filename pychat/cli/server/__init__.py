"""
`pychat serve`: from its options to a running server.

    options.py      the options as values; plan.py: their plan, which other commands check, too
    build.py        makes the server of a plan; machine.py: what it needs of the machine; warnings.py: what is strange
    serve.py        runs it; signals.py: what each signal means; reload.py: changes while it runs
    log_format.py   the lines of its log
    certificate.py  `pychat cert`: a certificate for trying TLS
"""
