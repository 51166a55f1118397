"""Statutory rights of a customer, independent of the shop's commercial guarantee. Pure.

Source: the shop's rules; Code de la consommation and Code civil, articles as named below.
"""

from __future__ import annotations

from datetime import date, timedelta

from chat.shop import hours
from chat.shop.tickets.rules import AppliedRule, Applies, in_french, years_after
from chat.shop.tickets.warranty import accidents_in

CONFORMITY_YEARS = 2
HIDDEN_DEFECT_YEARS = 2
WITHDRAWAL_DAYS = 14

_SUNDAY, _SATURDAY = 6, 5


def legal_conformity(delivered_on: date | None, on: date, problem: str = "") -> AppliedRule:
    """Return the legal guarantee of conformity for a defect that shows on a day."""
    ends_on: date | None = None
    if delivered_on is None:
        applies, why = (
            Applies.UNKNOWN,
            "Elle couvre les défauts apparus dans les 2 ans de la livraison, dont la date manque.",
        )
    elif delivered_on > on:
        applies, why = (
            Applies.UNKNOWN,
            "Elle commencera à la livraison, qui n'a pas encore eu lieu.",
        )
    else:
        ends_on = years_after(delivered_on, CONFORMITY_YEARS)
        applies, why = _conformity_on(ends_on, on, problem)
    return AppliedRule(
        rule="law.conformity",
        label="Garantie légale de conformité (2 ans)",
        source="Code de la consommation, articles L217-3 et suivants",
        ends_on=ends_on,
        applies=applies,
        why=why,
    )


def _conformity_on(ends_on: date, on: date, problem: str) -> tuple[Applies, str]:
    last = in_french(ends_on)
    if on > ends_on:
        return Applies.NO, f"Elle couvrait les défauts apparus jusqu'au {last} inclus."
    if accidents_in(problem):
        return (
            Applies.UNKNOWN,
            f"Elle couvre jusqu'au {last} inclus un défaut présent à la livraison, non un accident "
            "d'usage : un conseiller l'examine.",
        )
    return Applies.YES, f"Elle couvre les défauts apparus jusqu'au {last} inclus."


def hidden_defects(
    discovered_on: date | None, on: date, delivered_on: date | None = None
) -> AppliedRule:
    """Return the guarantee against hidden defects, which runs from the discovery of the defect."""
    ends_on: date | None = None
    if discovered_on is None:
        why = "Elle court pendant 2 ans à partir du jour où vous découvrez le défaut."
        applies = Applies.UNKNOWN
    elif discovered_on > on or (delivered_on is not None and discovered_on < delivered_on):
        why = "La date de découverte du défaut est à vérifier : elle court à partir de ce jour-là."
        applies = Applies.UNKNOWN
    else:
        ends_on = years_after(discovered_on, HIDDEN_DEFECT_YEARS)
        past = on > ends_on
        applies = Applies.NO if past else Applies.YES
        why = (
            f"Le délai pour agir s'est terminé le {in_french(ends_on)} inclus."
            if past
            else f"Vous pouvez agir jusqu'au {in_french(ends_on)} inclus, si le défaut était caché "
            "lors de l'achat."
        )
    return AppliedRule(
        rule="law.hidden_defects",
        label="Garantie des vices cachés (2 ans après la découverte)",
        source="Code civil, articles 1641 et suivants",
        ends_on=ends_on,
        applies=applies,
        why=why,
    )


def withdrawal(
    delivered_on: date | None,
    on: date,
    *,
    is_distance_sale: bool | None,
    is_made_to_measure: bool | None = False,
) -> AppliedRule:
    """Return the right to withdraw from a distance sale. None stands for an unknown fact.

    The right exists from the order on, including the time before delivery.
    """
    ends_on: date | None = None
    if is_distance_sale is not False and is_made_to_measure is not True and delivered_on:
        ends_on = last_day_to_withdraw(delivered_on) if delivered_on <= on else None
    applies, why = _withdrawal(ends_on, on, delivered_on, is_distance_sale, is_made_to_measure)
    return AppliedRule(
        rule="law.withdrawal",
        label="Rétractation d'un achat à distance (14 jours)",
        source="Code de la consommation, articles L221-18, L221-19 et L221-28",
        ends_on=ends_on,
        applies=applies,
        why=why,
    )


def _withdrawal(
    ends_on: date | None,
    on: date,
    delivered_on: date | None,
    is_distance_sale: bool | None,
    is_made_to_measure: bool | None,
) -> tuple[Applies, str]:
    if is_distance_sale is False:
        return Applies.NO, "Elle ne vaut que pour un achat à distance, non en magasin."
    if is_made_to_measure is True:
        return Applies.NO, "Elle ne vaut pas pour un meuble fabriqué sur mesure."
    if ends_on is not None and on > ends_on:
        return Applies.NO, f"Le délai s'est terminé le {in_french(ends_on)} inclus."
    until = f"jusqu'au {in_french(ends_on)} inclus" if ends_on else "14 jours après la livraison"
    if is_distance_sale is None:
        return Applies.UNKNOWN, f"Elle est possible {until}, si l'achat a été fait à distance."
    if is_made_to_measure is None:
        return Applies.UNKNOWN, f"Elle est possible {until}, sauf pour ce qui est sur mesure."
    if delivered_on is None:
        return Applies.UNKNOWN, f"Elle est possible jusqu'à {until}, dont la date manque."
    return Applies.YES, f"Elle est possible {'' if ends_on else 'jusqu’à '}{until}."


def last_day_to_withdraw(delivered_on: date) -> date:
    """Return the last of the 14 days, extended to the next working day.

    The day of delivery is not counted; a period that would end on a Saturday, a Sunday or a
    public holiday ends with the next working day.

    Source: Code de la consommation, articles L221-18 and L221-19.
    """
    day = delivered_on + timedelta(days=WITHDRAWAL_DAYS)
    while day.weekday() in (_SATURDAY, _SUNDAY) or hours.holiday_of(day):
        day += timedelta(days=1)
    return day


def mediation() -> AppliedRule:
    """Return the right to mediation, which has no computable end."""
    return AppliedRule(
        rule="law.mediation",
        label="Médiation de la consommation, gratuite",
        source="Code de la consommation, article L612-1",
        ends_on=None,
        applies=Applies.YES,
        why="Elle est ouverte si une réclamation écrite au magasin ne règle pas le litige.",
    )
