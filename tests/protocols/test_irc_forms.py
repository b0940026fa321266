"""Forms: what is written once is what would be written for each client."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pychat.model.limits import Limits
from pychat.model.replies import Motd, Welcome
from pychat.protocols.irc.dialect import IrcDialect

DIALECT = IrcDialect("pychat", Limits())
NICKNAMES = st.text("abcé語", min_size=1, max_size=32)
LINES = st.tuples(st.integers(440, 520), st.sampled_from(["x", "xyz ", "語"])).map(
    lambda way: (way[1] * way[0])[: way[0]]
)


@given(NICKNAMES, st.lists(LINES, max_size=3).map(tuple))
def test_a_message_of_the_day_is_written_as_for_the_first_client(nickname: str, lines: tuple[str, ...]) -> None:
    """Its lines may be split at other places for other nicknames."""
    fresh = IrcDialect("pychat", Limits())

    assert DIALECT.encode_private([Motd(None, lines)], nickname) == fresh.encode_private([Motd(None, lines)], nickname)
    assert max(map(len, DIALECT.encode_private([Motd(None, lines)], nickname).split(b"\r\n"))) <= 510


@given(st.lists(st.tuples(NICKNAMES, st.integers(0, 2)), min_size=1, max_size=4))
def test_a_form_is_written_again_when_it_is_out_of_date(clients: list[tuple[str, int]]) -> None:
    """It depends on when the server was started, or whatever else it tells of."""
    dialect = IrcDialect("pychat", Limits())

    for nickname, started in clients:
        text = dialect.encode_private([Welcome(None, "pychat", nickname, "", Limits(), "", started)], nickname).decode()
        first, second, third, *_ = text.split("\r\n")
        assert first == f":irc.pychat 001 {nickname} :Welcome to the pychat Network, {nickname}"
        assert second.startswith(f":irc.pychat 002 {nickname} :Your host is")
        assert third.endswith(f"Thu Jan  1 00:00:0{started} 1970 UTC")
