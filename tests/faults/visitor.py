"""A customer: what their browser holds, and how a balancer sends its tabs to workers."""

from __future__ import annotations

import random

from tests.faults.client import Tab
from tests.faults.cluster import Cluster, session_id_of
from tests.faults.records import VisitorRecord
from tests.faults.scenario import Script


class Visitor:
    """One customer with several tabs, each at any worker.

    ``secrets``: what they were given besides, that nobody else may read.
    """

    def __init__(self, name: str, cookies: dict[str, str], script: Script) -> None:
        self.name = name
        self.cookies = cookies
        self.script = script
        self.session_id = session_id_of(cookies)
        self.tabs: list[Tab] = []
        self.record = VisitorRecord(name=name)
        self.secrets: list[str] = []
        self._ways: list[_Balancer] = []

    def open_tabs(self, cluster: Cluster, rng: random.Random, first: int) -> None:
        """``first``: which worker the first tab goes to; the others go to the next ones."""
        for number, _ in enumerate(self.script):
            addresses = cluster.addresses
            self.open_tab(cluster, rng, addresses[(first + number) % len(addresses)])

    def open_tab(self, cluster: Cluster, rng: random.Random, address: str) -> Tab:
        """Open one more, at this worker first."""
        cookie = f"chat_session={self.cookies['chat_session']}"
        own = random.Random(rng.random())  # noqa: S311 - not a secret
        way = _Balancer(cluster, own, address)
        tab = Tab(f"{self.name}t{len(self.tabs)}", cookie, way, own)
        self._ways.append(way)
        self.tabs.append(tab)
        self.record.tabs = [tab.record for tab in self.tabs]
        return tab

    def stay_at(self, address: str) -> None:
        """Have all tabs come to this worker only, from their next connection on; "": to any."""
        for way in self._ways:
            way.only = address


class _Balancer:
    def __init__(self, cluster: Cluster, rng: random.Random, first: str) -> None:
        self._cluster = cluster
        self._rng = rng
        self._first = first
        self.only = ""

    def __call__(self) -> str:
        addresses = self._cluster.addresses
        if self.only:
            return self.only
        if not addresses:
            return "127.0.0.1:1"
        first, self._first = self._first, ""
        return first or self._rng.choice(addresses)
