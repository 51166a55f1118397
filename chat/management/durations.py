"""Moments and times as an operator writes them. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.utils import timezone

_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "j": 86_400}
_LASTING = re.compile(r"([0-9]{1,6})\s*([a-z]+)")
EXPECTED = "une durée (30m, 24h, 7d) ou une date (2026-11-23, 2026-11-23T09:30)"


def seconds_of(text: str) -> float:
    """``30m``, ``24h``, ``7d``.

    Raises:
        ValueError: it is no such time.
    """
    found = _LASTING.fullmatch(text.strip().lower())
    if found is None or found[2] not in _UNITS_S:
        raise ValueError("une durée comme 30m, 24h ou 7d est attendue")
    return float(int(found[1]) * _UNITS_S[found[2]])


def moment_of(text: str, now: datetime) -> datetime:
    """Such a time before now, or an ISO date or moment, in the shop's time unless it says.

    Raises:
        ValueError: it is neither, or it is to come.
    """
    try:
        moment = now - timedelta(seconds=seconds_of(text))
    except ValueError:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            raise ValueError(f"{EXPECTED} est attendue") from None
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    if moment > now:
        raise ValueError("ce moment est à venir")
    return moment
