"""How often an order may be asked for with a wrong proof, counted by all workers together.

Counted in Redis and in this process as well: while Redis is away each worker still counts. The
limits by address stand at the doors (``chat/limits.py``), as a turn does not know whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from limits import RateLimitItemPerDay, RateLimitItemPerHour

from chat.limits import MemoryCounter, RedisCounter, default_counter, hashed

#: Wrong proofs of one conversation. One call may carry a few, so the last may go over by three.
PER_SESSION = RateLimitItemPerHour(5, namespace="order-session")
#: Wrong proofs for one number, in all conversations: a new cookie gives no new guesses. It holds
#: for numbers that do not exist too.
PER_NUMBER = RateLimitItemPerDay(20, namespace="order-number")
#: The same guess again in the same conversation tells nothing new, and is counted once.
_SAME = RateLimitItemPerHour(1, namespace="order-same")


async def wait_before_trying(session_id: str, number: str) -> int:
    """Return 0 when this conversation may try a proof for this number, else seconds to wait."""
    waits = [
        await counter.retry_after_s(item, key, count=False)
        for counter in _counters()
        for item, key in ((PER_SESSION, hashed(session_id)), (PER_NUMBER, hashed(number)))
    ]
    return max(waits)


async def note_wrong(session_id: str, number: str, proofs: Iterable[str]) -> None:
    """Count each proof that was wrong, unless this conversation tried it for this number."""
    for proof in proofs:
        guess = hashed("\n".join((session_id, number, proof)))
        for counter in _counters():
            if await counter.retry_after_s(_SAME, guess) == 0:
                await counter.retry_after_s(PER_SESSION, hashed(session_id))
                await counter.retry_after_s(PER_NUMBER, hashed(number))


def _counters() -> tuple[MemoryCounter | RedisCounter, ...]:
    return (default_counter(), own_counter())


@cache
def own_counter() -> MemoryCounter:
    """What this process counts by itself."""
    return MemoryCounter()
