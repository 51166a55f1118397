"""French formatting of numbers, sizes, durations and dates in reports. Pure."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

#: Narrow no-break space, between thousands.
THIN = "\u202f"
#: No-break space, before a unit.
HARD = "\u00a0"


def number(value: int) -> str:
    """Format an integer: ``12 345``."""
    return f"{value:,}".replace(",", THIN)


def size(value: int) -> str:
    """Format a size in bytes: ``512 o``, ``1,4 ko``, ``12 Mo``. 1000 bytes are one ko."""
    amount = float(value)
    for unit in ("o", "ko", "Mo", "Go"):
        if amount < 1000 or unit == "Go":
            break
        amount /= 1000
    digits = 0 if round(amount, 1) >= 10 or round(amount, 1).is_integer() else 1
    return f"{amount:.{digits}f}".replace(".", ",") + HARD + unit


def lasting(seconds: float) -> str:
    """Format a duration: ``45 s``, ``12 min``, ``3 h``, ``3 h 05``, ``2 j 4 h``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}{HARD}s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes}{HARD}min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}{HARD}h" + (f"{HARD}{minutes:02d}" if minutes else "")
    days, hours = divmod(hours, 24)
    return f"{days}{HARD}j" + (f"{HARD}{hours}{HARD}h" if hours else "")


def moment(when: datetime) -> str:
    """Format a date and time: ``23/11/2026 09:30``, in the shop's time zone."""
    return f"{timezone.localtime(when):%d/%m/%Y %H:%M}"


def full_moment(when: datetime) -> str:
    """Format a date and time in words: ``lundi 23 novembre 2026 à 9 h 30``."""
    local = timezone.localtime(when)
    return f"{date_format(local, 'l j F Y')} à {local.hour}{HARD}h{HARD}{local.minute:02d}"


def plural(count: int, one: str, several: str) -> str:
    """Format a count with its noun: ``1 conversation``, ``0 conversation``, ``2 conversations``."""
    return f"{number(count)} {several if count > 1 else one}"
