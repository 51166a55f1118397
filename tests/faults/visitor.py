"""A customer: what their browser holds, and how a balancer sends its tabs to workers."""

from __future__ import annotations

import random

from tests.faults.client import Tab
from tests.faults.cluster import Cluster, session_id_of
from tests.faults.records import VisitorRecord
from tests.faults.scenario import Script


class Visitor:
    """One customer with several tabs, each at any worker."""

    def __init__(self, name: str, cookies: dict[str, str], script: Script) -> None:
        self.name = name
        self.cookies = cookies
        self.script = script
        self.session_id = session_id_of(cookies)
        self.tabs: list[Tab] = []
        self.record = VisitorRecord(name=name)

    def open_tabs(self, cluster: Cluster, rng: random.Random, first: int) -> None:
        """``first``: which worker the first tab goes to; the others go to the next ones."""
        cookie = f"chat_session={self.cookies['chat_session']}"
        for number, _ in enumerate(self.script):
            own = random.Random(rng.random())  # noqa: S311 - not a secret
            where = _Balancer(cluster, own, first + number)
            self.tabs.append(Tab(f"{self.name}t{number}", cookie, where, own))
        self.record.tabs = [tab.record for tab in self.tabs]


class _Balancer:
    def __init__(self, cluster: Cluster, rng: random.Random, first: int) -> None:
        self._cluster = cluster
        self._rng = rng
        self._first: int | None = first

    def __call__(self) -> str:
        addresses = self._cluster.addresses
        if not addresses:
            return "127.0.0.1:1"
        if self._first is not None:
            first, self._first = self._first, None
            return addresses[first % len(addresses)]
        return self._rng.choice(addresses)
