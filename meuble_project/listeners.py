"""Connections of the channel layer that leave a master which is no longer one.

A listener only reads. When the master freezes instead of dying, nothing tells the listener: it
would go on hearing nobody until that server wakes up, while everybody speaks at the next one.
"""

from __future__ import annotations

from redis.asyncio.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection


class _Leaving(SentinelManagedConnection):
    """Once it is connected to a master, ends those of its pool that are connected elsewhere.

    They connect again by themselves, where the sentinels say. Whoever speaks notices a frozen
    master, because it waits for an answer: that one connects anew, and so wakes the listeners.
    """

    async def connect_to(self, address: tuple[str, int]) -> None:
        await super().connect_to(address)  # type: ignore[no-untyped-call]
        for other in list(self.connection_pool._in_use_connections):
            if other.is_connected and (other.host, other.port) != address:
                await other.disconnect(nowait=True)


class PlainConnection(_Leaving):
    pass


class TLSConnection(_Leaving, SentinelManagedSSLConnection):
    pass
