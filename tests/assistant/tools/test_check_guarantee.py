from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from chat.assistant.sources import taken_from
from chat.assistant.tools import MAX_RESULT_CHARS, TOOLS, use
from chat.assistant.tools.check_guarantee import TOOL
from chat.assistant.tools.find_order import ASK_NAME, ASK_NUMBER, ASK_PROOF, NOT_FOUND
from chat.assistant.tools.types import ToolContext
from chat.core.clock import CLOCK
from chat.shop import hours
from devtools.local_assistant.phrasing import phrase_results
from devtools.local_assistant.tools import Call
from tests.assistant.tools.conftest import session_of
from tests.devtools.local_assistant.asking import reply
from tests.runtime import FixedClock

pytestmark = pytest.mark.usefixtures("_orders")

NUMBER = "CMD-2025-54321"
PROVED = f"{NUMBER}, 75011, Martin"
TODAY = datetime(2026, 11, 23, 10, tzinfo=hours.PARIS)


@pytest.fixture(autouse=True)
def _today(replace_parts: Callable[..., None]) -> None:
    replace_parts(CLOCK.to(FixedClock(TODAY)))


def rules(result: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    cards = [*result["commercial_guarantee"], *result["law"]]
    return {card["rule"]: (card["applies"], card["ends_on"]) for card in cards}


def test_the_tool_is_offered():
    assert TOOL in TOOLS


async def test_an_order_has_all_its_rules_with_sources_and_ends(ask):
    result = await ask(TOOL, session_of(PROVED), order_number=NUMBER, name="Martin")

    assert result["delivered_on"] == "2025-03-12"
    assert result["known_from"] == "Commande CMD-2025-54321"
    assert rules(result) == {
        "commercial.structure": ("oui", "2030-03-12"),
        "commercial.fabric": ("oui", "2027-03-12"),
        "commercial.cushions": ("oui", "2027-03-12"),
        "law.conformity": ("oui", "2027-03-12"),
        "law.hidden_defects": ("à vérifier", None),
        "law.withdrawal": ("non", "2025-03-26"),
        "law.mediation": ("oui", None),
    }
    cards = [*result["commercial_guarantee"], *result["law"]]
    assert all(card["source"] and card["label"] and card["why"] for card in cards)
    assert len(json.dumps(result, ensure_ascii=False)) < MAX_RESULT_CHARS


async def test_a_problem_chooses_the_component_and_its_exclusions(ask):
    result = await ask(
        TOOL,
        session_of(PROVED),
        order_number=NUMBER,
        name="Martin",
        problem="Le tissu est griffé par le chat",
    )

    [card] = result["commercial_guarantee"]
    assert (card["rule"], card["applies"]) == ("commercial.fabric", "non")
    assert "animaux" in card["why"]
    assert rules(result)["law.conformity"][0] == "à vérifier"


async def test_the_component_named_goes_before_the_words(ask):
    result = await ask(
        TOOL, session_of("x"), delivery_date="2023-11-23", component="mechanism", problem="tissu"
    )

    [card] = result["commercial_guarantee"]
    assert (card["rule"], card["applies"], card["ends_on"]) == (
        "commercial.mechanism",
        "oui",
        "2026-11-23",
    )
    assert result["known_from"] == "Date donnée par le client, à vérifier"


@pytest.mark.parametrize(
    "number, proof, withdrawal",
    [
        ("CMD-2026-10001", "jean@example.fr", ("oui", "2026-11-30")),
        ("CMD-2026-10058", "marie@example.fr", ("oui", "2026-11-23")),
        ("CMD-2026-10044", "karl@example.fr", ("non", None)),  # made to measure
        ("CMD-2026-10071", "ines@example.fr", ("non", None)),  # bought in the shop
        ("CMD-2026-10002", "amina@example.fr", ("à vérifier", None)),  # not delivered yet
    ],
)
async def test_withdrawal_is_that_of_the_order(ask, number, proof, withdrawal):
    result = await ask(TOOL, session_of(f"{number}, {proof}"), order_number=number)

    assert rules(result)["law.withdrawal"] == withdrawal


async def test_without_anything_the_general_rules_are_told(ask):
    result = await ask(TOOL, session_of("que couvre la garantie ?"))

    assert result["known_from"] == "Règles générales"
    assert {applies for applies, _ in rules(result).values()} == {"à vérifier", "oui"}
    assert all(end is None for _, end in rules(result).values())


@pytest.mark.parametrize(
    "said, number, error",
    [
        ([NUMBER], NUMBER, ASK_PROOF),
        (["75011"], NUMBER, ASK_NUMBER),
        ([f"{NUMBER} zoe@example.fr"], NUMBER, NOT_FOUND),
        ([f"{NUMBER} 75011"], NUMBER, ASK_NAME),
        (["CMD-2025-99999 camille@example.fr"], "CMD-2025-99999", NOT_FOUND),
        (["CMD-2025-99999 75011"], "CMD-2025-99999", ASK_NAME),
        (["75011"], "tout", ASK_NUMBER),
    ],
)
async def test_an_order_that_is_not_proved_is_not_told(ask, said, number, error):
    assert await ask(TOOL, session_of(*said), order_number=number) == {"error": error}


async def test_an_order_stays_open_in_its_conversation(ask):
    session = session_of(
        NUMBER, "camille@example.fr", "merci", "et 12 autres messages", "est-ce garanti ?"
    )

    for _ in range(8):
        assert "law" in await ask(TOOL, session, order_number=NUMBER)


async def test_a_list_of_guesses_proves_nothing(ask):
    guesses = " ".join(f"75{n:03}" for n in range(1, 21))
    session = session_of(NUMBER, guesses, "Martin")

    first = await ask(TOOL, session, order_number=NUMBER, name="Martin")

    assert first == {"error": NOT_FOUND}


@pytest.mark.parametrize(
    "arguments",
    [
        {"delivery_date": "hier"},
        {"delivery_date": "1999-12-31"},
        {"delivery_date": "2030-01-01"},
        {"delivery_date": "2025-02-30"},
        {"delivery_date": ""},
    ],
)
async def test_dates_that_cannot_be_are_refused(ask, arguments):
    result = await ask(TOOL, session_of("x"), **arguments)

    assert result["error"].startswith("delivery_date doit être")


@pytest.mark.parametrize(
    "arguments",
    [
        {"component": "pied"},
        {"component": ["fabric"]},
        {"problem": 3},
        {"bought_remotely": "oui"},
        {"order_number": 3},
        {"delivery_date": 20250101},
    ],
)
async def test_broken_arguments_are_told(arguments):
    assert "error" in await use(TOOL, json.dumps(arguments), ToolContext(session_of("x"), ""))


async def test_the_local_assistant_calls_it_and_says_what_it_found(ask):
    offered = (TOOL.name,)
    said = [
        f"ma commande {NUMBER}, au nom de Martin, code postal 75011",
        "Le mécanisme est-il sous garantie ?",
    ]

    call = reply(*said, tools=offered)
    assert isinstance(call, Call)
    result = await ask(TOOL, session_of(*said), **json.loads(call.arguments))
    told = phrase_results([json.dumps(taken_from(result)[0])])

    assert "Garantie commerciale, mécanisme (3 ans)" in told
    assert "12 mars 2028" in told
    assert "Code de la consommation, articles L217-3 et suivants" in told
    assert "commercial.mechanism" not in told
