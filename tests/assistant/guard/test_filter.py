from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.assistant.guard.claims import Kind
from chat.assistant.guard.facts import Facts
from chat.assistant.guard.filter import Guard

OSLO = {
    "produits": [
        {"nom": "Canapé OSLO", "price_cents": 129_900, "stock": 4, "delivery_weeks_max": 6},
        {"nom": "Canapé LIMA", "price_cents": 89_900, "stock": 0},
    ]
}


def guarded(text: str, *results: object, size: int = 4) -> tuple[str, Guard]:
    facts = Facts()
    for result in results:
        facts.add_result(result)
    guard = Guard(facts)
    shown = "".join(guard.feed(text[at : at + size]) for at in range(0, len(text), size))
    return shown + guard.flush(), guard


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour ! Comment puis-je vous aider ?",
        "Le canapé OSLO coûte 1 299 €. Il est en stock, livré sous 6 semaines.",
        "- Canapé OSLO : 1 299 €\n- Canapé LIMA : 899 €\n\nLequel préférez-vous ?",
        "Nous sommes ouverts de 10 h à 19 h, sauf le dimanche.",
        "Le canapé LIMA est en rupture.",
    ],
)
def test_what_was_looked_up_passes_unchanged(text):
    shown, guard = guarded(text, OSLO)

    assert shown == text
    assert not guard.replaced


@pytest.mark.parametrize(
    ("text", "shown", "kind"),
    [
        (
            "Le canapé BALI coûte 499 €. Il est bleu.",
            "Le canapé BALI coûte (prix à confirmer par un conseiller). Il est bleu.",
            Kind.AMOUNT,
        ),
        (
            "Le canapé OSLO coûte 899 €.",  # the price of the other one
            "Le canapé OSLO coûte (selon sa fiche : 1\u202f299\u00a0€).",
            Kind.AMOUNT,
        ),
        (
            "Le canapé LIMA est en stock.",
            "Le canapé LIMA est en (disponibilité à confirmer par un conseiller).",
            Kind.STOCK,
        ),
        (
            "Garanti 10 ans. Très solide.",
            "Durée à confirmer par un conseiller. Très solide.",
            Kind.DURATION,
        ),
        (
            "Vous serez remboursé.",
            "Vous serez (point à confirmer par un conseiller).",
            Kind.PROMISE,
        ),
        (
            "Votre ticket est créé.\nBonne journée.",
            "Votre (rien n'est enregistré tant que l'application ne l'affiche pas elle-même)."
            "\nBonne journée.",
            Kind.DONE,
        ),
        (
            "- **Canapé BALI** : 499 €\n- Autre",
            "- **Canapé BALI** : (prix à confirmer par un conseiller).\n- Autre",
            Kind.AMOUNT,
        ),
    ],
)
def test_what_nobody_looked_up_is_replaced(text, shown, kind):
    for size in (1, 3, 7, len(text)):
        found, guard = guarded(text, OSLO, size=size)

        assert found == shown
        assert guard.replaced == {kind: 1}


def test_words_that_commit_to_nothing_are_shown_at_once():
    guard = Guard(Facts())

    assert guard.feed("Bonjour") == "Bonjour"
    assert guard.feed(" ! Ce canapé ") == " ! Ce canapé "
    assert guard.feed("coûte 4") == "coûte "
    assert guard.feed("99 €") == ""
    assert guard.feed(". Il") == "(prix à confirmer par un conseiller). Il"


def test_an_answer_that_is_cut_is_judged_too():
    shown, _ = guarded("Il coûte 499 €")

    assert shown == "Il coûte (prix à confirmer par un conseiller)."


def test_what_the_shop_said_before_may_be_said_again():
    guard = Guard(Facts(["Le canapé OSLO vaut 1 299 €, livré le 12 mars 2027."]))

    text = "Il vaut 1 299 € et sera livré le 12 mars."
    assert guard.feed(text) + guard.flush() == text


def test_an_error_of_a_tool_proves_nothing():
    _, guard = guarded("Il coûte 499 €.", {"error": "499 €"})

    assert guard.replaced == {Kind.AMOUNT: 1}


SENTENCES = [
    " Le canapé OSLO coûte 1 299 €.",
    " Il coûte 77 €.",
    " Bonjour M. Martin !",
    " Garanti à vie.",
    " Deux ans, 4.5 étoiles…",
    "\n- ŒUVRE ﬁne İ : 3 €",
    " Il est en stock ?",
]


@given(st.lists(st.sampled_from(SENTENCES), max_size=6), st.lists(st.integers(1, 9), min_size=1))
def test_how_the_answer_is_cut_into_pieces_changes_nothing(sentences, sizes):
    text = "".join(sentences)
    facts = Facts()
    facts.add_result(OSLO)
    guard, shown, at = Guard(facts), "", 0
    while at < len(text):
        size = sizes[at % len(sizes)]
        shown += guard.feed(text[at : at + size])
        at += size

    assert shown + guard.flush() == guarded(text, OSLO, size=len(text) or 1)[0]
