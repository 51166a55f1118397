"""French formatting of a ticket's timestamps, in the shop's time zone. Pure."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format

from chat.shop.hours import PARIS
from chat.shop.tickets.rules import in_french

#: No-break space.
HARD = "\u00a0"


def full_moment(when: datetime) -> str:
    """Format a timestamp: ``"vendredi 27 novembre 2026 à 13 h"``, ``"… à 9 h 05"``."""
    local = when.astimezone(PARIS)
    minutes = f"{HARD}{local.minute:02d}" if local.minute else ""
    day = f"{date_format(local, 'l')} {in_french(local.date())}"
    return f"{day} à {local.hour}{HARD}h{minutes}"
