"""Who plays in the tests of the desk, and what they say."""

from __future__ import annotations

from chat.conversations.store.adviser_store import Adviser
from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import Store
from chat.conversations.store.redis.store import RedisStore
from chat.conversations.types import Author, Message
from chat.core.clock import seconds
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


async def leave_without_a_word(
    store: MemoryStore | RedisStore, session_id: str = JEAN, by: Adviser = CLAIRE
) -> None:
    """Have the hold of this adviser lapse now."""
    if isinstance(store, MemoryStore):
        record = store.record(session_id)
        assert record is not None
        assert record.adviser_id == by.id
        record.hold_until = seconds()
        return
    impatient = RedisStore(store._link, 86_400, assignment_s=0.0)  # on the same conversations
    assert await impatient.renew_assignment(session_id, by.id)
