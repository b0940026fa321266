"""Message tags (IRCv3 message-tags), as IRC members see them."""

from __future__ import annotations

import re
from typing import Final

from pychat.model.errors import LimitExceeded, refusal

TAG_BYTES: Final = 4094
"""The maximum bytes of a client's message tags (IRCv3 message-tags, "Size limit")."""

_FORBIDDEN: Final = re.compile("[\x00-\x20\x7f-\x9f\ud800-\udfff]")


def checked_tags(tags: str) -> str:
    """
    Return tags as others may see them.

    Raises:
        Refused: If they are too long, or contain characters that would end them.
    """
    if len(tags.encode(errors="replace")) > TAG_BYTES:
        raise LimitExceeded("message tags", TAG_BYTES, "bytes")
    if _FORBIDDEN.search(tags):
        raise refusal("message tags have no spaces and no control characters", code="bad_request")
    return tags
