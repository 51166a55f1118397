"""How many sockets are open in this process, and for whom."""

from __future__ import annotations

from collections import Counter

from django.conf import settings

from chat.core import metrics
from chat.core.client_address import neighbourhood
from chat.core.runtime import Part


class SocketSlots:
    """The sockets that are open in one worker, counted by visitor and by network."""

    def __init__(self) -> None:
        self._by_visitor: Counter[str] = Counter()
        self._by_network: Counter[str] = Counter()

    def take(self, visitor: str, network: str) -> bool:
        """Count one more. Return whether there was a place."""
        env = settings.ENV
        if (
            self._by_visitor[visitor] >= env.sockets_per_visitor
            or self._by_network[network] >= env.sockets_per_address
        ):
            return False
        self._by_visitor[visitor] += 1
        self._by_network[network] += 1
        return True

    def give_back(self, visitor: str, network: str) -> None:
        """Count one less."""
        for counter, key in ((self._by_visitor, visitor), (self._by_network, network)):
            counter[key] -= 1
            if not counter[key]:
                del counter[key]


#: The open sockets of this worker.
SOCKET_SLOTS: Part[SocketSlots] = Part("socket slots", SocketSlots)


class Place:
    """One socket's place among those of its visitor and of its address, once taken."""

    def __init__(self, visitor: str, address: str) -> None:
        self._visitor = visitor
        self._network = neighbourhood(address)
        #: Where the place was taken: there it is given back.
        self._slots: SocketSlots | None = None

    def take(self) -> bool:
        """Return whether there was a place."""
        slots = SOCKET_SLOTS.get()
        if not slots.take(self._visitor, self._network):
            return False
        self._slots = slots
        metrics.sockets_open.inc()
        return True

    def leave(self) -> None:
        """Give the place back; nothing when none was taken."""
        if self._slots is None:
            return
        self._slots.give_back(self._visitor, self._network)
        self._slots = None
        metrics.sockets_open.dec()
