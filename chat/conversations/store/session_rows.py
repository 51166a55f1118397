"""What the list of conversations tells of each, and how words are looked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chat.conversations.store.adviser_store import ConversationState, Listing, SortOrder
from chat.conversations.types import Author, End, Message, Outcome
from chat.core.text import language_of, normalized, tells_language

#: What is dropped or written otherwise, once letters stand apart from their accents. Plain
#: replacements: ``translate`` and a pattern take ten times as long, and 50 ms for a long document.
_REWRITTEN = {"œ": "oe", "æ": "ae", "’": "'"} | dict.fromkeys("\u0300\u0301\u0302\u0303\u0308", "")
_REWRITTEN |= dict.fromkeys("\u030a\u030c\u0327", "")
_CUT = (End.INTERRUPTED, End.FAILED)


def language_after(known: str, text: str) -> str:
    """Return the language of a conversation after these words of its customer."""
    return known if known and not tells_language(text) else language_of(text)


def language_in(messages: Sequence[Message]) -> str:
    """Return the language of a conversation of which only the transcript is known, or ""."""
    said = [message.text for message in messages if message.author is Author.CUSTOMER]
    telling = next((text for text in reversed(said) if tells_language(text)), None)
    return language_of(telling or said[-1]) if said else ""


def is_cut(outcome: Outcome | None) -> bool:
    """Whether an answer ended by no will of anybody."""
    return outcome is not None and outcome.end in _CUT


def fold(text: str) -> str:
    """Without case and accents: ``"Cœur d'Été"`` is ``"coeur d'ete"``."""
    apart = normalized("NFD", text.casefold())
    for written, plain in _REWRITTEN.items():
        apart = apart.replace(written, plain)
    return apart


def folded(words: Iterable[str]) -> list[str]:
    return [word for word in (fold(word).strip() for word in words) if word]


def has_words(texts: Iterable[str], words: Iterable[str]) -> bool:
    """Whether all these words, folded before, are somewhere in the texts."""
    everything = fold("\n".join(texts))
    return all(word in everything for word in words)


def chosen_states(listing: Listing) -> frozenset[ConversationState]:
    """Return the states that a listing leaves: who speaks follows from the state."""
    states = frozenset(ConversationState) if listing.state is None else frozenset({listing.state})
    if listing.speaker == "adviser":
        return states & {ConversationState.HELD}
    return states - {ConversationState.HELD} if listing.speaker == "assistant" else states


def is_by_beginning(order: SortOrder) -> bool:
    return order in (SortOrder.BEGAN, SortOrder.BEGAN_FIRST)


def is_descending(order: SortOrder) -> bool:
    return order in (SortOrder.NEWEST, SortOrder.BEGAN)
