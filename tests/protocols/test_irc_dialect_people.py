"""What IRC clients are answered about people: each numeric to the letter (Modern IRC, "Numerics")."""

from __future__ import annotations

import pytest
from irc_items import ANN, AT, BOB, MEMBERS, asked, numerics, told

from pychat.model import replies as r
from pychat.model.modes import ModeChange
from pychat.model.replies import Ignored
from pychat.protocols.base import Item

PERSON = r.Profile(None, "bob", ("lobby", "ops"), None, 7.9, BOB, "Bob B", "", AT, ("v", "ov"))
AT_TEXT = str(int(AT))


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        (
            PERSON,
            numerics(
                "311 bob ~bob x2.ip * :Bob B",
                "319 bob :+#lobby @#ops",
                "312 bob irc.pychat :a chat server for all clients on one port",
                f"317 bob 7 {AT_TEXT} :seconds idle, signon time",
                "318 bob :End of /WHOIS list",
            ),
        ),
        (
            PERSON._replace(rooms=(), roles=(), away="lunch", modes="oB", realname=""),
            numerics(
                "311 bob ~bob x2.ip * :bob",
                "312 bob irc.pychat :a chat server for all clients on one port",
                "313 bob :is an IRC operator",
                "301 bob :lunch",
                "335 bob :is a bot",
                f"317 bob 7 {AT_TEXT} :seconds idle, signon time",
                "318 bob :End of /WHOIS list",
            ),
        ),
        (
            r.People(asked("WHO", "#ops"), (PERSON,), "ops"),
            numerics("352 #ops ~bob x2.ip irc.pychat bob H@ :0 Bob B", "315 #ops :End of WHO list"),
        ),
        (
            r.People(asked("WHO", "b*"), (PERSON._replace(away="x", modes="oB"),)),
            numerics("352 #lobby ~bob x2.ip irc.pychat bob G*+B :0 Bob B", "315 b* :End of WHO list"),
        ),
        (
            r.People(asked("WHO", "bob"), (PERSON._replace(rooms=(), roles=()),)),
            numerics("352 * ~bob x2.ip irc.pychat bob H :0 Bob B", "315 bob :End of WHO list"),
        ),
        (r.People(asked("WHO", "#x"), (), "x"), numerics("315 #x :End of WHO list")),
        (
            r.People(asked("WHO", "x"), (), more=True),
            numerics("416 WHO :there are more people; ask for fewer", "315 x :End of WHO list"),
        ),
        (
            r.People(asked("WHO", "#ops", "%tcuihsnfdlaor,42"), (PERSON,), "ops"),
            numerics(
                "354 42 #ops ~bob 255.255.255.255 x2.ip irc.pychat bob H@ 0 7 0 n/a :Bob B",
                "315 #ops :End of WHO list",
            ),
        ),
        (
            r.People(asked("WHO", "bob", "%cuhnar"), (PERSON._replace(rooms=(), roles=()),)),
            numerics("354 * ~bob x2.ip bob 0 :Bob B", "315 bob :End of WHO list"),
        ),
        (
            r.People(asked("WHO", "#ops", "o%afntx,1234"), (PERSON,), "ops"),
            numerics("354 0 bob H@ 0", "315 #ops :End of WHO list"),
        ),
        (
            r.People(asked("USERHOST", "bob", "ann"), (PERSON._replace(modes="o"), PERSON._replace(away="x"))),
            numerics("302 :bob*=+~bob@x2.ip bob=-~bob@x2.ip"),
        ),
        (r.People(asked("USERHOST", "eve"), ()), numerics("302 :")),
        (r.People(asked("ISON", "bob", "eve"), (PERSON,)), numerics("303 :bob")),
        (r.People(asked("ISON", "eve"), ()), numerics("303 :")),
        (
            r.PastPeople(asked("WHOWAS", "bob"), (r.PastPerson("bob", BOB, "Bob B", AT),)),
            numerics(
                "314 bob ~bob x2.ip * :Bob B",
                "312 bob irc.pychat :Sun Nov 22 15:04:05 2026 UTC",
                "369 bob :End of WHOWAS",
            ),
        ),
        (
            r.PastPeople(asked("WHOWAS", "bob"), ()),
            numerics("406 bob :There was no such nickname", "369 bob :End of WHOWAS"),
        ),
        (
            r.Watched(None, (MEMBERS[0], MEMBERS[2]), ("eve", "kim")),
            numerics(f"730 :bob!{BOB},ann!{ANN}", "731 :eve,kim"),
        ),
        (r.Watched(asked("MONITOR", "S"), (), ("eve",)), numerics("731 :eve")),
        (r.Watched(asked("MONITOR", "+"), (), ()), []),
        (
            Ignored(asked("SILENCE", "+bob,-eve"), ("bob!*@*",), ("bob!*@*",), ("eve!*@*",), "~a@h"),
            [":ann!~a@h SILENCE +bob!*@*", ":ann!~a@h SILENCE -eve!*@*"],
        ),
        (Ignored(asked("SILENCE"), ("bob!*@*",)), numerics("271 ann bob!*@*", "272 ann :End of SILENCE list")),
        (
            r.Watched(asked("MONITOR", "L"), MEMBERS[:1], ("eve",)),
            numerics("732 :bob,eve", "733 :End of MONITOR list"),
        ),
        (r.Watched(asked("MONITOR", "L")), numerics("733 :End of MONITOR list")),
        (r.PersonAway(None, "bob", "lunch"), numerics("301 bob :lunch")),
        (r.PersonAway(asked("NOTICE"), "bob", "lunch"), []),
        (r.UserModes(asked("MODE", "ann"), "iw"), numerics("221 +iw")),
        (r.UserModes(asked("MODE", "ann"), ""), numerics("221 +")),
        (
            r.UserModes(asked("MODE", "ann", "+i-w"), "i", (ModeChange(True, "i"), ModeChange(False, "w"))),
            [":ann MODE ann +i-w"],
        ),
        (r.UserModes(asked("MODE", "ann", "+i"), "i"), []),
        (
            r.UserModes(asked("OPER", "root"), "o", (ModeChange(True, "o"),)),
            [":ann MODE ann +o", *numerics("381 :You are now an IRC operator")],
        ),
    ],
)
def test_people(item: Item, lines: list[str]) -> None:
    """What is answered about people (Modern IRC, "User-Based Queries"; IRCv3 whox, monitor, bot-mode)."""
    assert told(item) == lines


def test_who_with_several_prefixes() -> None:
    """IRCv3 multi-prefix is for WHO and WHOIS, too."""
    who = told(r.People(asked("WHO", "#ops"), (PERSON,), "ops"), "multi-prefix")[0]
    whois = told(PERSON, "multi-prefix")[1]

    assert " bob H@+ :0" in who
    assert whois.endswith("319 ann bob :+#lobby @+#ops")
