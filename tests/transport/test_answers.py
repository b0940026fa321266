"""What a client keeps of an answer, to come back by."""

from __future__ import annotations

import pytest

from pychat.client.answers import with_account
from pychat.model.replies import LoggedIn, Ok
from pychat.model.verbs import ChangePassword, Hello, LogIn, Register, Verb
from pychat.protocols.base import Item


@pytest.mark.parametrize(
    ("verb", "answer", "account", "password"),
    [
        (LogIn("sesame12"), LoggedIn(None, "ann"), "ann", "sesame12"),
        (LogIn("sesame12", "ANN"), LoggedIn(None, "ann"), "ann", "sesame12"),
        (LogIn("horse battery", "ann", typed=True), LoggedIn(None, "ann"), "ann", "horse battery"),
        (LogIn("horse battery", "correct", typed=True), LoggedIn(None, "ann"), "ann", "correct horse battery"),
        (Register("sesame12"), LoggedIn(None, "ann", True), "ann", "sesame12"),
        (ChangePassword("sesame12", "tea at four"), Ok(None), "old", "tea at four"),
        (LogIn("sesame12"), Ok(None), "old", "before"),
    ],
)
def test_the_password_that_was_right_is_kept(verb: Verb, answer: Item, account: str, password: str) -> None:
    """With the account that it is of, as the server calls it."""
    hello = with_account(Hello("ann", account="old", account_password="before"), verb, answer)

    assert (hello.account, hello.account_password) == (account, password)
