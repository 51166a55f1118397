from __future__ import annotations

import json

import pytest

from chat.assistant.tools.prepare_ticket import TOOL
from chat.shop.tickets.draft_dialogue import new_draft, note_for_model, with_values
from devtools.local_assistant.facts import is_not_at_hand
from devtools.local_assistant.request import ChatRequest, RequestMessage
from devtools.local_assistant.script import reply_to
from devtools.local_assistant.tools import Call
from tests.shop.tickets.builders import complete

BROKEN = "Le pied de ma table est fendu"
FORM = with_values(new_draft(0), {"words": BROKEN})
NAMED = with_values(FORM, {"product_name": "table"})
DATED = with_values(NAMED, {"no_order": True})


def replied(form, *said: str, tool: str = TOOL.name):
    turns = [
        RequestMessage("system", "Tu es l'assistant."),
        RequestMessage("system", note_for_model(form)),
    ]
    turns += [RequestMessage("user", text) for text in said]
    return reply_to(ChatRequest(model="m", turns=tuple(turns), tools=(tool,)))


def arguments(reply) -> dict[str, object]:
    assert isinstance(reply, Call)
    return {k: v for k, v in json.loads(reply.arguments).items() if v is not None}


@pytest.mark.parametrize(
    ("form", "answer", "expected"),
    [
        (FORM, "OSLO", {"product": "OSLO"}),
        (FORM, "c'est la table FJORD", {"product": "table FJORD"}),
        (NAMED, "CMD-2025-54321", {"order_number": "CMD-2025-54321"}),
        (NAMED, "livrée le 12/03/2025", {"delivery_date": "2025-03-12"}),
        (NAMED, "je n'ai plus le numéro", {"no_order": True}),
        (DATED, "vous pouvez écrire à camille@example.fr", {"email": "camille@example.fr"}),
        (DATED, "mon adresse est camille@example.fr", {"email": "camille@example.fr"}),
    ],
)
def test_an_answer_goes_to_the_tool_that_asked(form, answer, expected):
    given = arguments(replied(form, BROKEN, answer))

    assert given.pop("problem") == answer
    assert given == expected


@pytest.mark.parametrize("text", ["oui", "Non, ce n'est pas correct", "valider"])
def test_words_beside_a_recap_are_only_told_to_the_tool(text):
    assert arguments(replied(complete(), BROKEN, text)) == {"problem": text}


@pytest.mark.parametrize(
    "text", ["Quels sont vos horaires ?", "Je veux parler à un conseiller", "merci"]
)
def test_another_question_is_answered_as_ever(text):
    reply = replied(FORM, BROKEN, text)

    assert not isinstance(reply, Call) or reply.name != TOOL.name


def test_nothing_is_pending_where_the_tool_is_not_offered():
    reply = replied(FORM, BROKEN, "OSLO", tool="search_products")

    assert not isinstance(reply, Call) or reply.name == "search_products"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("je n'ai plus le numéro", True),
        ("Je ne sais pas", True),
        ("aucune idée", True),
        ("j'ai perdu la facture", True),
        ("CMD-2025-54321", False),
        ("le 12/03/2025", False),
    ],
)
def test_what_is_not_at_hand_is_understood(text, expected):
    assert is_not_at_hand(text) is expected
