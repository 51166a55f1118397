from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shop.tickets.problems import Component
from chat.shop.tickets.rules import Applies
from chat.shop.tickets.warranty import (
    SOURCE,
    accidents_in,
    commercial_guarantee,
    commercial_guarantees,
    exclusions_for,
)

#: Two years with no 29 February among them: 730 days.
PLAIN = date(2021, 3, 10)
#: Two years with one: 731 days.
LEAPING = date(2023, 3, 10)


@pytest.mark.parametrize(
    "delivered_on, days, applies",
    [
        (PLAIN, 0, Applies.YES),
        (PLAIN, 729, Applies.YES),
        (PLAIN, 730, Applies.YES),
        (PLAIN, 731, Applies.NO),
        (LEAPING, 729, Applies.YES),
        (LEAPING, 730, Applies.YES),
        (LEAPING, 731, Applies.YES),
        (LEAPING, 732, Applies.NO),
    ],
)
@pytest.mark.parametrize("component", [Component.FABRIC, Component.CUSHIONS])
def test_two_years_last_until_the_end_of_their_last_day(component, delivered_on, days, applies):
    card = commercial_guarantee(component, delivered_on, delivered_on + timedelta(days=days))

    assert card.applies is applies
    assert card.ends_on == delivered_on.replace(year=delivered_on.year + 2)


@pytest.mark.parametrize(
    "component, last",
    [
        (Component.STRUCTURE, date(2029, 2, 28)),
        (Component.MECHANISM, date(2027, 2, 28)),
        (Component.FABRIC, date(2026, 2, 28)),
        (Component.CUSHIONS, date(2026, 2, 28)),
    ],
)
def test_each_component_keeps_its_own_end(component, last):
    delivered_on = date(2024, 2, 29)

    on_time = commercial_guarantee(component, delivered_on, last)
    late = commercial_guarantee(component, delivered_on, last + timedelta(days=1))

    assert (on_time.ends_on, on_time.applies) == (last, Applies.YES)
    assert (late.ends_on, late.applies) == (last, Applies.NO)
    assert on_time.source == SOURCE


def test_cards_say_rule_end_and_why_in_french():
    cards = commercial_guarantees(date(2024, 3, 1), date(2026, 6, 1))

    assert [(card.rule, card.applies, card.ends_on) for card in cards] == [
        ("commercial.structure", Applies.YES, date(2029, 3, 1)),
        ("commercial.mechanism", Applies.YES, date(2027, 3, 1)),
        ("commercial.fabric", Applies.NO, date(2026, 3, 1)),
        ("commercial.cushions", Applies.NO, date(2026, 3, 1)),
    ]
    assert cards[0].why == "Elle court jusqu'au 1er mars 2029 inclus."
    assert cards[2].why == "Elle s'est terminée le 1er mars 2026 inclus."


@pytest.mark.parametrize("delivered_on", [None, date(2026, 6, 2)])
def test_without_a_delivery_nothing_is_promised(delivered_on):
    card = commercial_guarantee(Component.STRUCTURE, delivered_on, date(2026, 6, 1))

    assert card.applies is Applies.UNKNOWN
    assert card.ends_on is None
    assert "livraison" in card.why


STAINS, TEARS = "les taches", "les déchirures"
BURNS, ANIMALS = "les brûlures", "les dégâts des animaux"


@pytest.mark.parametrize(
    "problem, accidents",
    [
        ("il y a une tache de café", (STAINS,)),
        ("des TÂCHES partout", (STAINS,)),
        ("l’assise est tachée", (STAINS,)),
        ("j'ai renversé du vin", (STAINS,)),
        ("le tissu est déchiré", (TEARS,)),
        ("plusieurs déchirures", (TEARS,)),
        ("un accroc", (TEARS,)),
        ("il y a un trou", (TEARS,)),
        ("le velours est troué", (TEARS,)),
        ("brûlé par une cigarette", (BURNS,)),
        ("une brulure", (BURNS,)),
        ("griffé par le chat", (ANIMALS,)),
        ("mes deux chats", (ANIMALS,)),
        ("le chien l'a rongé", (ANIMALS,)),
        ("d'un animal", (ANIMALS,)),
        ("nos animaux", (ANIMALS,)),
        ("taché et déchiré par le chien", (STAINS, TEARS, ANIMALS)),
        ("mon achat", ()),
        ("après achat, l'achat.", ()),
        ("je trouve que le tissu peluche", ()),
        ("j'ai trouvé un défaut", ()),
        ("il s'est détaché", ()),
        ("bien attaché", ()),
        ("un château", ()),
        ("j'ai écrit sur le chat", ()),
        ("par chat avec un conseiller", ()),
        ("le chatbot et le chat en ligne", ()),
        ("pas de tache, pas d'animaux", ()),
        ("il n'est ni déchiré ni brûlé", ()),
        ("sans accroc", ()),
        ("je n'ai pas de chat", ()),
        ("la couture lâche", ()),
        ("", ()),
    ],
)
def test_accidents_are_whole_words(problem, accidents):
    assert accidents_in(problem) == accidents


@pytest.mark.parametrize(
    "component, excluded",
    [
        (Component.FABRIC, (STAINS, TEARS, BURNS, ANIMALS)),
        (Component.CUSHIONS, (STAINS,)),
        (Component.STRUCTURE, ()),
        (Component.MECHANISM, ()),
    ],
)
def test_each_component_has_its_exclusions(component, excluded):
    assert exclusions_for(component, "taché, déchiré, brûlé, griffé par le chat") == excluded


def test_an_exclusion_is_said_and_the_law_is_not_forgotten():
    card = commercial_guarantee(
        Component.FABRIC, date(2026, 1, 5), date(2026, 6, 1), "une tache et un trou"
    )

    assert card.applies is Applies.NO
    assert card.ends_on == date(2028, 1, 5)
    assert card.why == (
        "Elle ne couvre pas les taches ni les déchirures. La garantie légale reste à examiner."
    )


@given(
    st.sampled_from(Component), st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 3000)
)
def test_a_guarantee_never_comes_back_once_over(component, delivered_on, days):
    on = delivered_on + timedelta(days=days)
    today = commercial_guarantee(component, delivered_on, on)
    tomorrow = commercial_guarantee(component, delivered_on, on + timedelta(days=1))

    assert today.applies is (Applies.YES if on <= today.ends_on else Applies.NO)
    assert (today.applies, tomorrow.applies) != (Applies.NO, Applies.YES)
