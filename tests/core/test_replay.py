"""What was proposed makes the same state everywhere: the stream of proposals, applied to an empty one."""

from __future__ import annotations

import pytest
from churn import Churn
from invariants import check_people
from recorder import no_alarm_is_left
from replica import Replica, dump, recorded

from pychat.core.proposals import APPLY

__all__ = ["no_alarm_is_left"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_copies_have_the_state_of_the_first(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty people do anything; one copy applies each proposal at once, the other all at the end."""
    with recorded(monkeypatch) as stream:
        churn = Churn(seed, 20, monkeypatch)
        near, far = Replica(), Replica()
        done = 0
        for number in range(1500):
            churn.step()
            for applied in stream[done:]:
                near.apply(applied)
            done = len(stream)
            if number % 20 == 0:
                agree(churn, near)
    for applied in stream:
        far.apply(applied)

    agree(churn, near)
    agree(churn, far)
    assert dump(near.state, near.rooms.by_key) == dump(far.state, far.rooms.by_key)


def agree(churn: Churn, replica: Replica) -> None:
    """Check that a copy is equal to the state of the chat, with the rooms that are in use there."""
    check_people(churn.chat)
    used = {room.key: room for room in churn.chat.table.used()}
    copied = {key: room for key, room in replica.rooms.by_key.items() if key in used}

    assert dump(replica.state, copied) == dump(churn.chat.state, used)
    assert not any(room.state.members for key, room in replica.rooms.by_key.items() if key not in used)


def test_the_churn_proposes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no kind of proposal is left out of what is compared."""
    with recorded(monkeypatch) as stream:
        for seed in (1, 2, 3):
            churn = Churn(seed, 20, monkeypatch)
            for _ in range(1500):
                churn.step()

    assert set(APPLY) - {type(applied.proposal) for applied in stream} == set()
