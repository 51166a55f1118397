"""Opening hours and public holidays of the shop. Pure.

Source: the shop's rules (commercial guarantee, law); the hours are those of a demonstration shop.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from chat.core import clock

PARIS = ZoneInfo("Europe/Paris")
#: By weekday, Monday first: opening and closing, or None. Closed on French public holidays.
OPENING: tuple[tuple[time, time] | None, ...] = (
    *[(time(10), time(19))] * 6,
    None,
)
DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


@lru_cache(maxsize=8)
def _public_holidays(year: int) -> dict[date, str]:
    return dict(holidays.country_holidays("FR", years=year, language="fr"))


def prepare() -> None:
    """Load the calendar of public holidays (0.1 to 0.5 s of imports) before its first use.

    Thread-safe, so that an event loop need not wait for it.
    """
    this_year = clock.now().astimezone(PARIS).year
    for year in (this_year, this_year + 1):
        _public_holidays(year)


def hours_of(day: date) -> tuple[time, time] | None:
    """Return opening and closing time of a day, None when the shop stays closed."""
    if day in _public_holidays(day.year):
        return None
    return OPENING[day.weekday()]


def holiday_of(day: date) -> str:
    """Return the French name of the public holiday on a day, or ""."""
    return _public_holidays(day.year).get(day, "")


def is_open(moment: datetime) -> bool:
    """Return whether the shop is open at an aware moment."""
    here = moment.astimezone(PARIS)
    hours = hours_of(here.date())
    return hours is not None and hours[0] <= here.time() < hours[1]


def next_opening(moment: datetime) -> datetime:
    """Return ``moment`` if the shop is open then, else the next opening."""
    here = moment.astimezone(PARIS)
    if is_open(here):
        return here
    for ahead in range(15):
        day = here.date() + timedelta(days=ahead)
        hours = hours_of(day)
        if hours is not None:
            opens = datetime.combine(day, hours[0], PARIS)
            if opens >= here:
                return opens
    raise AssertionError("the shop opens at least once a fortnight")
