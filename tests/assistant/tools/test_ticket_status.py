from __future__ import annotations

import re

import pytest
from channels.db import database_sync_to_async

from chat.assistant.tools import TOOLS
from chat.assistant.tools.ticket_status import ASK_EMAIL, ASK_NUMBER, NOT_FOUND, TOOL
from chat.core.ids import ref_of
from chat.shop.tickets.opening import open_ticket
from chat.shop.tickets.status import numbers_in
from tests.assistant.tools.conftest import session_of
from tests.shop.tickets.builders import complete, opened

pytestmark = pytest.mark.django_db(transaction=True)

MAIL = "camille@example.test"


@pytest.fixture
def ticket():
    return opened()


def test_the_tool_is_offered():
    assert TOOL in TOOLS


async def test_a_ticket_is_told_in_words_without_its_priority(ask, ticket):
    typed = ticket.number.replace("-", " ").lower()

    result = await ask(
        TOOL, session_of(f"{typed}, {MAIL}"), ticket_number=ticket.number, email=MAIL.upper()
    )

    (told,) = result["tickets"]
    assert (told["number"], told["last_reply_on"]) == (ticket.number, None)
    assert told["state"] == "Reçue, pas encore prise en charge"
    assert re.search(r"\d{4} à \d", told["first_answer_before"])
    assert ticket.priority not in str(result)
    assert MAIL not in str(result)


async def test_unknown_and_wrong_are_the_same(ask, ticket):
    said = session_of(f"{ticket.number} SAV-2026-99999 zoe@example.test {MAIL}")

    wrong = await ask(TOOL, said, ticket_number=ticket.number, email="zoe@example.test")
    unknown = await ask(TOOL, said, ticket_number="SAV-2026-99999", email=MAIL)

    assert wrong == unknown == {"error": NOT_FOUND}


@pytest.mark.parametrize(
    ("said", "arguments", "error"),
    [
        ("Où en est ma demande ?", {}, ASK_NUMBER),
        ("Et {number} ?", {"ticket_number": "{number}"}, ASK_EMAIL),
        (MAIL, {"ticket_number": "{number}", "email": MAIL}, ASK_NUMBER),
        ("{number}", {"ticket_number": "{number}", "email": MAIL}, ASK_EMAIL),
        ("{number} " + MAIL, {"ticket_number": "tout", "email": MAIL}, ASK_NUMBER),
    ],
)
async def test_what_the_customer_did_not_write_opens_nothing(ask, ticket, said, arguments, error):
    filled = {name: value.format(number=ticket.number) for name, value in arguments.items()}

    result = await ask(TOOL, session_of(said.format(number=ticket.number)), **filled)

    assert result == {"error": error}


async def test_a_conversation_knows_its_own_tickets_and_no_others(ask, ticket):
    own, _ = await database_sync_to_async(open_ticket)(complete(), ref_of("camille"))

    result = await ask(TOOL, session_of("Où en est ma demande ?"))
    asked = await ask(TOOL, session_of(own.number), ticket_number=own.number)
    elsewhere = await ask(TOOL, session_of("Et ma demande ?", id_="zoe"))

    assert [told["number"] for told in result["tickets"]] == [own.number]
    assert asked == result
    assert elsewhere == {"error": ASK_NUMBER}


async def test_wrong_tries_are_limited_and_then_the_right_one_too(ask, ticket):
    guesses = [f"g{n}@example.test" for n in range(6)]
    for guess in guesses:
        last = await ask(
            TOOL, session_of(f"{ticket.number} {guess}"), ticket_number=ticket.number, email=guess
        )

    right = await ask(
        TOOL, session_of(f"{ticket.number} {MAIL}"), ticket_number=ticket.number, email=MAIL
    )

    assert last["error"].startswith("Trop d'essais")
    assert right == last


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("SAV-2026-00042", ("SAV-2026-00042",)),
        ("sav 2026 42 et SAV2026-00043", ("SAV-2026-00042", "SAV-2026-00043")),
        ("savoir 2026 42", ()),
        ("SAV-2026-00042b", ()),
        ("CMD-2026-00042", ()),
    ],
)
def test_numbers_are_read_in_any_typing(text, numbers):
    assert numbers_in(text) == numbers
