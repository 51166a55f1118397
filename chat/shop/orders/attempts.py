"""Limits on wrong proofs for orders and tickets, counted across all workers.

``address``: of the client; "" if unknown (an API client, or a question resumed from another
worker).

Counted in Redis and in this process, so that each worker still counts while Redis is unavailable. A
wrong proof counts for its conversation, its network, the order number and the proof itself; a wrong
postcode also for the whole shop. ``docs/security.md`` computes what remains possible by guessing.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable
from weakref import WeakValueDictionary

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour

from chat.core.client_address import network_prefix
from chat.core.rate_limits import COUNTER, MemoryCounter, RedisCounter, hashed
from chat.core.runtime import LoopPart, Part
from chat.shop.orders.proof import is_email

#: Wrong proofs per conversation. One call may carry several, so the last may exceed it by three.
PER_SESSION = RateLimitItemPerHour(5, namespace="order-session")
#: Wrong proofs per address, so that a new cookie does not allow new guesses.
PER_NETWORK = RateLimitItemPerDay(20, namespace="order-network")
#: Wrong proofs per /24 (IPv4) or /48 (IPv6), since one line may have many addresses.
PER_WIDE_NETWORK = RateLimitItemPerDay(60, namespace="order-wide-network")
#: Wrong proofs per order number in all conversations, whether or not the number exists.
PER_NUMBER = RateLimitItemPerDay(20, namespace="order-number")
#: Wrong numbers per proof, so that a known e-mail cannot be tried with all numbers.
PER_PROOF = RateLimitItemPerDay(20, namespace="order-proof")
#: Wrong postcodes of all clients; beyond it an e-mail is required until the next day.
POSTCODES = RateLimitItemPerDay(500, namespace="order-postcodes")
#: A repeated guess in one conversation counts once, since it reveals nothing new.
_SAME = RateLimitItemPerHour(1, namespace="order-same")

#: Wrong proofs counted by this worker alone.
TRIES_COUNTER: Part[MemoryCounter] = Part("counter of tries", MemoryCounter)
ORDER_LOCKS: LoopPart[WeakValueDictionary[str, asyncio.Lock]] = LoopPart(
    "locks of orders", WeakValueDictionary
)


def one_at_a_time(session_id: str, address: str) -> asyncio.Lock:
    """Return the lock of the address, or of the conversation if that is unknown, to be held from
    checking the limits to counting the attempt.
    """
    key = network_prefix(address) or session_id
    return ORDER_LOCKS.get().setdefault(key, asyncio.Lock())


async def wait_before_trying(
    session_id: str, number: str, guesses: Iterable[str], address: str
) -> int:
    """Return 0 if these proofs may be tried for this number, else the seconds to wait.

    ``guesses``: from ``proof.counted_proof``.
    """
    bounds = {bound for guess in guesses for bound in _bounds(session_id, number, guess, address)}
    asked = [
        counter.retry_after_s(item, key, count=False)
        for counter in _counters()
        for item, key in bounds or _bounds(session_id, number, "", address)
    ]
    return max(await asyncio.gather(*asked))


async def note_wrong(session_id: str, number: str, guesses: Iterable[str], address: str) -> None:
    """Count each wrong proof, unless this conversation already tried it for this number."""
    for guess in guesses:
        same = hashed("\n".join((session_id, number, guess)))
        for counter in _counters():
            if await counter.retry_after_s(_SAME, same) == 0:
                bounds = _bounds(session_id, number, guess, address)
                await asyncio.gather(*(counter.retry_after_s(item, key) for item, key in bounds))


def _bounds(
    session_id: str, number: str, guess: str, address: str
) -> set[tuple[RateLimitItem, str]]:
    bounds: set[tuple[RateLimitItem, str]] = {
        (PER_SESSION, hashed(session_id)),
        (PER_NUMBER, hashed(number)),
    }
    if guess:
        bounds.add((PER_PROOF, hashed(guess)))
    if guess and not is_email(guess):
        bounds.add((POSTCODES, "all"))
    if address:
        bounds.add((PER_NETWORK, hashed(network_prefix(address))))
        bounds.add((PER_WIDE_NETWORK, hashed(_wide_network(address))))
    return bounds


def _wide_network(address: str) -> str:
    """Return the /24 of an IPv4 address (``"192.0.2.0/24"``), the /48 of an IPv6 address."""
    try:
        length = 48 if ":" in address else 24
        return str(ipaddress.ip_network((address, length), strict=False))
    except ValueError:
        return address


def _counters() -> tuple[MemoryCounter | RedisCounter, ...]:
    return (COUNTER.get(), TRIES_COUNTER.get())
