from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtools.local_assistant.phrasing import ANYTHING_ELSE, NOTHING_FOUND, phrase_results


def phrase(result: object) -> str:
    said = phrase_results([result if isinstance(result, str) else json.dumps(result)])
    assert said.endswith(f"\n\n{ANYTHING_ELSE}")
    return said.removesuffix(f"\n\n{ANYTHING_ELSE}")


def test_products_are_listed_with_name_reference_and_price():
    products = [
        {"name": "Canapé Oslo", "reference": "SAL-CAP-001", "coloris": "Gris", "price": "1 299 €"},
        {"name": "Lit Lin", "reference": "CHA-LIT-002", "price": "899,50 €"},
    ]

    assert phrase({"produits": products, "message": "Cherché : lit."}) == (
        "Cherché : lit.\n\n"
        "Produits :\n\n"
        "- **Canapé Oslo** (SAL-CAP-001) : coloris Gris ; 1 299 €\n"
        "- **Lit Lin** (CHA-LIT-002) : 899,50 €"
    )


def test_opening_hours_are_a_sheet():
    result = {"horaires": {"lundi": "fermé", "mardi": "10:00-19:00"}, "ouvert_maintenant": False}

    assert phrase(result) == (
        "Voici ce que j'ai trouvé :\n\n"
        "- **Horaires** : lundi fermé, mardi 10:00-19:00\n"
        "- **Ouvert maintenant** : non"
    )


def test_order_shows_its_fields_then_its_articles():
    order = {
        "order_number": "CMD-2025-54321",
        "delivered_on": "2025-03-12",
        "items": [{"name": "Canapé", "reference": "SAL-CAP-001", "quantity": 2}],
    }

    assert phrase(order) == (
        "Voici ce que j'ai trouvé :\n\n"
        "- **Commande** : CMD-2025-54321\n"
        "- **Livré le** : 12 mars 2025\n\n"
        "Articles :\n\n"
        "- **Canapé** (SAL-CAP-001) : quantité 2"
    )


@pytest.mark.parametrize("nothing", [{}, {"produits": []}])
def test_nothing_found_is_said(nothing):
    assert phrase(nothing) == NOTHING_FOUND


def test_failure_is_admitted():
    assert phrase({"error": "Cet outil n'existe pas."}) == (
        "Je n'ai pas pu obtenir cette information : Cet outil n'existe pas."
    )


def test_question_of_a_tool_is_the_last_word():
    assert phrase_results(['{"message": "Quand a-t-il été livré ?"}']) == "Quand a-t-il été livré ?"


def test_text_that_is_no_json_is_said_as_it_is():
    assert phrase("Le magasin est   ouvert.") == "Le magasin est ouvert."


def test_names_of_rules_are_for_programs():
    said = phrase({"law": [{"rule": "law.mediation", "label": "Médiation", "applies": "oui"}]})

    assert said == "Voici ce que j'ai trouvé :\n\n- **Médiation** : s'applique oui"


def test_long_lists_are_cut_and_counted():
    said = phrase({"produits": [{"name": f"Lit {number}"} for number in range(9)]})

    assert "- **Lit 5**\n- et 3 autres" in said
    assert "Lit 6" not in said


def test_two_results_are_both_said():
    said = phrase_results(['{"error": "Non."}', '{"status": "livrée"}'])

    assert "Non." in said
    assert "- **Statut** : livrée" in said


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


@given(json_values)
def test_any_json_is_phrased(value):
    assert phrase_results([json.dumps(value)]).endswith(ANYTHING_ELSE)


def test_json_nested_beyond_reason_is_survived():
    assert phrase_results(["[" * 100_000])
