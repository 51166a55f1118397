"""Moments, sizes and states as the staff read them. Pure."""

from __future__ import annotations

from datetime import datetime

from chat.conversations.store.adviser_store import ConversationState, Row

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400

LANGUAGES = {
    "fr": "français",
    "en": "anglais",
    "de": "allemand",
    "it": "italien",
    "ar": "arabe",
}

#: What a filter calls each state; a badge says it of one conversation.
STATES = {
    ConversationState.ASKED: "Attend un conseiller",
    ConversationState.HELD: "Tenue par un conseiller",
    ConversationState.ANSWERING: "L’assistant répond",
    ConversationState.INTERRUPTED: "Interrompue",
    ConversationState.IDLE: "En attente du client",
}


def lasting(seconds: float) -> str:
    """``"42 s"``, ``"5 min"``, ``"2 h 05"``, ``"3 j"``: no more than a reader needs."""
    whole = max(0, int(seconds))
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min"
    if whole < 2 * DAY_S:
        hours, rest = divmod(whole, HOUR_S)
        minutes = rest // MINUTE_S
        return f"{hours} h {minutes:02}" if minutes else f"{hours} h"
    return f"{whole // DAY_S} j"


def ago(moment: datetime, at: datetime) -> str:
    """``"à l’instant"``, ``"il y a 5 min"``; clocks that differ a little never say the future."""
    seconds = (at - moment).total_seconds()
    return "à l’instant" if seconds < 2 else f"il y a {lasting(seconds)}"


def left(moment: datetime, at: datetime) -> str:
    """How long until ``moment``: ``"23 h 12"``, or ``"expirée"``."""
    seconds = (moment - at).total_seconds()
    return lasting(seconds) if seconds > 0 else "expirée"


def size(count: int) -> str:
    """``"812 o"``, ``"1,2 ko"``, ``"3,4 Mo"``."""
    if count < 1000:
        return f"{count} o"
    amount, unit = (count / 1000, "ko") if count < 1_000_000 else (count / 1_000_000, "Mo")
    return f"{amount:.1f} {unit}".replace(".", ",")


def language(code: str) -> str:
    return LANGUAGES.get(code, code or "inconnue")


def badge(row: Row, at: datetime) -> str:
    """What the list says that this conversation waits for."""
    if row.state is ConversationState.ASKED:
        since = f" depuis {lasting((at - row.asked_at).total_seconds())}" if row.asked_at else ""
        return f"attend un conseiller{since}"
    if row.state is ConversationState.HELD:
        return f"tenue par {row.adviser}"
    words = {
        ConversationState.ANSWERING: "répond",
        ConversationState.INTERRUPTED: "interrompue",
        ConversationState.IDLE: "en attente",
    }
    return words[row.state]


def milliseconds(count: int | float | None) -> str:
    """``"340 ms"``, ``"2,1 s"``, or ``"—"`` when unknown."""
    if count is None:
        return "—"
    if count < 1000:
        return f"{round(count)} ms"
    return f"{count / 1000:.1f} s".replace(".", ",")
