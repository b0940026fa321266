"""
The command line, `pychat`. Nothing that is imported by a program is here.

    commands.py     the commands: their options and their help
    client_commands.py  those that connect to a server
    db_commands.py  those for a record in a file; history.py, timestamps.py: what history prints
    account_commands.py  those for the accounts in it; accounts.py: what they do
    setup_commands.py   those for who sets it up; doctor.py, certificate.py: what two of them do
    click_app.py    how a command line is read, the only door of click; config_file.py, show_config.py: files
    option_help.py  what commands tell of commands; server_address.py: which server a command means
    exit_codes.py   exit codes, and what an error tells; streams.py: stdin, stdout, stderr
    secrets.py      passwords, which are no options; units.py: times and sizes
    serve_plan.py   what the options of serve plan, serve_options.py; serve_build.py, machine.py: whether it can be
    serve.py        serve; addresses.py, invocation.py: how to join it; log_format.py: its log; signals.py: what ends it
    server_access.py  how the clients come in; connect.py (connect), send.py, announce.py, tail.py: then

`pychat connect` at a terminal is in `pychat/terminal/`.
"""

from pychat.cli.commands import cli as cli
from pychat.cli.commands import main as main
