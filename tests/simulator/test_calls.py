from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from chat.assistant.tools import TOOLS
from chat.simulator.calls import Call
from chat.simulator.request import Tool
from chat.simulator.script import Say
from tests.simulator.asking import reply


def tool(name: str, required: list[str] | None = None, **properties: Any) -> Tool:
    """A tool as strict mode wants it: everything required unless told otherwise."""
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }
    return Tool(name, "", parameters)


TEXT = {"type": "string"}
ORDER = {"type": "string", "pattern": r"^CMD-\d{4}-\d{5}$"}
SEARCH = tool(
    "search_products",
    query=TEXT,
    category={"type": ["string", "null"], "enum": ["salon", "chambre", "décoration", None]},
    max_price_eur={"type": ["integer", "null"]},
    min_price_eur={"anyOf": [{"type": "integer"}, {"type": "null"}]},
    colour={"type": ["string", "null"]},
)
DETAILS = tool("product_details", reference=TEXT)
FIND_ORDER = tool("find_order", order_number=ORDER)
GUARANTEE = tool("check_guarantee", order_number=ORDER)
SHOP = tool(
    "shop_information",
    topic={"type": "string", "enum": ["horaires", "contact", "livraison", "retours", "garanties"]},
)
HUMAN = tool("ask_for_human", reason=TEXT)
TICKET = tool(
    "prepare_ticket",
    order_number=ORDER,
    product=TEXT,
    problem={"type": "string", "enum": ["structure", "mechanism", "fabric", "unknown"]},
    description={"type": "string", "maxLength": 60},
    severity={"type": "string", "enum": ["danger", "unusable", "hindrance", "slight"]},
)
STATUS = tool("ticket_status", ticket_id=TEXT)
ALL = (SEARCH, DETAILS, FIND_ORDER, GUARANTEE, SHOP, HUMAN, TICKET, STATUS)


@pytest.mark.parametrize(
    "said, name, arguments",
    [
        (
            ["Bonjour, je cherche un canapé gris entre 300 et 1 200 €"],
            "search_products",
            {
                "query": "canapé gris",
                "category": "salon",
                "max_price_eur": 1200,
                "min_price_eur": 300,
                "colour": "gris",
            },
        ),
        (
            ["une lampe ?"],
            "search_products",
            {
                "query": "lampe",
                "category": "décoration",
                "max_price_eur": None,
                "min_price_eur": None,
                "colour": None,
            },
        ),
        (["les dimensions du sal-cap-001"], "product_details", {"reference": "SAL-CAP-001"}),
        (["Où est ma commande cmd 2025 54321 ?"], "find_order", {"order_number": "CMD-2025-54321"}),
        (
            ["j'ai la commande CMD-2025-54321", "est-elle sous garantie ?"],
            "check_guarantee",
            {"order_number": "CMD-2025-54321"},
        ),
        (["que couvre la garantie ?"], "shop_information", {"topic": "garanties"}),
        (["Vous ouvrez quand ?"], "shop_information", {"topic": "horaires"}),
        (["Livrez-vous à Lyon ?"], "shop_information", {"topic": "livraison"}),
        (["Puis-je renvoyer une table ?"], "shop_information", {"topic": "retours"}),
        (["Quelle est votre adresse ?"], "shop_information", {"topic": "contact"}),
        (
            ["je veux parler à un conseiller"],
            "ask_for_human",
            {"reason": "je veux parler à un conseiller"},
        ),
        (
            ["Le tissu de mon canapé Oslo est déchiré, c'est gênant", "CMD-2025-54321"],
            "prepare_ticket",
            {
                "order_number": "CMD-2025-54321",
                "product": "canapé Oslo",
                "problem": "fabric",
                "description": "Le tissu de mon canapé Oslo est déchiré, c'est gênant\nCMD-20",
                "severity": "hindrance",
            },
        ),
        (["Où en est mon ticket SAV-2025-0001 ?"], "ticket_status", {"ticket_id": "SAV-2025-0001"}),
    ],
)
def test_message_calls_the_tool_that_serves_it(said, name, arguments):
    call = reply(*said, tools=ALL)

    assert isinstance(call, Call)
    assert (call.name, json.loads(call.arguments)) == (name, arguments)
    parameters = next(tool.parameters for tool in ALL if tool.name == name)
    jsonschema.validate(json.loads(call.arguments), parameters)


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour",
        "Bonjour, je suis Jean",
        "Comment je m'appelle ?",
        "merci",
        "raconte",
        "Test",
        "Où est ma commande ?",  # asks for the number instead
        "Mon canapé est cassé",
        "Puis-je payer en 3 fois ?",  # no topic of shop_information
    ],
)
def test_message_that_no_tool_serves_is_answered_in_words(text):
    assert isinstance(reply(text, tools=ALL), Say)


def test_tool_is_not_called_where_the_choice_is_none():
    assert isinstance(reply("Vos horaires ?", tools=ALL, choice="none"), Say)


@pytest.mark.parametrize("choice", ["required", "find_order"])
def test_forced_choice_always_calls(choice):
    call = reply("Bonjour", tools=(FIND_ORDER, SHOP), choice=choice)

    assert isinstance(call, Call)
    assert call.name == "find_order"


def test_unfamiliar_tool_is_known_by_its_words():
    loyalty = Tool("loyalty_points", "Nombre de points de fidélité du client.", {})
    weather = Tool("weather", "Météo d'une ville", {})

    call = reply("Combien de points de fidélité ?", tools=(weather, loyalty))

    assert call == Call("loyalty_points", "{}")


def test_references_and_nested_objects_of_a_schema_are_followed():
    parameters = {
        "type": "object",
        "properties": {
            "order": {"$ref": "#/$defs/Order"},
            "topics": {"type": "array", "items": {"enum": ["horaires", "retours"]}},
            "urgent": {"type": "boolean"},
        },
        "required": ["order", "topics", "urgent"],
        "$defs": {
            "Order": {"type": "object", "properties": {"number": TEXT}, "required": ["number"]}
        },
    }

    call = reply("ma commande CMD-2025-54321", tools=(Tool("find_order", "", parameters),))

    assert isinstance(call, Call)
    assert json.loads(call.arguments) == {
        "order": {"number": "CMD-2025-54321"},
        "topics": [],
        "urgent": False,
    }


@pytest.mark.parametrize(
    "parameters",
    [
        {"properties": {"a": {"$ref": "#/properties/a"}}, "required": ["a"]},
        {"properties": {"a": {"$ref": "#/nowhere"}}, "required": ["a"]},
        {"properties": {"a": True, "b": {"anyOf": []}}, "required": ["a", "b"]},
        {"properties": {"query": {"type": "string", "pattern": "("}}},
        {"properties": []},
        {"required": 3},
    ],
)
def test_odd_schema_is_survived(parameters):
    assert reply("Je cherche un lit", tools=(Tool("search_products", "", parameters),))


@pytest.mark.parametrize("offered", TOOLS, ids=lambda tool: tool.name)
def test_tools_of_the_shop_get_arguments_that_fit(offered):
    said = "Ma commande CMD-2025-54321, un canapé SAL-CAP-001, dossier SAV-2025-0001"

    call = reply(said, tools=(Tool(offered.name, "", offered.parameters),), choice="required")

    assert isinstance(call, Call)
    jsonschema.validate(json.loads(call.arguments), without_patterns(offered.parameters))


def without_patterns(schema: Any) -> Any:
    """The form of a number that the message does not hold cannot be met."""
    if isinstance(schema, dict):
        return {key: without_patterns(value) for key, value in schema.items() if key != "pattern"}
    return schema
