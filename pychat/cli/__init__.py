"""
The command line, `pychat`. Programs import nothing from here.

    commands.py     the commands: their options and their help
    client_commands.py  commands that connect to a server; client/: what they do
    db_commands.py  commands for a record in a file; history.py: the output of history
    account_commands.py  commands for the accounts in it; accounts.py: what they do
    setup_commands.py   commands for setting pychat up; doctor.py: what one of them does
    server/         serve: its options as values, the plan, the running server
    click_app.py    parses the command line, the only user of click; config_file.py, show_config.py: files
    option_help.py  information about commands and options
    exit_codes.py   exit codes, and the texts of errors; streams.py: stdin, stdout, stderr
    secrets.py      passwords, which are not options; units.py: times and sizes
    addresses.py    how to join a server, and why an address cannot be used; invocation.py: how we were called

`pychat connect` at a terminal is in `pychat/terminal/`.
"""

from pychat.cli.commands import cli as cli
from pychat.cli.commands import main as main
