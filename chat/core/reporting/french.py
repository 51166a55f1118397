"""Numbers as the French read them. Pure."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from chat.sessions.upkeep import Orphan

#: Between thousands, and before a unit: narrow, and never the end of a line.
THIN = "\u202f"
#: Before a unit of several letters.
HARD = "\u00a0"

#: What is left of a conversation that is no more, as an operator calls it.
KINDS: dict[Orphan, str] = {
    Orphan.INDEX: "entrées d'index sans conversation",
    Orphan.DRAFTS: "brouillons de réponse",
    Orphan.STATES: "états sans fin prévue",
    Orphan.LEASES: "tours de réponse",
    Orphan.ASIDES: "notes du personnel",
    Orphan.REFS: "références sans suite",
}


def number(value: int) -> str:
    """``12 345``."""
    return f"{value:,}".replace(",", THIN)


def size(value: int) -> str:
    """``512 o``, ``1,4 ko``, ``12 Mo``: 1000 bytes are one ko."""
    amount = float(value)
    for unit in ("o", "ko", "Mo", "Go"):
        if amount < 1000 or unit == "Go":
            break
        amount /= 1000
    digits = 0 if round(amount, 1) >= 10 or round(amount, 1).is_integer() else 1
    return f"{amount:.{digits}f}".replace(".", ",") + HARD + unit


def lasting(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h``, ``3 h 05``, ``2 j 4 h``."""
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
    """``23/11/2026 09:30``, in the shop's time."""
    return f"{timezone.localtime(when):%d/%m/%Y %H:%M}"


def full_moment(when: datetime) -> str:
    """``lundi 23 novembre 2026 à 9 h 30``."""
    local = timezone.localtime(when)
    return f"{date_format(local, 'l j F Y')} à {local.hour}{HARD}h{HARD}{local.minute:02d}"


def plural(count: int, one: str, several: str) -> str:
    """``1 conversation``, ``0 conversation``, ``2 conversations``."""
    return f"{number(count)} {several if count > 1 else one}"
