"""Moments of a ticket as customers and advisers read them, in the shop's time. Pure."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format

from chat.shop import PARIS
from chat.tickets.cards import in_french

#: Never the end of a line.
HARD = "\u00a0"


def full_moment(when: datetime) -> str:
    """``"vendredi 27 novembre 2026 à 13 h"``, ``"… à 9 h 05"``."""
    local = when.astimezone(PARIS)
    minutes = f"{HARD}{local.minute:02d}" if local.minute else ""
    day = f"{date_format(local, 'l')} {in_french(local.date())}"
    return f"{day} à {local.hour}{HARD}h{minutes}"
