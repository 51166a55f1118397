"""Who plays in the tests of the desk, and what they say."""

from __future__ import annotations

from typing import Any

from chat.sessions.desk import Adviser
from chat.sessions.store import Store
from chat.sessions.types import Author, Message
from tests.builders import JEAN

CLAIRE = Adviser("7", "Claire")
KARIM = Adviser("8", "Karim")


def announced(id_: str, text: str = "Un conseiller est là.") -> Message:
    return Message(author=Author.SYSTEM, id=id_, text=text)


def spoken(text: str = "Bonjour, c'est Claire.", id_: str = "c1") -> Message:
    return Message(author=Author.ADVISER, id=id_, text=text, name="Claire")


async def take_over(store: Store, session_id: str = JEAN, id_: str = "taken", by=CLAIRE) -> bool:
    _session, taken = await store.take_over(session_id, by, announced(id_))
    return taken


async def hand_back(
    store: Store, session_id: str = JEAN, id_: str = "back", by: str = "7", instruction: str = ""
) -> bool:
    return await store.hand_back(session_id, by, instruction, announced(id_))


async def leave_without_a_word(store: Any, session_id: str = JEAN, by: Adviser = CLAIRE) -> None:
    """Have the hold of this adviser lapse now: the next one that is renewed lasts no time."""
    name, value = ("_hold_s", 0.0) if hasattr(store, "_hold_s") else ("_hold_ms", 0)
    usual = getattr(store, name)
    setattr(store, name, value)
    assert await store.keep_hold(session_id, by.id)
    setattr(store, name, usual)
