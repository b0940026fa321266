"""The groups of the help: what everybody needs fits a screen, and the rest is under a name."""

from __future__ import annotations

from typing import Final

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "talk": ("msg", "reply", "me", "history", "search", "clear"),
    "rooms": ("join", "part", "list", "who", "topic", "invite", "win", "go"),
    "people": ("whois", "ignore", "unignore"),
    "you": ("nick", "away", "back", "quit", "reconnect"),
    "account": ("register", "login", "logout", "password", "drop", "regain"),
}
"""The commands for everybody, by topic."""

OPERATORS: Final = (
    *("kick", "ban", "kickban", "unban", "mute", "unmute", "op", "deop", "voice", "devoice"),
    *("private", "key", "hide", "slow", "mode"),
    *("oper", "kill", "serverban", "serverunban", "audit", "announce", "stats"),
)
"""The commands for operators, of a room or of the server."""
