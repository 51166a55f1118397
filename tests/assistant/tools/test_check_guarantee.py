from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from chat import shop
from chat.assistant.sources import taken_from
from chat.assistant.tools import MAX_RESULT_CHARS, TOOLS, check_guarantee, use
from chat.assistant.tools.check_guarantee import TOOL
from chat.assistant.tools.find_order import ASK_NUMBER, ASK_PROOF, NOT_FOUND
from chat.simulator.calls import Call
from chat.simulator.phrasing import phrase_results
from chat.simulator.request import Tool as Offered
from tests.assistant.tools.conftest import session_of
from tests.simulator.asking import reply

pytestmark = pytest.mark.usefixtures("_orders")

NUMBER = "CMD-2025-54321"
TODAY = datetime(2026, 11, 23, 10, tzinfo=shop.PARIS)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_guarantee, "now", lambda: TODAY)


def rules(result: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    cards = [*result["commercial_guarantee"], *result["law"]]
    return {card["rule"]: (card["applies"], card["ends_on"]) for card in cards}


def test_the_tool_is_offered():
    assert TOOL in TOOLS


async def test_an_order_has_all_its_rules_with_sources_and_ends(ask):
    result = await ask(TOOL, session_of(f"{NUMBER}, 75011"), order_number=NUMBER)

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
        session_of(f"{NUMBER}, 75011"),
        order_number=NUMBER,
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
    "number, postcode, withdrawal",
    [
        ("CMD-2026-10001", "69003", ("oui", "2026-11-30")),
        ("CMD-2026-10058", "31000", ("oui", "2026-11-23")),
        ("CMD-2026-10044", "67200", ("non", None)),  # made to measure
        ("CMD-2026-10071", "35000", ("non", None)),  # bought in the shop
        ("CMD-2026-10002", "13006", ("à vérifier", None)),  # not delivered yet
    ],
)
async def test_withdrawal_is_that_of_the_order(ask, number, postcode, withdrawal):
    result = await ask(TOOL, session_of(f"{number}, {postcode}"), order_number=number)

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
        ([f"{NUMBER} 13001"], NUMBER, NOT_FOUND),
        (["CMD-2025-99999 75011"], "CMD-2025-99999", NOT_FOUND),
        (["75011"], "tout", ASK_NUMBER),
    ],
)
async def test_an_order_that_is_not_proved_is_not_told(ask, said, number, error):
    assert await ask(TOOL, session_of(*said), order_number=number) == {"error": error}


async def test_an_order_stays_open_in_its_conversation(ask):
    session = session_of(NUMBER, "75011", "merci", "et 12 autres messages", "est-ce garanti ?")

    for _ in range(8):
        assert "law" in await ask(TOOL, session, order_number=NUMBER)


async def test_a_list_of_guesses_proves_nothing(ask):
    guesses = " ".join(f"75{n:03}" for n in range(1, 21))
    session = session_of(NUMBER, guesses)

    first = await ask(TOOL, session, order_number=NUMBER)

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
    assert "error" in await use(TOOL, json.dumps(arguments), session_of("x"))


async def test_the_local_assistant_calls_it_and_says_what_it_found(ask):
    offered = (Offered(TOOL.name, TOOL.description, TOOL.parameters),)
    said = [f"ma commande {NUMBER}, code postal 75011", "Le mécanisme est-il sous garantie ?"]

    call = reply(*said, tools=offered)
    assert isinstance(call, Call)
    result = await ask(TOOL, session_of(*said), **json.loads(call.arguments))
    told = phrase_results([json.dumps(taken_from(result)[0])])

    assert "Garantie commerciale, mécanisme (3 ans)" in told
    assert "12 mars 2028" in told
    assert "Code de la consommation, articles L217-3 et suivants" in told
    assert "commercial.mechanism" not in told
