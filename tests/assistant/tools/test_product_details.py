from __future__ import annotations

import json

import pytest

from chat.assistant.tools import MAX_RESULT_CHARS, TOOLS, use
from chat.assistant.tools.product_details import TOOL
from chat.assistant.tools.types import ToolContext
from chat.shop.catalog.loader import read_catalogue
from devtools.demo.data import DEMO_FILE, load_demo_catalogue
from devtools.local_assistant.phrasing import phrase_results
from devtools.local_assistant.tools import Call
from tests.assistant.tools.conftest import session_of
from tests.devtools.local_assistant.asking import reply

pytestmark = pytest.mark.usefixtures("_catalogue")


@pytest.fixture
def _catalogue(transactional_db: None) -> None:
    load_demo_catalogue()


def test_the_tool_is_offered_and_strict():
    assert TOOL in TOOLS
    assert set(TOOL.parameters["required"]) == set(TOOL.parameters["properties"])


@pytest.mark.parametrize("product", ["SAL-CAP-001", "sal-cap-001", "canapé OSLO", "oslo"])
async def test_a_product_is_told_in_full(ask, product):
    result = await ask(TOOL, session_of(), product=product)

    assert (result["name"], result["reference"]) == ("Canapé OSLO", "SAL-CAP-001")
    assert result["price"] == "1\u202f290 €"
    assert result["dimensions"] == "L 212 × P 92 × H 84 cm"
    assert result["livraison"] == "de 6 à 8 semaines"
    assert result["garantie"].startswith("Structure 5 ans")
    assert result["fiche"] == "/produits/SAL-CAP-001/"
    assert "porte" not in result


@pytest.mark.parametrize(
    "door, said",
    [
        ({"door_width_cm": 90, "door_height_cm": 204}, "Oui : le meuble passe de côté"),
        ({"door_width_cm": 90}, "Oui : le meuble passe de côté"),
        ({"door_width_cm": 83, "door_height_cm": 204}, "À confirmer par un conseiller"),
        ({"door_width_cm": 63.5, "door_height_cm": 204}, "Non : il manque 22,5 cm"),
    ],
)
async def test_the_door_is_computed(ask, door, said):
    result = await ask(TOOL, session_of(), product="SAL-CAP-001", **door)

    assert result["porte"].startswith(said)
    assert "212 × 92 × 84 cm" in result["porte"]


async def test_what_comes_in_parcels_passes_as_parcels(ask):
    result = await ask(TOOL, session_of(), product="Armoire VENDÔME", door_width_cm=73)

    assert result["porte"].startswith("Oui : le plus grand colis passe")


async def test_several_of_that_name_are_asked_about(ask):
    result = await ask(TOOL, session_of(), product="aubrac")

    assert {item["reference"] for item in result["produits"]} == {"SAM-TAB-001", "SAM-BAN-001"}
    assert result["message"] == "Plusieurs produits portent ce nom : lequel ?"


async def test_an_unknown_product_is_said(ask):
    result = await ask(TOOL, session_of(), product="SAL-CAP-999")

    assert result == {"error": "Aucun produit du catalogue ne porte ce nom."}


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"product": ""},
        {"product": 5},
        {"product": "x" * 101},
        {"product": "oslo", "door_height_cm": 200},
        {"product": "oslo", "door_width_cm": "73"},
        {"product": "oslo", "door_width_cm": True},
        {"product": "oslo", "door_width_cm": 0},
        {"product": "oslo", "door_width_cm": -73},
        {"product": "oslo", "door_width_cm": 1e9},
        {"product": "oslo", "door_width_cm": float("inf")},
    ],
)
async def test_bad_arguments_are_told_to_the_model(arguments):
    result = await use(TOOL, json.dumps(arguments), ToolContext(session_of(), ""))

    assert list(result) == ["error"]
    assert "doit être" in result["error"] or "nécessaire" in result["error"]


async def test_no_sheet_is_too_long_for_the_model(ask):
    for row in read_catalogue(DEMO_FILE):
        result = await ask(TOOL, session_of(), product=row.reference, door_width_cm=73)
        assert result["reference"] == row.reference
        assert len(json.dumps(result, ensure_ascii=False)) < MAX_RESULT_CHARS


@pytest.mark.parametrize(
    "said, told",
    [
        ("Quelles sont les dimensions du canapé OSLO ?", "L 212 × P 92 × H 84 cm"),
        ("Est-ce que le canapé OSLO passe par une porte de 73 cm ?", "Non : il manque 13 cm"),
        ("Le canapé OSLO passe-t-il par ma porte de 90 x 204 cm ?", "Oui : le meuble passe"),
        ("fiche SAL-TBA-002", "Table basse relevable MÉDOC"),
    ],
)
async def test_the_local_assistant_asks_and_phrases(said, told):
    call = reply(said, tools=(TOOL.name,))
    assert isinstance(call, Call)

    result = await use(TOOL, call.arguments, ToolContext(session_of(said), ""))

    assert told in phrase_results([json.dumps(result, ensure_ascii=False)])
