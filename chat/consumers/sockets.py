"""How many sockets are open in this process, and for whom."""

from __future__ import annotations

from collections import Counter

from django.conf import settings

from chat import metrics
from chat.addresses import neighbourhood

_by_visitor: Counter[str] = Counter()
_by_address: Counter[str] = Counter()


class Place:
    """One socket's place among those of its visitor and of its address, once taken."""

    def __init__(self, visitor: str, address: str) -> None:
        self._visitor = visitor
        self._address = neighbourhood(address)
        self._taken = False

    def take(self) -> bool:
        """Return whether there was a place."""
        env = settings.ENV
        if (
            _by_visitor[self._visitor] >= env.sockets_per_visitor
            or _by_address[self._address] >= env.sockets_per_address
        ):
            return False
        _by_visitor[self._visitor] += 1
        _by_address[self._address] += 1
        self._taken = True
        metrics.sockets_open.inc()
        return True

    def leave(self) -> None:
        """Give the place back; nothing when none was taken."""
        if not self._taken:
            return
        self._taken = False
        metrics.sockets_open.dec()
        for counter, key in ((_by_visitor, self._visitor), (_by_address, self._address)):
            counter[key] -= 1
            if not counter[key]:
                del counter[key]
