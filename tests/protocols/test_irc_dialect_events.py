"""What happens in rooms, as IRC clients see it: each event to the letter."""

from __future__ import annotations

import pytest
from irc_items import ANN, AT, heard, irc, told

from pychat.model import events as e
from pychat.model.events import Event, Message
from pychat.model.modes import ModeChange
from pychat.protocols.irc.asked import format_msgid

HELLO = Message(26, AT, "lobby", "ann", "hello", userhost=ANN)
TIME = "time=2026-11-22T15:04:05.123Z"


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        (HELLO, [f":ann!{ANN} PRIVMSG #lobby :hello"]),
        (HELLO._replace(userhost=""), [":ann!ann@irc.pychat PRIVMSG #lobby :hello"]),
        (HELLO._replace(notice=True), [f":ann!{ANN} NOTICE #lobby :hello"]),
        (HELLO._replace(action=True, text="waves"), [f":ann!{ANN} PRIVMSG #lobby :\x01ACTION waves\x01"]),
        (HELLO._replace(room=None, to="bob"), [f":ann!{ANN} PRIVMSG bob :hello"]),
        (HELLO._replace(room="#ops"), [f":ann!{ANN} PRIVMSG ##ops :hello"]),
        (HELLO._replace(role="operator"), [f":ann!{ANN} PRIVMSG @#lobby :hello"]),
        (HELLO._replace(role="voice"), [f":ann!{ANN} PRIVMSG +#lobby :hello"]),
        (HELLO._replace(formatted="\x02hello\x02"), [f":ann!{ANN} PRIVMSG #lobby :\x02hello\x02"]),
        (HELLO._replace(action=True, formatted="\x02x\x02"), [f":ann!{ANN} PRIVMSG #lobby :\x01ACTION \x02x\x02\x01"]),
        (
            HELLO._replace(text="CTCP VERSION", formatted="\x01VERSION\x01"),
            [f":ann!{ANN} PRIVMSG #lobby :\x01VERSION\x01"],
        ),
        (HELLO._replace(text=": )"), [f":ann!{ANN} PRIVMSG #lobby :: )"]),
        (HELLO._replace(text="a\n\nb"), [f":ann!{ANN} PRIVMSG #lobby :a", f":ann!{ANN} PRIVMSG #lobby :b"]),
        (HELLO._replace(text="\n"), [f":ann!{ANN} PRIVMSG #lobby :"]),
        (e.Joined(1, AT, "lobby", "ann", ANN), [f":ann!{ANN} JOIN #lobby"]),
        (e.Joined(1, AT, "lobby", "ann", ANN, "lunch"), [f":ann!{ANN} JOIN #lobby"]),
        (e.Left(1, AT, "lobby", "ann", "", ANN), [f":ann!{ANN} PART #lobby"]),
        (e.Left(1, AT, "lobby", "ann", "so long", ANN), [f":ann!{ANN} PART #lobby :so long"]),
        (e.Kicked(1, AT, "lobby", "bob", "ann", "spam", ANN), [f":ann!{ANN} KICK #lobby bob :spam"]),
        (e.Kicked(1, AT, "lobby", "bob", "ann", "", ANN), [f":ann!{ANN} KICK #lobby bob :ann"]),
        (e.Disconnected(1, AT, ("lobby", "ops"), "ann", "bye", ANN), [f":ann!{ANN} QUIT :bye"]),
        (e.Disconnected(1, AT, ("lobby",), "ann", "", ANN), [f":ann!{ANN} QUIT"]),
        (e.Disconnected(1, AT, ("lobby",), "ann", "bye", ANN, own_words=True), [f":ann!{ANN} QUIT :Quit: bye"]),
        (e.Renamed(1, AT, ("lobby", "ops"), "ann", "anna", ANN), [f":ann!{ANN} NICK :anna"]),
        (e.AwayChanged(1, AT, ("lobby",), "ann", "lunch", ANN), []),
        (e.ProfileChanged(1, AT, ("lobby",), "ann", ANN, "~ann@operator.x", "Ann"), []),
        (e.TopicChanged(1, AT, "lobby", "ann", "cats and dogs", ANN), [f":ann!{ANN} TOPIC #lobby :cats and dogs"]),
        (e.TopicChanged(1, AT, "lobby", "ann", "", ANN), [f":ann!{ANN} TOPIC #lobby :"]),
        (e.Invited(1, AT, "lobby", "ann", "bob", ANN), []),
        (e.Tagged(1, AT, "lobby", "ann", "+typing=active", None, ANN), []),
        (e.Notice(1, AT, "lobby", "one\ntwo"), [f":irc.pychat NOTICE #lobby :{word}" for word in ("one", "two")]),
    ],
)
def test_events(item: Event, lines: list[str]) -> None:
    """What clients without capabilities hear (Modern IRC, "Client Messages"; blank lines are no messages)."""
    assert heard(item) == lines


def test_the_server_itself_changes_modes() -> None:
    """A ban that has ended is removed by nobody else."""
    changes = (ModeChange(False, "b", "eve!*@*"),)
    assert heard(e.ModesChanged(1, AT, "lobby", "irc.pychat", changes)) == [":irc.pychat MODE #lobby -b eve!*@*"]


def test_modes() -> None:
    """A sign before the first of each kind, arguments behind all letters (Modern IRC, "MODE message")."""
    changes = (
        ModeChange(True, "o", "bob"),
        ModeChange(True, "t"),
        ModeChange(False, "b", "eve!*@*"),
        ModeChange(True, "l", "20"),
    )

    assert heard(e.ModesChanged(1, AT, "lobby", "ann", changes, ANN)) == [
        f":ann!{ANN} MODE #lobby +ot-b+l bob eve!*@* 20",
    ]


def test_many_modes_are_several_lines() -> None:
    """As many as a line has room for, and none is lost."""
    changes = tuple(ModeChange(n % 2 == 0, "b", f"{n:02d}{'x' * 90}!*@*") for n in range(10))

    lines = heard(e.ModesChanged(1, AT, "lobby", "ann", changes, ANN), "server-time")

    assert [line.split(" ")[4] for line in lines] == ["+b-b+b-b", "+b-b+b-b", "+b-b"]
    assert [mask for line in lines for mask in line.split(" ")[5:]] == [change.argument for change in changes]


def test_each_line_of_many_modes_has_an_id_of_its_own() -> None:
    """As the lines of a long message have (IRCv3 message-ids: an id is unique)."""
    changes = tuple(ModeChange(True, "b", f"{n:02d}{'x' * 90}!*@*") for n in range(10))

    lines = heard(e.ModesChanged(26, AT, "lobby", "ann", changes, ANN), "message-tags")

    ids = [line.split(" ")[0] for line in lines]
    assert ids == ["@msgid=000000000000001a", "@msgid=000000000000001a-2", "@msgid=000000000000001a-3"]


@pytest.mark.parametrize(
    ("item", "capability", "lines"),
    [
        (
            e.Joined(1, AT, "lobby", "ann", ANN, "lunch"),
            "away-notify",
            [f":ann!{ANN} JOIN #lobby", f":ann!{ANN} AWAY :lunch"],
        ),
        (e.AwayChanged(1, AT, ("lobby",), "ann", "lunch", ANN), "away-notify", [f":ann!{ANN} AWAY :lunch"]),
        (e.AwayChanged(1, AT, ("lobby",), "ann", None, ANN), "away-notify", [f":ann!{ANN} AWAY"]),
        (e.AwayChanged(1, AT, ("lobby",), "ann", "", ANN), "away-notify", [f":ann!{ANN} AWAY :away"]),
        (
            e.ProfileChanged(1, AT, ("lobby",), "ann", ANN, "~ann@operator.x"),
            "chghost",
            [f":ann!{ANN} CHGHOST ~ann operator.x"],
        ),
        (e.ProfileChanged(1, AT, ("lobby",), "ann", ANN, ANN, "Ann B"), "chghost", []),
        (e.ProfileChanged(1, AT, ("lobby",), "ann", ANN, ANN, "Ann B"), "setname", [f":ann!{ANN} SETNAME :Ann B"]),
        (e.Invited(1, AT, "lobby", "ann", "bob", ANN), "invite-notify", [f":ann!{ANN} INVITE bob #lobby"]),
        (HELLO, "server-time", [f"@{TIME} :ann!{ANN} PRIVMSG #lobby :hello"]),
        (HELLO, "message-tags", [f"@msgid=000000000000001a :ann!{ANN} PRIVMSG #lobby :hello"]),
        (
            HELLO._replace(tags="+draft/reply=1;bot"),
            "message-tags",
            [f"@msgid=000000000000001a;+draft/reply=1;bot :ann!{ANN} PRIVMSG #lobby :hello"],
        ),
        (HELLO._replace(tags="+x"), "server-time", [f"@{TIME} :ann!{ANN} PRIVMSG #lobby :hello"]),
        (
            HELLO._replace(text="a\nb"),
            "message-tags",
            [
                f"@msgid=000000000000001a :ann!{ANN} PRIVMSG #lobby :a",
                f"@msgid=000000000000001a-2 :ann!{ANN} PRIVMSG #lobby :b",
            ],
        ),
        (
            e.Tagged(26, AT, "lobby", "ann", "+typing=active", None, ANN),
            "message-tags",
            [f"@msgid=000000000000001a;+typing=active :ann!{ANN} TAGMSG #lobby"],
        ),
        (
            e.Tagged(26, AT, None, "ann", "+typing=active", "bob", ANN),
            "message-tags",
            [f"@msgid=000000000000001a;+typing=active :ann!{ANN} TAGMSG bob"],
        ),
        (
            e.Tagged(26, AT, "lobby", "ann", "+x", None, ANN, "operator"),
            "message-tags",
            [f"@msgid=000000000000001a;+x :ann!{ANN} TAGMSG @#lobby"],
        ),
        (e.Notice(0, AT, None, "psst"), "message-tags", [":irc.pychat NOTICE * :psst"]),
    ],
)
def test_capabilities(item: Event, capability: str, lines: list[str]) -> None:
    """What one more capability changes (the IRCv3 specification of that name)."""
    assert heard(item, capability) == lines


def test_time_and_id_together() -> None:
    """Server tags come before those of clients (IRCv3 message-tags, "Client-only tags")."""
    line = f"@{TIME};msgid=000000000000001a;+x=1 :ann!{ANN} PRIVMSG #lobby :hello"

    assert heard(HELLO._replace(tags="+x=1"), "server-time", "message-tags") == [line]


def test_the_one_who_is_invited_hears_it() -> None:
    """With or without invite-notify; for others it is a matter of their capability."""
    invited = e.Invited(1, AT, "ops", "ann", "bob", ANN)

    assert told(invited, nickname="bob") == [f":ann!{ANN} INVITE bob #ops"]
    assert told(invited, nickname="eve") == []


def test_a_private_notice_names_its_reader() -> None:
    """A notice of the server needs a target: the nickname."""
    assert told(e.Notice(0, AT, None, "psst")) == [":irc.pychat NOTICE ann :psst"]


def test_a_long_text_is_several_messages() -> None:
    """Each of at most 512 bytes, cut behind a blank (RFC 2812 section 2.3)."""
    text = "word " * 200

    lines = heard(HELLO._replace(text=text))

    head = f":ann!{ANN} PRIVMSG #lobby :"
    assert all(line.startswith(head) and line.endswith(" ") and len(line) <= 510 for line in lines)
    assert len(lines) == 3
    assert "".join(line.removeprefix(head) for line in lines) == text


def test_a_long_action_is_several_actions() -> None:
    """Each with its CTCP around it (Modern IRC, "CTCP")."""
    lines = heard(HELLO._replace(text="é" * 400, action=True))

    assert len(lines) == 2
    assert all(line.split(" :", 1)[1].startswith("\x01ACTION é") and line.endswith("é\x01") for line in lines)


def test_other_ctcp_is_cut_not_continued() -> None:
    """A half of it would mean nothing; what is left still has its end."""
    lines = heard(HELLO._replace(formatted="\x01X " + "é" * 300 + "\x01"))

    assert len(lines) == 1
    assert len(lines[0].encode()) in (509, 510)
    assert lines[0].endswith("é\x01")


def test_tags_cannot_end_the_tags() -> None:
    """Whatever a handler puts there: no blank, no newline; and what is far too long is left out."""
    assert heard(HELLO._replace(tags="+a=b c\r\n;"), "message-tags")[0].startswith(
        "@msgid=000000000000001a;+a=bc :ann!"
    )
    assert heard(HELLO._replace(tags="+a=" + "x" * 4092), "message-tags")[0].startswith("@msgid=000000000000001a :ann!")


def test_ids_of_many_messages() -> None:
    """The fast way writes ids as all others do, also where their digits roll over."""
    run = [HELLO._replace(id=number) for number in range(4090, 4100)]

    lines = irc("message-tags").encode(run).decode().splitlines()

    assert [line.split(" ")[0] for line in lines] == [f"@msgid={format_msgid(number)}" for number in range(4090, 4100)]


def test_an_echo_looks_like_the_message() -> None:
    """A direct message that is echoed to its sender looks the same as to its recipient (IRCv3 echo-message)."""
    direct = HELLO._replace(room=None, to="bob")

    assert told(direct, nickname="ann") == told(direct, nickname="bob") == [f":ann!{ANN} PRIVMSG bob :hello"]
