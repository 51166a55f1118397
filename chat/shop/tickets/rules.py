"""Types for a rule of guarantee or law: label, source, whether it applies, last day. Pure."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
#: Maximum year of a ``date``.
_LAST_YEAR = 9999


class Applies(StrEnum):
    """Whether a rule applies. ``UNKNOWN``: it depends on a missing fact."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedRule:
    """Rule evaluated at one date. ``label``, ``source`` and ``why`` are French.

    ``rule``: stable name, e.g. ``"commercial.fabric"``. ``ends_on``: last day on which it applies,
    inclusive, Paris time; None for no end or an unknown one.
    """

    rule: str
    label: str
    source: str
    ends_on: date | None
    applies: Applies
    why: str


def years_after(day: date, years: int) -> date:
    """Return the last day of a period of calendar years that starts on ``day``.

    It has the same day and month, or is the last day of a shorter month: two years from 29 February
    2024 end on 28 February 2026. The first day itself is not counted.

    Raises:
        OverflowError: the year exceeds the range of ``date``.
    Source: Code de procédure civile, article 641; Code civil, articles 2228 and 2229.
    """
    year = day.year + years
    if year > _LAST_YEAR:
        raise OverflowError(f"year {year}")
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def in_french(day: date) -> str:
    """Format a date: ``"1er mars 2026"``, ``"12 août 2026"``."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {_MONTHS[day.month - 1]} {day.year}"
