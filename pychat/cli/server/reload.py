"""Update a running server when the options of `pychat serve`, or the files that they name, change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pychat.cli.config_file import limits_by_option
from pychat.cli.secrets import SERVER_PASSWORD_VARIABLE, read_operators, read_password
from pychat.cli.server.build import try_out
from pychat.cli.server.log_format import set_up
from pychat.cli.server.options import Plan, read_lines
from pychat.cli.server.warnings import doubts
from pychat.model.errors import ChatError
from pychat.server import ChatServer
from pychat.server.reload import FIXED_LIMITS

logger = logging.getLogger("pychat")

_FIXED: Final = {
    "host": "host",
    "port": "port",
    "rooms": "room",
    "server_name": "server-name",
    "server_description": "server-description",
    "db": "db",
    "db_sync": "db-sync",
    "keep": "keep",
    "registration": "no-registration",
    "flood_control": "no-flood-control",
    "handlers": "handler",
    "threads": "threads",
    "cpu": "cpu",
}
"""Fields of the plan that a running server cannot change, and their options."""


def reload(server: ChatServer, plan: Plan, plan_again: Callable[[], Plan]) -> Plan:
    """
    Read options and files again, and apply them to the server; return the plan that is now in effect.

    If anything is wrong with them, it is logged, and nothing changes.
    """
    try:
        new = plan_again()
        try_out(new, plan)
        has_tls = plan.tls is not None and new.tls is not None
        server.reload(
            limits=new.limits,
            motd=() if new.motd is None else read_lines(new.motd),
            password=read_password(new.password_file, SERVER_PASSWORD_VARIABLE),
            operators=read_operators(new.oper_file),
            tls=new.tls if has_tls else None,
            tls_required=new.tls_required if has_tls else None,
            proxies=new.proxies,
        )
    except ChatError as error:
        logger.error("%s; nothing was changed, and the earlier settings stay in use", error)
        return plan
    set_up(new.log_level, new.log_format)
    for doubt in doubts(limits_by_option(new.limits)):
        logger.warning("%s", doubt)
    waiting = _waiting(plan, new)
    if waiting:
        logger.warning("only a restart will change: %s", ", ".join(waiting))
    logger.info("options and files were read again")
    return new._replace(
        **{field: getattr(plan, field) for field in _FIXED},
        limits=replace(new.limits, **{name: getattr(plan.limits, name) for name in FIXED_LIMITS}),
        tls=new.tls if has_tls else plan.tls,
    )


def _waiting(plan: Plan, new: Plan) -> list[str]:
    """Return the changed options that need a restart."""
    names = [option for field, option in _FIXED.items() if getattr(plan, field) != getattr(new, field)]
    names += [
        name.replace("_", "-") for name in FIXED_LIMITS if getattr(plan.limits, name) != getattr(new.limits, name)
    ]
    if (plan.tls is None) != (new.tls is None):
        names.append("tls-cert")
    return names
