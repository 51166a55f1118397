"""Making things go wrong in a cluster, and right again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import redis.asyncio

from tests.faults import addresses, attacks, belongings, outage, poison, unreadable
from tests.faults.client import Tab
from tests.faults.cluster import Cluster, WorkerProcess, session_id_of
from tests.faults.scenario import OF_A_WORKER, OF_REDIS, Strike, What
from tests.faults.scene import Scene

#: With a planted bug, what a story waits for may never come.
STORY_S = 45
#: For the others: two workers, each of which may take its time to stop.
STRIKE_S = 120


class Striker:
    """``tabs``: the clients, who show which worker writes an answer."""

    def __init__(self, scene: Scene, tabs: list[Tab]) -> None:
        self._scene = scene
        self._cluster = scene.cluster
        self._tabs = tabs
        self._witness = scene.witness

    async def strike(self, strike: Strike) -> None:
        """Do it and undo it.

        Raises:
            TimeoutError: it hung.
        """
        async with asyncio.timeout(STRIKE_S):
            await self._strike(strike)

    async def _strike(self, strike: Strike) -> None:
        if strike.what in OF_REDIS:
            async with _REDIS[strike.what](self._cluster):
                watching = self._witness.watch(strike.lasts_s)
                await asyncio.gather(watching, self._cut_later(strike.cut_after_s))
            if strike.lasts_s:  # else the next one strikes while it comes back
                await self._witness.see_it_back()
        elif strike.what in _STORIES:
            telling = _STORIES[strike.what](self._scene, strike, self._answering())
            story = asyncio.create_task(telling, name="story")
            await self._scene.must(f"{strike.what.value}, to its end", STORY_S, _ends(story))
            await _ended(story)
        else:
            await _DOING[strike.what](self, strike, self._answering())

    async def _cut_later(self, after_s: float) -> None:
        if after_s:
            await asyncio.sleep(after_s)
            for tab in self._tabs:
                tab.cut()

    def struck_by(self, strike: Strike) -> list[Tab]:
        """Return those who would be struck now: they wait for an answer, there or anywhere."""
        victim = self._answering() if strike.what in OF_A_WORKER else None
        waiting = (tab for tab in self._tabs if tab.view.waiting)
        return [tab for tab in waiting if victim is None or tab.address == victim.address]

    def _answering(self) -> WorkerProcess:
        """The worker at which most clients see an answer grow."""
        running = [w for w in self._cluster.workers if w.is_running and not w.is_frozen]
        return max(
            running,
            key=lambda worker: sum(
                tab.address == worker.address and bool(tab.view.draft_id) for tab in self._tabs
            ),
        )

    async def kill(self, strike: Strike, victim: WorkerProcess) -> None:
        victim.kill()
        await asyncio.sleep(strike.lasts_s)
        await self._cluster.start_worker()

    async def freeze(self, strike: Strike, victim: WorkerProcess) -> None:
        victim.freeze()
        try:
            await asyncio.sleep(strike.lasts_s)
        finally:
            victim.thaw()

    async def stop(self, strike: Strike, victim: WorkerProcess) -> None:
        """A balancer sends nobody to a worker that is told to stop; its successor is there."""
        await self._cluster.start_worker()
        await self._end_politely(victim)

    async def _end_politely(self, victim: WorkerProcess) -> None:
        victim.send_signal(signal.SIGTERM)
        code = await victim.ended()
        assert code == 0, f"{victim.name} ended with {code}"

    async def hand_over(self, strike: Strike, victim: WorkerProcess) -> None:
        """At once: others are there already to take up what it leaves."""
        its_own = [tab for tab in self._tabs if tab.address == victim.address]
        states = [f"chat:state:{session_id_of(tab.cookies)}" for tab in its_own]
        async with redis.asyncio.Redis.from_url(self._cluster.redis.url) as client:
            held = {state: await client.hget(state, "lease") for state in states}
            await self._end_politely(victim)
            for state, lease in held.items():
                still, until = await client.hmget(state, "lease", "lease_until")
                if lease and still == lease and int(until or 0) > (await client.time())[0] * 1000:
                    self._witness.note(f"{victim.name} ended and kept the lease of {state}")
        assert any(tab.view.waiting for tab in its_own), "every answer ended within the grace"

    async def roll(self, strike: Strike, victim: WorkerProcess) -> None:
        for worker in [w for w in self._cluster.workers if w.is_running]:
            await self.stop(strike, worker)

    async def crash(self, strike: Strike, victim: WorkerProcess) -> None:
        """Replace the workers that were made to die as soon as they have."""
        dying = [worker for worker in self._cluster.workers if worker.dies]
        await asyncio.gather(*map(self._replace, dying))

    async def _replace(self, dying: WorkerProcess) -> None:
        await dying.ended()
        await self._cluster.start_worker()

    async def reconnect(self, strike: Strike, victim: WorkerProcess) -> None:
        for tab in self._tabs:
            tab.cut()

    async def model(self, strike: Strike, victim: WorkerProcess) -> None:
        self._cluster.assistant.faults.add(**strike.settings)

    async def slow(self, strike: Strike, victim: WorkerProcess) -> None:
        await attacks.never_read(self._cluster, victim, **strike.settings)

    async def flood(self, strike: Strike, victim: WorkerProcess) -> None:
        await attacks.flood(self._cluster, victim, **strike.settings)

    async def bombs(self, strike: Strike, victim: WorkerProcess) -> None:
        await attacks.throw_bombs(self._cluster, victim)


async def _ends(story: asyncio.Task[None]) -> None:
    await asyncio.wait({story})


async def _ended(story: asyncio.Task[None]) -> None:
    """Have it put right what it did, if it was cut short.

    Raises:
        Exception: what went wrong in it.
    """
    story.cancel()
    await asyncio.wait({story})
    if not story.cancelled():
        story.result()


@asynccontextmanager
async def _redis_killed(cluster: Cluster) -> AsyncIterator[None]:
    await asyncio.to_thread(cluster.redis.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(cluster.redis.start)


@asynccontextmanager
async def _redis_frozen(cluster: Cluster) -> AsyncIterator[None]:
    cluster.redis.freeze()
    try:
        yield
    finally:
        cluster.redis.thaw()


@asynccontextmanager
async def _redis_not_there_yet(cluster: Cluster) -> AsyncIterator[None]:
    yield
    await asyncio.to_thread(cluster.redis.start)


def _redis_told(first: str, last: str) -> Callable[[Cluster], AbstractAsyncContextManager[None]]:
    """Have Redis obey the first command, and the last one afterwards."""

    @asynccontextmanager
    async def told(cluster: Cluster) -> AsyncIterator[None]:
        async with redis.asyncio.Redis.from_url(cluster.redis.url) as client:
            await client.execute_command(*first.split())  # type: ignore[no-untyped-call]
            yield
            await client.execute_command(*last.split())  # type: ignore[no-untyped-call]

    return told


_DOING: dict[What, Callable[[Striker, Strike, WorkerProcess], Awaitable[None]]] = {
    What.KILL: Striker.kill,
    What.FREEZE: Striker.freeze,
    What.TERM: Striker.stop,
    What.HAND_OVER: Striker.hand_over,
    What.ROLL: Striker.roll,
    What.CRASH: Striker.crash,
    What.RECONNECT: Striker.reconnect,
    What.MODEL: Striker.model,
    What.SLOW: Striker.slow,
    What.FLOOD: Striker.flood,
    What.BOMBS: Striker.bombs,
}
_STORIES: dict[What, Callable[[Scene, Strike, WorkerProcess], Coroutine[Any, Any, None]]] = {
    What.FATAL: poison.ask_fatal,
    What.SLOW_TEXT: poison.write_slow_text,
    What.UNREADABLE: unreadable.in_the_sweep,
    What.UNREADABLE_BACK: unreadable.in_give_back,
    What.STRANGE: unreadable.on_the_channel,
    What.STOP_AWAY: outage.stop_politely,
    What.CUT_OFF: outage.cut_off,
    What.TAKE_OVER: outage.take_over,
    What.ERASE_BUSY: belongings.erase_while_busy,
    What.FLUSH: outage.lose_data,
    What.CROWD: outage.crowd,
    What.SECRETS: addresses.send_secrets,
}
_REDIS: dict[What, Callable[[Cluster], AbstractAsyncContextManager[None]]] = {
    What.REDIS_KILL: _redis_killed,
    What.REDIS_FREEZE: _redis_frozen,
    What.REDIS_LATE: _redis_not_there_yet,
    What.REDIS_FULL: _redis_told("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
    What.REDIS_REPLICA: _redis_told("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    What.REDIS_ALONE: _redis_told(
        "CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"
    ),
}
