"""
The command line, `pychat`. Programs import nothing from here.

    commands.py     the commands: their options and their help
    client_commands.py  commands that connect to a server
    db_commands.py  commands for a record in a file; history.py, timestamps.py: the output of history
    account_commands.py  commands for the accounts in it; accounts.py: what they do
    setup_commands.py   commands for setting pychat up; doctor.py, certificate.py: what two of them do
    click_app.py    parses the command line, the only user of click; config_file.py, show_config.py: files
    option_help.py  information about commands and options; server_address.py: the server of a command
    exit_codes.py   exit codes, and the texts of errors; streams.py: stdin, stdout, stderr
    secrets.py      passwords, which are not options; units.py: times and sizes
    serve_plan.py   the plan from the options of serve, serve_options.py; serve_build.py, machine.py: its feasibility
    serve.py        serve; addresses.py, invocation.py: how to join it; log_format.py: its log; signals.py: its end
    server_access.py  how the clients connect; connect.py (connect), send.py, announce.py, tail.py: the rest

`pychat connect` at a terminal is in `pychat/terminal/`.
"""

from pychat.cli.commands import cli as cli
from pychat.cli.commands import main as main
