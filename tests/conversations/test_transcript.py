from __future__ import annotations

import pytest

from chat.conversations.transcript import PAGE_CHARS, PAGE_MESSAGES, last_page, page_before
from chat.conversations.types import Author, Message


def said(count: int, text: str = "Bonjour") -> list[Message]:
    return [Message(author=Author.CUSTOMER, id=f"q{n}", text=text) for n in range(count)]


def ids(messages):
    return [message.id for message in messages]


@pytest.mark.parametrize("count", [0, 1, PAGE_MESSAGES])
def test_short_conversation_is_one_page(count):
    page = last_page(said(count))

    assert (len(page.messages), page.has_earlier, page.has_later) == (count, False, False)
    assert page.total == count


def test_pages_from_the_last_to_the_first_are_the_whole_conversation():
    messages = said(2 * PAGE_MESSAGES + 20)
    pages = [last_page(messages)]
    while pages[0].has_earlier:
        pages.insert(0, page_before(messages, pages[0].messages[0].id))

    assert [len(page.messages) for page in pages] == [20, PAGE_MESSAGES, PAGE_MESSAGES]
    assert [message for page in pages for message in page.messages] == messages
    assert [page.has_later for page in pages] == [True, True, False]


def test_long_messages_make_short_pages():
    page = last_page(said(40, "x" * 4_000))

    assert ids(page.messages) == [f"q{n}" for n in range(25, 40)]
    assert sum(len(message.text) for message in page.messages) <= PAGE_CHARS
    assert page.has_earlier


def test_message_longer_than_a_page_is_a_page():
    messages = said(3, "x" * (PAGE_CHARS + 1))

    assert ids(last_page(messages).messages) == ["q2"]
    assert ids(page_before(messages, "q2").messages) == ["q1"]


def test_nothing_comes_before_the_first_message_or_one_that_is_not_there():
    messages = said(2)

    assert page_before(messages, "q0").messages == []
    assert not page_before(messages, "q0").has_earlier
    assert page_before(messages, "elsewhere") is None
