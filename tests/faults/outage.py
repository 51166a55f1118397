"""What goes wrong for one worker, or at the desk, while Redis is away."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio
import websockets

from tests.faults.answers import question
from tests.faults.cluster import WorkerProcess, get_cookies
from tests.faults.scenario import Strike
from tests.faults.scene import Scene, ask
from tests.faults.unreadable import until_degraded, without_redis

DEGRADED_S = 4
SEEN_S = 8
#: For the grace, the file and the end.
STOPPED_S = 15


async def stop_politely(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Stop a worker whose memory holds what Redis has not; later both come back."""
    cluster = scene.cluster
    async with without_redis(cluster):
        await until_degraded(scene, cluster.running)
        guest = await scene.welcome([victim.address], 3)
        id_ = await ask(guest)
        tab = guest.tabs[0]
        await scene.must("an answer from memory", SEEN_S, tab.until(lambda: tab.has_end(id_)))
        victim.send_signal(signal.SIGTERM)
        await victim.ended(STOPPED_S)
    await cluster.start_worker()
    await scene.witness.see_it_back()


async def cut_off(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Take Redis from one worker; ``settings["how"]``: "cut" or "freeze".

    A conversation that began elsewhere meanwhile comes to this worker, which knows nothing of it.
    """
    async with _one_cut_off(scene, victim, strike.settings["how"]):
        healthy = scene.others(victim)[0]
        guest = await scene.welcome([healthy.address], 3)
        id_ = await ask(guest)
        tab = guest.tabs[0]
        await scene.must("an answer elsewhere", SEEN_S, tab.until(lambda: tab.has_end(id_)))
        guest.stay_at(victim.address)
        tab.cut()
        await asyncio.sleep(strike.lasts_s)
    guest.stay_at("")
    await scene.witness.see_it_back()


async def take_over(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Have an adviser take over an answer that is being written, while something is away.

    ``settings["away"]``: "redis", or from which of the two workers: "writer", "desk".
    """
    desk = scene.others(victim)[0]
    guest = await scene.welcome([victim.address, desk.address], 150)
    id_ = await ask(guest)
    for tab in guest.tabs:
        seen = tab.until(lambda tab=tab: bool(tab.view.draft))  # type: ignore[misc]
        await scene.must("a draft", SEEN_S, seen)
    async with _away(scene, strike.settings["away"], victim, desk):
        status = await scene.cluster.adviser.take_over(desk.address, guest.session_id)
        if status == 200:
            guest.record.taken_over_at = asyncio.get_running_loop().time()
        elif status not in (409, 503):
            scene.record.broken.append(f"taking over {id_} answered {status}")
        await asyncio.sleep(strike.lasts_s)
    await scene.witness.see_it_back()


@asynccontextmanager
async def _away(
    scene: Scene, what: str, writer: WorkerProcess, desk: WorkerProcess
) -> AsyncIterator[None]:
    if what != "redis":
        async with _one_cut_off(scene, {"writer": writer, "desk": desk}[what], "cut"):
            yield
        return
    async with without_redis(scene.cluster):
        yield


@asynccontextmanager
async def _one_cut_off(scene: Scene, worker: WorkerProcess, how: str) -> AsyncIterator[None]:
    assert worker.wire is not None, "the scenario needs wires"
    await (worker.wire.freeze() if how == "freeze" else worker.wire.cut())
    try:
        await scene.must("the worker notices", DEGRADED_S, until_degraded(scene, [worker]))
        yield
    finally:
        await worker.wire.mend()


async def lose_data(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Have Redis forget everything, as an administrator does, or a failover without a replica."""
    async with redis.asyncio.Redis.from_url(scene.cluster.redis.url) as client:
        await client.flushall()


async def crowd(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Write from one address as fast as can be while Redis, which counts, is away.

    ``settings``: "sockets", "messages" of each, "limit" of the address in a minute.
    """
    cluster, settings = scene.cluster, strike.settings
    async with without_redis(cluster):
        await until_degraded(scene, cluster.running)
        writing = [
            _write_much(scene, cluster.running[n % 2], f"crowd{n}", settings["messages"])
            for n in range(settings["sockets"])
        ]
        passed = sum(await asyncio.gather(*writing))
    allowed = settings["limit"] * len(cluster.running)
    if passed > allowed:
        sent = settings["sockets"] * settings["messages"]
        scene.record.broken.append(f"{passed} of {sent} messages passed, of {allowed} allowed")
    await scene.witness.see_it_back()


async def _write_much(scene: Scene, worker: WorkerProcess, mark: str, messages: int) -> int:
    """Return how many were taken."""
    cookies = await get_cookies(scene.cluster.web, worker.address)
    headers = {
        "Cookie": f"chat_session={cookies['chat_session']}",
        "X-Forwarded-For": "198.51.100.7",
    }
    taken = told = 0
    async with websockets.connect(
        f"ws://{worker.address}/ws/chat/", additional_headers=headers, max_size=None, proxy=None
    ) as socket:
        for n in range(messages):
            frame = {
                "type": "message.send",
                "id": f"{mark}n{n}",
                "text": question(f"{mark}n{n}", 1),
            }
            await socket.send(json.dumps(frame))
        while told < messages:
            event = json.loads(await socket.recv())
            taken += event["type"] == "message.accepted"
            told += event["type"] in {"message.accepted", "error"}
    return taken
