from __future__ import annotations

import json

import pytest

from chat.assistant.tools import TOOLS, use
from chat.assistant.tools.find_order import ASK_NAME, ASK_NUMBER, ASK_PROOF, NOT_FOUND, TOOL
from chat.assistant.tools.types import ToolContext
from devtools.local_assistant.phrasing import phrase_results
from devtools.local_assistant.tools import Call
from tests.assistant.tools.conftest import session_of
from tests.devtools.local_assistant.asking import reply

pytestmark = pytest.mark.usefixtures("_orders")

NUMBER = "CMD-2025-54321"


def test_the_tool_is_offered():
    assert TOOL in TOOLS


@pytest.mark.parametrize(
    "said, arguments",
    [
        (
            ["cmd 2025 54321", "75011", "mme martin"],
            {"order_number": NUMBER, "postcode": "75011", "name": "Martin"},
        ),
        (
            ["CMD202554321, 75 011 Camille Martin"],
            {"order_number": "cmd 2025 54321", "postcode": "75011", "name": "Camille Martin"},
        ),
        (
            [f"ma commande {NUMBER}, Camille@Example.fr"],
            {"order_number": NUMBER, "email": "camille@example.fr"},
        ),
        (
            [f"{NUMBER} 75011 zoe@example.fr Martin"],
            {
                "order_number": NUMBER,
                "email": "zoe@example.fr",
                "postcode": "75011",
                "name": "Martin",
            },
        ),
    ],
)
async def test_an_order_is_told_without_what_proves_it(ask, said, arguments):
    result = await ask(TOOL, session_of(*said), **arguments)

    assert result == {
        "order_number": NUMBER,
        "status": "livrée",
        "ordered_on": "2025-02-14",
        "delivered_on": "2025-03-12",
        "bought": "à distance",
        "source": "Commande CMD-2025-54321",
        "items": [
            {"name": "Canapé OSLO", "reference": "SAL-CAP-001", "quantity": 1},
            {"name": "Coussin BRUME", "reference": "DEC-COU-001", "quantity": 2},
        ],
    }


async def test_an_order_on_its_way_has_no_delivery(ask):
    result = await ask(
        TOOL,
        session_of("CMD-2026-10002, 13006, Benali"),
        order_number="CMD-2026-10002",
        postcode="13006",
        name="Benali",
    )

    assert (result["status"], result["delivered_on"]) == ("pas encore livrée", None)


@pytest.mark.parametrize(
    "said, arguments, error",
    [
        # Wrong proof and unknown number: the same words.
        (
            [f"{NUMBER} 13001 Martin"],
            {"order_number": NUMBER, "postcode": "13001", "name": "Martin"},
            NOT_FOUND,
        ),
        (
            [f"{NUMBER} 75011 Petit"],
            {"order_number": NUMBER, "postcode": "75011", "name": "Petit"},
            NOT_FOUND,
        ),
        (
            ["CMD-2025-99999 75011 Martin"],
            {"order_number": "CMD-2025-99999", "postcode": "75011", "name": "Martin"},
            NOT_FOUND,
        ),
        # A postcode without a name that the customer wrote: whatever the number.
        ([f"{NUMBER} 75011"], {"order_number": NUMBER, "postcode": "75011"}, ASK_NAME),
        (
            [f"{NUMBER} 75011"],
            {"order_number": NUMBER, "postcode": "75011", "name": "Martin"},
            ASK_NAME,
        ),
        (
            ["CMD-2025-99999 75011"],
            {"order_number": "CMD-2025-99999", "postcode": "75011"},
            ASK_NAME,
        ),
        # What the customer did not write: the model's own, or the assistant's.
        ([NUMBER], {"order_number": NUMBER, "postcode": "75011"}, ASK_PROOF),
        ([NUMBER], {"order_number": NUMBER, "email": "camille@example.fr"}, ASK_PROOF),
        (["75011"], {"order_number": NUMBER, "postcode": "75011"}, ASK_NUMBER),
        (["bonjour"], {"order_number": "CMD-2026-10001", "postcode": "69003"}, ASK_NUMBER),
        (["CMD-2026-10001"], {"order_number": "CMD-2026-10001", "postcode": "69003"}, ASK_PROOF),
        # Nothing to prove it with.
        ([NUMBER], {"order_number": NUMBER}, ASK_PROOF),
        ([NUMBER], {"order_number": NUMBER, "postcode": " ", "email": ""}, ASK_PROOF),
        ([f"{NUMBER} {'x' * 300}"], {"order_number": NUMBER, "email": "x" * 300}, ASK_PROOF),
        (["54321 75011"], {"order_number": "54321", "postcode": "75011"}, ASK_NUMBER),
    ],
)
async def test_anything_else_is_asked_for_again(ask, said, arguments, error):
    assert await ask(TOOL, session_of(*said), **arguments) == {"error": error}


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"order_number": None, "email": None, "postcode": None},
        {"order_number": 5, "postcode": 75011},
        {"order_number": [NUMBER], "postcode": ["75011"]},
        {"order_number": NUMBER, "postcode": {"$ne": ""}},
        {"order_number": NUMBER * 100, "postcode": "75011"},
        {"order_number": f"{NUMBER}' OR 1=1", "postcode": "75011"},
    ],
)
async def test_hostile_arguments_open_nothing(arguments):
    session = session_of(f"{NUMBER} 75011 {{'$ne': ''}}")

    result = await use(TOOL, json.dumps(arguments), ToolContext(session, ""))

    assert result in ({"error": ASK_NUMBER}, {"error": ASK_PROOF})


async def test_wrong_proofs_are_limited_and_then_right_ones_are_not_looked_at(ask):
    guesses = ["13001", "13002", "13003", "13004", "13005"]
    session = session_of(NUMBER, *guesses, "75011 Martin")
    for guess in guesses:
        told = await ask(TOOL, session, order_number=NUMBER, postcode=guess, name="Martin")
        assert told == {"error": NOT_FOUND}

    refused = await ask(TOOL, session, order_number=NUMBER, postcode="75011", name="Martin")
    elsewhere = session_of(NUMBER, "75011 Martin", id_="other")
    other = await ask(TOOL, elsewhere, order_number=NUMBER, postcode="75011", name="Martin")

    assert refused["error"].startswith("Trop d'essais")
    assert other["status"] == "livrée"


async def test_a_model_that_repeats_a_wrong_call_spends_one_try(ask):
    session = session_of(NUMBER, "75012 Martin", "pardon, 75011")
    for _ in range(10):
        await ask(TOOL, session, order_number=NUMBER, postcode="75012", name="Martin")

    found = await ask(TOOL, session, order_number=NUMBER, postcode="75011", name="Martin")
    assert found["status"] == "livrée"


async def test_the_local_assistant_calls_it_and_says_what_it_found(ask):
    offered = (TOOL.name,)
    said = ["Où est ma commande cmd 2025 54321 ? Je m'appelle Camille Martin.", "75011"]

    call = reply(*said, tools=offered)
    assert isinstance(call, Call)
    result = await ask(TOOL, session_of(*said), **json.loads(call.arguments))
    told = phrase_results([json.dumps(result)])

    assert "**Statut** : livrée" in told
    assert "**Livré le** : 12 mars 2025" in told
    assert "**Canapé OSLO** (SAL-CAP-001)" in told
