"""A tool that the application asks the assistant to call with the customer's next words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chat.simulator.request import ChatRequest
from chat.simulator.words import folded, whole_words

_NAMED = re.compile(r"Appelle (\w+)")
_MISSING = re.compile(r"Il manque : (\w+)")
#: What an answer to a question of ours may look like by itself.
_ANSWERS = {
    *("other", "yes", "no", "order", "product", "details", "address", "introduction", "delivery"),
    *("damage", "danger", "photos", "off_topic", "door"),
}
#: "Je n'ai plus le numéro", "aucune idée".
_NOT_AT_HAND = whole_words(
    r"(?:pas|plus|aucune?|sans|perdu|jete) (?:de |d'|le |la |mon |ma |ce |cette )?"
    r"(?:numero|facture|commande|date|bon|ticket|idee)s?",
    r"ne (?:l'ai|le trouve|les? ai|sais|retrouve|connais|me souviens) (?:pas|plus)",
    r"(?:je|j') ?(?:sais|ai) (?:pas|plus)|(?:l'ai|ai) perdue?|introuvables?",
)


@dataclass(frozen=True, slots=True)
class Pending:
    """``missing``: the name of what was asked for last, or ""."""

    tool: str
    missing: str


def pending_in(request: ChatRequest) -> Pending | None:
    """Return what a system message wants called, if that tool is offered."""
    offered = {tool.name for tool in request.tools}
    for turn in reversed(request.turns):
        named = _NAMED.search(turn.text) if turn.role == "system" else None
        if named and named[1] in offered:
            missing = _MISSING.search(turn.text)
            return Pending(named[1], missing[1] if missing else "")
    return None


def is_answer(intent: str, said: Sequence[str]) -> bool:
    """Whether the last words answer a question rather than ask another thing."""
    return bool(said) and intent in _ANSWERS and "?" not in said[-1]


def is_not_at_hand(text: str) -> bool:
    """Whether the customer does not have what was asked for."""
    return _NOT_AT_HAND.search(folded(text)) is not None
