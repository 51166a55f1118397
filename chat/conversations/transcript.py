"""The part of a conversation that is shown at once: the newest messages, then older ones page by
page. Pure.

A conversation may hold thousands of messages. What a page, a socket or the desk shows of it is
bounded here, by number and by length; exports and printed pages hold all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat.conversations.types import Message

#: Messages of one page at most.
PAGE_MESSAGES = 50
#: Characters of their texts at most, but for one message that is longer by itself. As JSON and HTML
#: a character takes up to 12 bytes.
PAGE_CHARS = 60_000


@dataclass(frozen=True, slots=True)
class TranscriptPage:
    """``messages``: in order, without a gap. ``total``: of the whole conversation."""

    messages: Sequence[Message]
    has_earlier: bool
    has_later: bool
    total: int


def last_page(messages: Sequence[Message]) -> TranscriptPage:
    """Return the newest messages."""
    return _page_until(messages, len(messages))


def page_before(messages: Sequence[Message], message_id: str) -> TranscriptPage | None:
    """Return the messages that come before this one; None when it is not there."""
    for end, message in enumerate(messages):
        if message.id == message_id:
            return _page_until(messages, end)
    return None


def _page_until(messages: Sequence[Message], end: int) -> TranscriptPage:
    start, chars = end, 0
    while start > 0 and end - start < PAGE_MESSAGES:
        chars += len(messages[start - 1].text)
        if chars > PAGE_CHARS and start < end:
            break
        start -= 1
    return TranscriptPage(messages[start:end], start > 0, end < len(messages), len(messages))
