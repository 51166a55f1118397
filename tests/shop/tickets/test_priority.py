from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shop.tickets.priority import Case, Priority, PriorityReason, assess
from chat.shop.tickets.problems import Problem, Severity

#: The least of everything: 5 + 5 + 5 + 5 + 3 + 2 points.
LEAST = Case(
    problem=Problem.UNKNOWN,
    severity=Severity.SLIGHT,
    days_since_delivery=3000,
    under_guarantee=False,
    earlier_tickets=9,
    value_cents=0,
)


def points(**changed: Any) -> int:
    return assess(replace(LEAST, **changed)).points


def test_the_least_there_is_makes_25_points():
    assert assess(LEAST).points == 25
    assert assess(LEAST).priority is Priority.P3


@pytest.mark.parametrize(
    "problem, worth",
    [
        (Problem.STRUCTURE, 30),
        (Problem.MECHANISM, 25),
        (Problem.DELIVERY, 20),
        (Problem.DIMENSIONS, 18),
        (Problem.CUSHIONS, 15),
        (Problem.ASSEMBLY, 15),
        (Problem.FABRIC, 10),
        (Problem.SMELL, 8),
        (Problem.UNKNOWN, 5),
    ],
)
def test_points_of_the_problem(problem, worth):
    assert points(problem=problem) == 20 + worth


@pytest.mark.parametrize(
    "severity, worth",
    [
        (Severity.DANGER, 25),
        (Severity.UNUSABLE, 20),
        (Severity.HINDRANCE, 10),
        (Severity.SLIGHT, 5),
    ],
)
def test_points_of_the_severity(severity, worth):
    assert points(severity=severity) == 20 + worth


@pytest.mark.parametrize(
    "days, worth",
    [
        *((0, 20), (6, 20), (7, 18), (29, 18), (30, 15), (89, 15), (90, 10), (364, 10), (365, 8)),
        *((729, 8), (730, 5), (731, 5), (9000, 5), (None, 5), (-1, 5)),
    ],
)
def test_points_of_the_days_since_delivery(days, worth):
    assert points(days_since_delivery=days) == 20 + worth


@pytest.mark.parametrize("under, worth", [(True, 15), (False, 5), (None, 5)])
def test_points_of_the_guarantee(under, worth):
    assert points(under_guarantee=under) == 20 + worth


@pytest.mark.parametrize("tickets, worth", [(0, 10), (1, 8), (2, 5), (3, 3), (50, 3)])
def test_points_of_earlier_tickets(tickets, worth):
    assert points(earlier_tickets=tickets) == 22 + worth


@pytest.mark.parametrize(
    "cents, worth",
    [
        *((300_001, 5), (300_000, 4), (200_001, 4), (200_000, 3), (100_001, 3), (100_000, 2)),
        *((0, 2), (None, 2)),
    ],
)
def test_points_of_the_value(cents, worth):
    assert points(value_cents=cents) == 23 + worth


@pytest.mark.parametrize(
    "case, total, priority",
    [
        # 30 + 20 + 5 + 5 + 3 + 2
        (replace(LEAST, problem=Problem.STRUCTURE, severity=Severity.UNUSABLE), 65, Priority.P1),
        # 25 + 20 + 5 + 5 + 3 + 4
        (
            replace(
                LEAST,
                problem=Problem.MECHANISM,
                severity=Severity.UNUSABLE,
                value_cents=250_000,
                under_guarantee=False,
            ),
            62,
            Priority.P2,
        ),
        # 25 + 20 + 5 + 5 + 5 + 4
        (
            replace(
                LEAST,
                problem=Problem.MECHANISM,
                severity=Severity.UNUSABLE,
                value_cents=250_000,
                earlier_tickets=2,
            ),
            64,
            Priority.P2,
        ),
        # 15 + 10 + 8 + 5 + 5 + 2
        (
            replace(
                LEAST,
                problem=Problem.CUSHIONS,
                severity=Severity.HINDRANCE,
                days_since_delivery=400,
                earlier_tickets=2,
            ),
            45,
            Priority.P2,
        ),
        # 15 + 10 + 8 + 5 + 3 + 3
        (
            replace(
                LEAST,
                problem=Problem.CUSHIONS,
                severity=Severity.HINDRANCE,
                days_since_delivery=400,
                value_cents=150_000,
            ),
            44,
            Priority.P3,
        ),
    ],
)
def test_priorities_begin_at_65_and_45(case, total, priority):
    assessment = assess(case)

    assert (assessment.points, assessment.priority) == (total, priority)


@pytest.mark.parametrize(
    "words", ["je me suis blessé", "il s'est EFFONDRÉ", "ça prend feu", "personne n'est blessé"]
)
def test_a_word_of_danger_is_p0_by_itself(words):
    assessment = assess(replace(LEAST, words=words))

    assert assessment.priority is Priority.P0
    assert assessment.danger in words.lower().replace("é", "e")
    assert assessment.points == 25


def test_danger_chosen_as_the_severity_is_p0():
    assert assess(replace(LEAST, severity=Severity.DANGER)).priority is Priority.P0


def test_however_many_points_there_are_none_make_p0():
    most = Case(
        problem=Problem.STRUCTURE,
        severity=Severity.UNUSABLE,
        days_since_delivery=0,
        under_guarantee=True,
        earlier_tickets=0,
        value_cents=500_000,
    )

    assert assess(most).points == 100
    assert assess(most).priority is Priority.P1


def test_points_are_shown_with_their_reasons():
    case = Case(
        problem=Problem.FABRIC,
        severity=Severity.HINDRANCE,
        days_since_delivery=1,
        under_guarantee=True,
        earlier_tickets=1,
        value_cents=129_900,
    )

    assert assess(case).breakdown == (
        PriorityReason("Problème : tissu", 10),
        PriorityReason("Gravité : gêne", 10),
        PriorityReason("Livraison : il y a 1 jour", 20),
        PriorityReason("Sous garantie", 15),
        PriorityReason("Dossiers précédents : 1", 8),
        PriorityReason("Valeur : 1299 €", 3),
    )


@given(
    st.builds(
        Case,
        problem=st.sampled_from(Problem),
        severity=st.sampled_from(Severity),
        words=st.text(max_size=40),
        days_since_delivery=st.none() | st.integers(-10, 5000),
        under_guarantee=st.none() | st.booleans(),
        earlier_tickets=st.integers(0, 100),
        value_cents=st.none() | st.integers(0, 10**8),
    )
)
def test_every_case_has_a_priority_that_its_points_explain(case):
    assessment = assess(case)

    assert 25 <= assessment.points <= 105
    if not assessment.danger:
        worth = assessment.points
        expected = Priority.P1 if worth >= 65 else Priority.P2 if worth >= 45 else Priority.P3
        assert assessment.priority is expected
