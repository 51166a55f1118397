"""A rule of guarantee or law as the customer reads it: which, from where, until when. Pure."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
#: Beyond it no date can be written.
_LAST_YEAR = 9999


class Applies(StrEnum):
    """Whether a rule still holds. ``UNKNOWN``: it depends on what is not known here."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One rule at one date. ``label``, ``source`` and ``why`` are French.

    ``rule``: stable name, e.g. ``"commercial.fabric"``. ``ends_on``: the last day on which it
    holds, that whole day included, Paris time; None when it has no end or none is known.
    """

    rule: str
    label: str
    source: str
    ends_on: date | None
    applies: Applies
    why: str


def years_after(day: date, years: int) -> date:
    """Return the last day of a period of so many calendar years that a day opens.

    It is the day of the same number, and where that month has none, its last day: two years
    from 29 February 2024 end with 28 February 2026. The opening day itself is not counted.

    Raises:
        OverflowError: the year cannot be written.
    Source: Code de procédure civile, article 641; Code civil, articles 2228 and 2229.
    """
    year = day.year + years
    if year > _LAST_YEAR:
        raise OverflowError(f"year {year}")
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def in_french(day: date) -> str:
    """``"1er mars 2026"``, ``"12 août 2026"``."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {_MONTHS[day.month - 1]} {day.year}"
