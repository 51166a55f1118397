from __future__ import annotations

import pytest

from chat.assistant.sources import MAX_LABEL_CHARS, MAX_SOURCES, checked, taken_from
from chat.conversations.types import Author, Message

RULE = {"kind": "rule", "label": "Garantie", "ref": "law.x", "url": "/garanties/#law.x"}


def test_the_model_never_sees_them():
    assert taken_from({"price": "1 €", "sources": [RULE]}) == ({"price": "1 €"}, [RULE])
    assert taken_from({"price": "1 €"}) == ({"price": "1 €"}, [])


@pytest.mark.parametrize(
    "entry",
    [
        *("x", None, 3, {}, {**RULE, "kind": "advert"}, {**RULE, "label": ""}),
        *({**RULE, "url": url} for url in ("https://a.example", "//a.example", "/\\a.example")),
        *({**RULE, "url": url} for url in ("javascript:alert(1)", None, "/" + "x" * 300, "/a\nb")),
    ],
)
def test_what_is_no_source_is_left_out(entry):
    assert checked(entry) is None


def test_they_are_bounded():
    entry = {**RULE, "kind": "product", "label": "x" * 500, "image": "https://a.example/i.png"}

    assert len(taken_from({"sources": [RULE] * 50})[1]) == MAX_SOURCES
    assert len(checked(entry)["label"]) == MAX_LABEL_CHARS
    assert "image" not in checked(entry)


def test_a_message_keeps_them():
    message = Message(author=Author.ASSISTANT, text="x", sources=(RULE,))

    assert Message.from_json(message.to_json()).sources == (RULE,)
    assert "sources" not in Message(author=Author.ASSISTANT, text="x").to_json()
