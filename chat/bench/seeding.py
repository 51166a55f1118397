"""Sessions in Redis, many and quickly: one is made by the store itself, the others are its copies.

``seed.lua`` writes them inside Redis, a thousand a call: a million take half a minute, where the
store's own calls would take ten.
"""

from __future__ import annotations

from pathlib import Path

import redis

from chat.sessions.redis_link import RedisLink
from chat.sessions.redis_scripts import scripts
from chat.sessions.redis_store import RedisStore
from chat.sessions.store import WEB_OWNER
from chat.sessions.types import Author, End, Message, Outcome, new_id, ref_of

_SEED = Path(__file__).with_name("seed.lua").read_text()
BATCH = 1000
TTL_S = 86_400
QUESTION = "Quels meubles pour un petit salon ?"
ANSWER = "Pour un petit salon, mieux vaut choisir des meubles simples et clairs."


def store_on(client: redis.Redis) -> RedisStore:
    """The store, outside of Django's connections. Close ``_link`` by ``close_store``."""
    return RedisStore(RedisLink(lambda: client, scripts()), TTL_S)


def close_store(store: RedisStore) -> None:
    store._link.close()


async def say(store: RedisStore, session_id: str, text: str = ANSWER) -> None:
    """Have a question asked and answered in this session, by the store's own calls."""
    question = Message(author=Author.CUSTOMER, text=QUESTION)
    await store.accept(session_id, WEB_OWNER, question, create="always")
    claim = await store.claim(session_id, [question.id], new_id())
    assert claim.lease is not None, "nobody else answers here"  # nosec B101
    answer = Message(
        id=claim.lease.answer_id, author=Author.ASSISTANT, text=text, reply_to=question.id
    )
    await store.finish(claim.lease, Outcome(end=End.DONE, answer_id=answer.id), answer)


def copies(client: redis.Redis, sample_id: str, first: int, last: int) -> None:
    """Write the sample again as sessions number ``first`` to ``last`` (not included)."""
    seed = client.register_script(_SEED)
    for begin in range(first, last, BATCH):
        ids = [f"seed-{n:09d}" for n in range(begin, min(last, begin + BATCH))]
        pairs = [part for id_ in ids for part in (id_, ref_of(id_))]
        seed(
            keys=[f"session:{sample_id}", f"chat:state:{sample_id}"],
            args=[sample_id, TTL_S * 1000, begin, *pairs],
        )
