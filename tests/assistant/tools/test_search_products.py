from __future__ import annotations

import json

import pytest
from django.db import connection

from chat.assistant.tools import MAX_RESULT_CHARS, TOOLS, use
from chat.assistant.tools.search_products import CATEGORIES, MAX_PRODUCTS, TOOL
from chat.assistant.tools.types import ToolContext
from chat.shop.catalog.models import Category, Product
from devtools.demo.data import load_demo_catalogue
from devtools.local_assistant.phrasing import phrase_results
from devtools.local_assistant.tools import Call
from tests.assistant.tools.conftest import session_of
from tests.devtools.local_assistant.asking import reply

pytestmark = pytest.mark.usefixtures("_catalogue")


@pytest.fixture
def _catalogue(transactional_db: None) -> None:
    load_demo_catalogue()


def test_the_tool_is_offered():
    assert TOOL in TOOLS


def test_a_strict_schema_requires_every_property():
    assert set(TOOL.parameters["required"]) == set(TOOL.parameters["properties"])
    assert TOOL.parameters["additionalProperties"] is False


async def test_products_are_told_with_price_and_reference(ask):
    result = await ask(TOOL, session_of(), query="canapé convertible bleu moins de 1500 €")

    assert [(p["name"], p["reference"], p["price"]) for p in result["produits"]] == [
        ("Canapé convertible NIORT", "SAL-CAP-005", "649 €"),
        ("Canapé convertible BERGEN", "SAL-CAP-002", "1\u202f390 €"),
    ]
    assert result["produits"][1]["stock"].startswith("4 en stock (relevé du ")
    assert "message" not in result


async def test_arguments_narrow_what_the_query_says(ask):
    result = await ask(
        TOOL, session_of(), query="canapé", max_price_eur=1000, colour="bleu", category="salon"
    )

    assert [product["name"] for product in result["produits"]] == ["Canapé convertible NIORT"]


async def test_a_colour_that_is_a_material_is_a_word(ask):
    result = await ask(TOOL, session_of(), query="table basse", colour="noyer")

    assert result["produits"][0]["name"] == "Table basse relevable MÉDOC"


async def test_what_was_given_up_is_said(ask):
    result = await ask(TOOL, session_of(), query="canapé rouge")

    assert result["message"] == (
        "Rien ne correspond exactement ; le plus proche, dans d'autres coloris que rouge :"
    )
    assert result["produits"]


async def test_a_slip_that_was_put_right_is_said(ask):
    assert (await ask(TOOL, session_of(), query="comode"))["message"] == "Cherché : commode."


async def test_nothing_found_is_said_without_inventing(ask):
    result = await ask(TOOL, session_of(), query="licorne")

    assert result == {"produits": [], "remarque": "Aucun produit du catalogue ne correspond."}


@pytest.mark.parametrize("category", CATEGORIES)
async def test_every_category_of_the_schema_exists_and_result_is_bounded(ask, category):
    result = await ask(TOOL, session_of(), query="", category=category)

    assert len(result["produits"]) == MAX_PRODUCTS
    assert len(json.dumps(result, ensure_ascii=False)) < MAX_RESULT_CHARS


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"query": 5},
        {"query": "x" * 301},
        {"query": ""},
        {"query": "bonjour"},
        {"query": "lit", "max_price_eur": "100"},
        {"query": "lit", "max_price_eur": True},
        {"query": "lit", "max_price_eur": -1},
        {"query": "lit", "max_price_eur": float("nan")},
        {"query": "lit", "max_price_eur": 1e300},
        {"query": "lit", "colour": 5},
        {"query": "lit", "colour": "x" * 61},
        {"query": "lit", "category": "cuisine"},
        {"query": "lit", "category": ["salon"]},
    ],
)
async def test_bad_arguments_are_told_to_the_model(arguments):
    result = await use(TOOL, json.dumps(arguments), ToolContext(session_of(), ""))

    assert list(result) == ["error"]
    assert "pour le moment" not in result["error"]


async def test_query_is_data(ask):
    hostile = "\"; DROP TABLE chat_product; -- ' OR 1=1"

    await ask(TOOL, session_of(), query=f"canapé {hostile}")

    assert (await ask(TOOL, session_of(), query="oslo"))["produits"]


def test_products_are_there_to_be_counted():
    assert Product.objects.count() >= 60
    assert Category.objects.count() == len(CATEGORIES)


@pytest.mark.parametrize(
    "said, named",
    [
        ("Je cherche un canapé convertible bleu à moins de 1500 €", "Canapé convertible BERGEN"),
        ("Avez-vous une table pour 6 personnes ?", "Table AUBRAC"),
        ("un lit 160 avec coffre", "Lit coffre BOURDAINE"),
        ("je voudrais un buffet de 160 cm", "Buffet CANNÉ SOLOGNE"),
    ],
)
async def test_the_local_assistant_asks_and_phrases(said, named):
    call = reply(said, tools=(TOOL.name,))
    assert isinstance(call, Call)

    result = await use(TOOL, call.arguments, ToolContext(session_of(said), ""))
    text = phrase_results([json.dumps(result, ensure_ascii=False)])

    assert call.name == "search_products"
    assert f"**{named}**" in text
    assert "€" in text


async def test_a_database_that_is_away_is_said(ask, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "NAME", "/nowhere/at/all.sqlite3")

    result = await use(TOOL, json.dumps({"query": "lit"}), ToolContext(session_of(), ""))

    assert result["error"] == "Cette recherche n'est pas possible pour le moment."
