"""Priority of a ticket, computed from points with a reason for each. Pure.

Source: the shop's rules (table of points, P1 from 65, P2 from 45, danger is P0 by itself).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chat.shop.tickets.problems import Problem, Severity, danger_in


class Priority(StrEnum):
    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


MEANINGS: dict[Priority, str] = {
    Priority.P0: "danger, risque de blessure, structure qui cède",
    Priority.P1: "fonction principale en panne, meuble inutilisable, livraison endommagée",
    Priority.P2: "défaut de qualité, inconfort, sous garantie",
    Priority.P3: "information, aspect, retour courant",
}
P1_FROM = 65
P2_FROM = 45

PROBLEM_POINTS: dict[Problem, tuple[str, int]] = {
    Problem.STRUCTURE: ("structure", 30),
    Problem.MECHANISM: ("mécanisme", 25),
    Problem.DELIVERY: ("livraison", 20),
    Problem.DIMENSIONS: ("dimensions", 18),
    Problem.CUSHIONS: ("coussins", 15),
    Problem.ASSEMBLY: ("montage", 15),
    Problem.FABRIC: ("tissu", 10),
    Problem.SMELL: ("odeur", 8),
    Problem.UNKNOWN: ("à préciser", 5),
}
SEVERITY_POINTS: dict[Severity, tuple[str, int]] = {
    Severity.DANGER: ("danger", 25),
    Severity.UNUSABLE: ("inutilisable", 20),
    Severity.HINDRANCE: ("gêne", 10),
    Severity.SLIGHT: ("légère", 5),
}
#: (Exclusive) upper bound of days since delivery, and points.
_DAYS_POINTS = ((7, 20), (30, 18), (90, 15), (365, 10), (730, 8))
_LATER_POINTS = 5
#: Points by number of earlier tickets.
_EARLIER_POINTS = (10, 8, 5)
_MORE_TICKETS_POINTS = 3
#: Lower bound of the value in euros, and points.
_VALUE_POINTS = ((3000, 5), (2000, 4), (1000, 3))
_SMALL_VALUE_POINTS = 2
_GUARANTEE_POINTS, _NO_GUARANTEE_POINTS = 15, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Facts that determine a priority. ``words``: the customer's description.

    None is unknown, and gets the minimum of points. ``days_since_delivery``: negative before the
    delivery, which counts as unknown.
    """

    problem: Problem
    severity: Severity
    words: str = ""
    days_since_delivery: int | None = None
    under_guarantee: bool | None = None
    earlier_tickets: int = 0
    value_cents: int | None = None


@dataclass(frozen=True, slots=True)
class PriorityReason:
    """``PriorityReason("Problème : structure", 30)``."""

    label: str
    points: int


@dataclass(frozen=True, slots=True)
class Assessment:
    """Priority with its reasons. ``danger``: the word of danger that made it P0, or ""."""

    priority: Priority
    breakdown: tuple[PriorityReason, ...]
    danger: str = ""

    @property
    def points(self) -> int:
        return sum(reason.points for reason in self.breakdown)


def assess(case: Case) -> Assessment:
    """Return the priority of a case, and its points with their reasons.

    A word of danger, even a denied one (see ``danger_in``), results in P0 whatever the points; so
    does the severity "danger".
    """
    problem, problem_points = PROBLEM_POINTS[case.problem]
    severity, severity_points = SEVERITY_POINTS[case.severity]
    breakdown = (
        PriorityReason(f"Problème : {problem}", problem_points),
        PriorityReason(f"Gravité : {severity}", severity_points),
        _since_delivery(case.days_since_delivery),
        _guarantee(case.under_guarantee),
        _earlier(case.earlier_tickets),
        _value(case.value_cents),
    )
    danger = danger_in(case.words)
    if not danger and case.severity is Severity.DANGER:
        danger = "danger"
    points = sum(reason.points for reason in breakdown)
    return Assessment(Priority.P0 if danger else _by_points(points), breakdown, danger)


def _by_points(points: int) -> Priority:
    if points >= P1_FROM:
        return Priority.P1
    return Priority.P2 if points >= P2_FROM else Priority.P3


def _since_delivery(days: int | None) -> PriorityReason:
    if days is None or days < 0:
        return PriorityReason("Livraison : date inconnue ou à venir", _LATER_POINTS)
    points = next((worth for under, worth in _DAYS_POINTS if days < under), _LATER_POINTS)
    return PriorityReason(f"Livraison : il y a {days} jour{'s' if days > 1 else ''}", points)


def _guarantee(under: bool | None) -> PriorityReason:
    if under:
        return PriorityReason("Sous garantie", _GUARANTEE_POINTS)
    label = "Garantie : à vérifier" if under is None else "Hors garantie"
    return PriorityReason(label, _NO_GUARANTEE_POINTS)


def _earlier(tickets: int) -> PriorityReason:
    points = _EARLIER_POINTS[tickets] if tickets < len(_EARLIER_POINTS) else _MORE_TICKETS_POINTS
    return PriorityReason(f"Dossiers précédents : {tickets}", points)


def _value(cents: int | None) -> PriorityReason:
    if cents is None:
        return PriorityReason("Valeur : inconnue", _SMALL_VALUE_POINTS)
    points = next(
        (worth for over, worth in _VALUE_POINTS if cents > over * 100), _SMALL_VALUE_POINTS
    )
    return PriorityReason(f"Valeur : {cents // 100} €", points)
