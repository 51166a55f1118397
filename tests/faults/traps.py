"""Questions that a worker does not survive: it stands still, or dies, whenever it answers one.

A worker can be made to do so by a text that some code of ours, or of a library, is slow or fails
at. Here it is the first draft of the answer that is never kept, or the whole answer where it comes
before the first draft, so the model was asked by then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from django_redis import get_redis_connection

from chat.conversations.store.protocol import Lease
from chat.conversations.store.redis.store import RedisStore

#: How often a worker that stands still looks whether the question was taken from it.
LOOK_S = 0.1
#: What the question has to contain.
WORDS = {"freeze": "fige", "die": "tue"}


def freeze(lease: Lease) -> None:
    """Stand still until another worker has taken the question up, or ended it.

    No fixed time would do: while the other workers are dead and their successors start, nobody
    takes it, and a worker that wakes before that rightly goes on under its lease.
    """
    redis = get_redis_connection("default")
    while redis.hget(f"chat:state:{lease.session.id}", "lease") == lease.token.encode():
        time.sleep(LOOK_S)


def die(_: Lease) -> None:
    """End, as ``kill -9`` would have it."""
    os._exit(137)


Trap = tuple[str, Callable[[Lease], None]]

TRAPS: dict[str, Trap] = {"freeze": (WORDS["freeze"], freeze), "die": (WORDS["die"], die)}


def trap(trapped: Trap) -> None:
    """Have this process walk into it at every such question."""
    word, spring = trapped

    def sprung(method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(self: RedisStore, lease: Lease, *arguments: Any, **options: Any) -> Any:
            question = next(m for m in lease.session.messages if m.id == lease.question_id)
            if word in question.text:
                spring(lease)
            return await method(self, lease, *arguments, **options)

        return call

    for name in ("write", "finish"):
        setattr(RedisStore, name, sprung(getattr(RedisStore, name)))
