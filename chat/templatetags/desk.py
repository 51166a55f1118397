"""Words of the desk's pages."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()

_WORDS = {
    "ended": "close",
    "asked": "attend un conseiller",
    "answering": "répond",
    "interrupted": "interrompue",
    "idle": "en attente",
}


@register.filter
def state_words(facts: dict[str, Any]) -> str:
    """The badge of a session: ``"tenue par Claire"``."""
    if facts["state"] == "held":
        return f"tenue par {facts['speaker']}"
    return _WORDS[facts["state"]]
