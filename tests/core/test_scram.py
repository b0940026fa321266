"""SCRAM-SHA-256: the example of RFC 7677, and whatever else could come."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.core.accounts.scram import (
    BadPassword,
    BadScram,
    Challenge,
    fake_keys,
    make_keys,
    prepare,
    proves,
    read_first,
)

SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
KEYS = make_keys("pencil", 4096, SALT)
FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
FINAL = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="


def challenge() -> Challenge:
    """Where the example is after its second message."""
    return Challenge(read_first(FIRST), KEYS, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")


def test_the_example_of_rfc_7677() -> None:
    """Section 3: all four messages."""
    exchange = challenge()

    assert exchange.message == "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    proof = exchange.proof(FINAL)
    assert proves(proof, KEYS)
    assert exchange.answer(proof) == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_another_password_proves_nothing() -> None:
    """Nor does a proof that is cut off, nor any for a name that there is not."""
    proof = challenge().proof(FINAL)

    assert not proves(proof, make_keys("pencils", 4096, SALT))
    assert not proves(proof._replace(proof=proof.proof[:-1]), KEYS)
    assert not proves(proof, fake_keys("user", b"secret", 4096))


def test_the_keys_of_nobody_are_always_the_same() -> None:
    """Who asks twice cannot tell them from those of somebody; another server has others."""
    assert fake_keys("ann", b"secret") == fake_keys("ann", b"secret")
    assert fake_keys("ann", b"secret").salt != fake_keys("bob", b"secret").salt
    assert fake_keys("ann", b"secret").salt != fake_keys("ann", b"other").salt
    assert len(fake_keys("ann", b"secret").salt) == len(make_keys("x", 1).salt)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"n,,",
        b"n,,n=,r=x",
        b"n,,n=user,r=",
        b"n,,r=x,n=user",
        b"p=tls-unique,,n=user,r=x",
        b"n,user,n=user,r=x",
        b"n,,m=ext,n=user,r=x",
        b"n,,n=us=er,r=x",
        b"n,,n=user,r=x\x00",
        b"n,,n=\xff,r=x",
        b"x,,n=user,r=x",
    ],
)
def test_what_is_no_first_message(message: bytes) -> None:
    """RFC 5802 section 7; channel binding and mandatory extensions are not offered."""
    with pytest.raises(BadScram):
        read_first(message)


def test_names_are_escaped() -> None:
    """RFC 5802 section 5.1: comma and equals sign."""
    first = read_first(b"y,a=ann,n=a=2Cb=3Dc,r=x")

    assert (first.name, first.authzid, first.header) == ("a,b=c", "ann", "y,a=ann,")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        FINAL.replace(b"c=biws", b"c=eSws"),
        FINAL.replace(b"k0,p", b"k1,p"),
        FINAL.replace(b",p=", b",q="),
        FINAL.replace(b"VQ=", b"!!="),
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO,p=AAAA",
    ],
)
def test_what_is_no_last_message(message: bytes) -> None:
    """Another header, another nonce, no proof: that of another exchange."""
    with pytest.raises(BadScram):
        challenge().proof(message)


@given(st.binary(max_size=200) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_message_or_none(message: bytes) -> None:
    """Nothing else is ever raised."""
    for read in (read_first, challenge().proof):
        with contextlib.suppress(BadScram):
            read(message)


@pytest.mark.parametrize(
    ("typed", "prepared"),
    [("correct horse", "correct horse"), ("I\u00adX", "IX"), ("\u2168", "IX"), ("\u00aa", "a"), ("a\u00a0b", "a b")],
)
def test_passwords_are_prepared(typed: str, prepared: str) -> None:
    """RFC 4013 section 3: however a keyboard writes it."""
    assert prepare(typed) == prepared


@pytest.mark.parametrize("typed", ["\x07", "a\nb", "\ue000x", "\ud800"])
def test_what_is_no_password(typed: str) -> None:
    """Control characters, private use, surrogates."""
    with pytest.raises(BadPassword):
        prepare(typed)
