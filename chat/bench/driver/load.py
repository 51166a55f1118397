"""The jobs: conversations, requests, bursts, idle sockets."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from chat.bench.driver.meter import Meter, Script, Usage, clock
from chat.bench.driver.wire import PATIENCE_S, Connection, Failed, Socket

Job = dict[str, Any]
QUESTION = "Quels meubles pour un petit salon ?"
#: Afterwards a customer begins another conversation: 6 messages are in one.
TURNS_OF_ONE = 3
#: Sockets that are opened at once: a handshake takes a worker a millisecond.
OPENING = 50

SEEN = ("chars", "turns", "failures", "first_ms", "token_ms", "last_ms")

_idle: list[Socket] = []


async def stream(job: Job) -> Job:
    """Hold conversations for a time: each asks as soon as it was answered.

    Who begins together is answered together: nothing counts until each had one answer, and then
    as long as it takes to answer each once more, ``seconds`` at least, so that whole waves count.

    ``url``, ``path``, ``headers``, ``conversations``, ``ramp_s``, ``seconds``, ``script``,
    ``detailed``, ``pids``; ``wave_max_s``: no wave is waited for longer; ``drain``: whether answers
    under way are waited for; ``cookies``: through WebSockets of these visitors.
    """
    meter = Meter(Script(*_script(job)), job["detailed"])
    usage = Usage(job["pids"])
    talk = _talk_by_socket if job.get("cookies") else _talk_by_http
    tasks = [
        asyncio.create_task(talk(job, n, meter, job["ramp_s"] * n / job["conversations"]))
        for n in range(job["conversations"])
    ]
    await meter.reach(job["conversations"], job["wave_max_s"])
    usage.begin()
    meter.begin = clock()
    goal = meter.ended + job["conversations"]
    await asyncio.sleep(job["seconds"])
    await meter.reach(goal, job["wave_max_s"])
    meter.end = clock()
    usage.end()
    if not job["drain"]:
        for task in tasks:
            task.cancel()
    await asyncio.wait(tasks, timeout=PATIENCE_S)
    seen = {name: getattr(meter, name) for name in SEEN}
    return usage.to_json() | seen


async def turns(job: Job) -> Job:
    """Ask so many questions, over so many connections, as fast as they are answered."""
    left = iter(range(job["turns"]))
    meter = Meter(Script(*_script(job)), False, begin=0)

    async def work(n: int) -> None:
        web = Connection(job["url"], job["headers"])
        for turn in left:
            await _one_turn(web, job, f"flat-{turn % 1000}-{uuid.uuid4().hex}", meter)
        web.close()

    await asyncio.gather(*(work(n) for n in range(job["conversations"])))
    return {"turns": meter.turns, "failures": meter.failures}


async def requests(job: Job) -> Job:
    """Ask by whole requests for a time, over so many connections, and until one was answered."""
    took_ms: list[float] = []
    failures: list[str] = []
    usage = Usage(job["pids"])
    end = clock() + job["warm_s"] + job["seconds"]
    begin = clock() + job["warm_s"]

    async def work() -> None:
        web = Connection(job["url"], job["headers"])
        while (asked_at := clock()) < end or not took_ms:
            try:
                await web.whole(job["method"], job["path"], job.get("body"))
            except (Failed, OSError) as error:
                failures.append(str(error))
                web.close()
                return
            if begin <= clock() < end or (not took_ms and clock() >= end):
                took_ms.append((clock() - asked_at) * 1000)
        web.close()

    tasks = [asyncio.create_task(work()) for _ in range(job["concurrent"])]
    await asyncio.sleep(begin - clock())
    usage.begin()
    await asyncio.sleep(end - clock())
    usage.end()
    await asyncio.wait(tasks, timeout=PATIENCE_S)
    return {**usage.to_json(), "took_ms": took_ms, "failures": failures}


async def samples(job: Job) -> Job:
    """Ask by so many requests, one after another; the first one does not count."""
    took_ms: list[float] = []
    web = Connection(job["url"], job["headers"])
    for _ in range(job["samples"] + 1):
        asked_at = clock()
        await web.whole("GET", job["path"])
        took_ms.append((clock() - asked_at) * 1000)
    web.close()
    return {"took_ms": took_ms[1:], "failures": []}


async def burst(job: Job) -> Job:
    """Ask so many at the same moment; tell how long it took until the last had its answer."""
    connections = [Connection(job["url"], job["headers"]) for _ in range(job["concurrent"])]
    began = clock()
    await asyncio.gather(
        *(web.whole("POST", job["path"], job["body"]) for web in connections),
    )
    took_ms = (clock() - began) * 1000
    for web in connections:
        web.close()
    return {"took_ms": [took_ms], "failures": []}


async def idle(job: Job) -> Job:
    """Open a socket for each of these visitors and leave it open until ``release``."""
    opening = asyncio.Semaphore(OPENING)

    async def open_one(cookie: str) -> Socket:
        async with opening:
            socket = await Socket.open(job["url"], cookie)
            await socket.texts()  # its state was sent: the worker has done all it does
            return socket

    _idle.extend(await asyncio.gather(*map(open_one, job["cookies"])))
    return {"open": len(_idle), "failures": []}


async def release(job: Job) -> Job:
    for socket in _idle:
        socket.close()
    _idle.clear()
    return {"open": 0, "failures": []}


async def churn(job: Job) -> Job:
    """Open and close a socket so many times, some at once."""
    left = iter(range(job["connections"]))
    cookies = job["cookies"]

    async def work() -> None:
        for n in left:
            socket = await Socket.open(job["url"], cookies[n % len(cookies)])
            await socket.texts()
            socket.close()

    await asyncio.gather(*(work() for _ in range(min(20, len(cookies)))))
    return {"connections": job["connections"], "failures": []}


JOBS: dict[str, Callable[[Job], Awaitable[Job]]] = {
    job.__name__: job for job in (stream, turns, requests, samples, burst, idle, release, churn)
}


def _script(job: Job) -> tuple[tuple[str, ...], float, float]:
    script = job["script"]
    return tuple(script["tokens"]), script["first_s"], script["interval_s"]


async def _talk_by_http(job: Job, number: int, meter: Meter, wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    web = Connection(job["url"][number % len(job["url"])], job["headers"])
    session_id, said = "", 0
    try:
        while clock() < meter.end:
            if said % TURNS_OF_ONE == 0:
                session_id = f"bench-{uuid.uuid4().hex}"
            said += 1
            if not await _one_turn(web, job, session_id, meter):
                await asyncio.sleep(0.1)  # whoever refuses everything is not asked at full speed
    finally:
        web.close()


async def _one_turn(web: Connection, job: Job, session_id: str, meter: Meter) -> bool:
    """Ask and hear the answer to its end; return whether it came whole."""
    answer = meter.begun(clock())
    ended = False
    try:
        body = {"message": QUESTION, "session_id": session_id}
        async for texts in web.events(job["path"], body):
            ended = answer.take(texts, clock()) or ended
        if not ended:
            raise Failed("the stream ended without its last event")
    except (Failed, OSError, ValueError) as error:
        meter.failed(str(error))
        web.close()
        return False
    return True


async def _talk_by_socket(job: Job, number: int, meter: Meter, wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    url = job["url"][number % len(job["url"])].replace("http", "ws", 1)
    socket = await Socket.open(f"{url}{job['path']}", job["cookies"][number])
    try:
        while clock() < meter.end:
            answer = meter.begun(clock())
            socket.send({"type": "message.send", "id": uuid.uuid4().hex, "text": QUESTION})
            while not answer.take(await socket.texts(), clock()):
                pass
    except (Failed, OSError, ValueError) as error:
        meter.failed(str(error))
    finally:
        socket.close()
