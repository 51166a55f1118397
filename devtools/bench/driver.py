"""Load generator of the bench, in a process of its own, without Django and cheap per byte.

``python -m devtools.bench.driver`` reads one job per line (JSON) from standard input and writes one
result per line, until its input ends.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
import uuid
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate, count, cycle, islice
from typing import Any
from urllib.parse import urlsplit

from devtools.bench.machine import busy_s, cpu_s

try:
    from uvloop import run
except ImportError:  # a driver that saturates says so
    from asyncio import run  # type: ignore[assignment]

Job = dict[str, Any]
QUESTION = "Quels meubles pour un petit salon ?"
#: Turns after which a customer starts another conversation of 6 messages.
TURNS_OF_ONE = 3
#: Timeout of one operation.
PATIENCE_S = 60
BLOCK = 2**16
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}

clock = time.perf_counter


class Failed(Exception):
    """The answer is missing, or is not the expected one."""


async def main() -> None:
    open_sockets: list[Connection] = []
    gc.freeze()
    while line := await asyncio.to_thread(sys.stdin.readline):
        job: Job = json.loads(line) | {"open_sockets": open_sockets}
        try:
            result = await JOBS[job["kind"]](job)
        except Exception as error:  # noqa: BLE001 - told to whoever gave the job
            result = {"broken": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


async def stream(job: Job) -> Job:
    """Run conversations for a while; each asks again as soon as it is answered.

    Conversations that start together are answered in waves: measuring starts after each has had one
    answer, and lasts until each has had another one, ``seconds`` at least, so that it covers whole
    waves.

    ``wave_max_s``: timeout of a wave. ``drain``: whether running answers are awaited at the end.
    ``cookies``: of visitors, to use WebSockets.
    """
    meter = Meter(**job["script"], detailed=job["detailed"])
    many = job["conversations"]
    tasks = [asyncio.create_task(_talk(job, n, meter)) for n in range(many)]
    await meter.reach(many, job["wave_max_s"])
    used = _used(job["pids"])
    meter.begin = clock()
    goal = meter.ended + many
    await asyncio.sleep(job["seconds"])
    await meter.reach(goal, job["wave_max_s"])
    meter.end = clock()
    usage = _usage_since(used, job["pids"])
    if not job["drain"]:
        for task in tasks:
            task.cancel()
    await asyncio.wait(tasks, timeout=PATIENCE_S)
    seen = ("chars", "failures", "first_ms", "token_ms", "last_ms")
    return usage | {name: getattr(meter, name) for name in seen}


async def turns(job: Job) -> Job:
    """Ask a number of questions over a number of connections, as fast as they are answered."""
    left = iter(range(job["count"]))
    meter = Meter(**job["script"])

    async def work() -> None:
        web = Connection(job["url"], job["headers"])
        for turn in left:
            session_id = f"flat-{turn % 1000}-{uuid.uuid4().hex}"
            await _one_turn(web.ask(job["path"], session_id), web, meter)
        web.close()

    await asyncio.gather(*(work() for _ in range(job["conversations"])))
    return {"failures": meter.failures}


async def requests(job: Job) -> Job:
    """Send requests over ``concurrent`` connections: ``times`` over each. Without ``times``: for
    ``seconds`` after an unmeasured ``warm_s``, and until at least one is answered.
    """
    took_ms: list[float] = []
    failures: list[str] = []
    times = job.get("times")
    begin = clock() + job.get("warm_s", 0)
    end = begin + job.get("seconds", 0)

    async def work() -> None:
        web = Connection(job["url"], job["headers"])
        for n in count():
            asked_at = clock()
            if n == times or (times is None and asked_at >= end and took_ms):
                break
            try:
                await web.whole(job["method"], job["path"], job.get("body"))
            except (Failed, OSError) as error:
                failures.append(str(error))
                break
            now = clock()
            if times or begin <= now < end or (not took_ms and now >= end):
                took_ms.append((now - asked_at) * 1000)
        web.close()

    tasks = [asyncio.create_task(work()) for _ in range(job["concurrent"])]
    if times is not None:
        await asyncio.gather(*tasks)
        if failures:
            raise Failed(failures[0])
        return {"took_ms": took_ms}
    await asyncio.sleep(begin - clock())
    used = _used(job["pids"])
    await asyncio.sleep(end - clock())
    usage = _usage_since(used, job["pids"])
    await asyncio.wait(tasks, timeout=PATIENCE_S)
    return usage | {"took_ms": took_ms, "failures": failures}


async def sockets(job: Job) -> Job:
    """Open ``count`` sockets of these visitors, ``at_once`` at a time, and close each again; with
    ``keep`` they stay open until a job comes without it.
    """
    at_once = asyncio.Semaphore(job["at_once"])
    kept: list[Connection] = job["open_sockets"]

    async def open_one(cookie: str) -> None:
        async with at_once:
            socket = await Connection.websocket(job["url"], job["path"], cookie)
            await socket.texts()  # its state was sent: the worker has done all it does
            if job["keep"]:
                kept.append(socket)
            else:
                socket.close()

    await asyncio.gather(*map(open_one, islice(cycle(job["cookies"]), job["count"])))
    while kept and not job["keep"]:
        kept.pop().close()
    return {}


JOBS: dict[str, Callable[[Job], Awaitable[Job]]] = {
    job.__name__: job for job in (stream, turns, requests, sockets)
}


async def _talk(job: Job, number: int, meter: Meter) -> None:
    """Simulate one customer, who asks until the meter ends."""
    await asyncio.sleep(job["ramp_s"] * number / job["conversations"])
    url = job["urls"][number % len(job["urls"])]
    web, session_id, said = Connection(url, job["headers"]), "", 0
    if job["cookies"]:
        web = await Connection.websocket(url, job["path"], job["cookies"][number])
    try:
        while clock() < meter.end:
            if said % TURNS_OF_ONE == 0:
                session_id = f"bench-{uuid.uuid4().hex}"
            said += 1
            heard = web.say() if job["cookies"] else web.ask(job["path"], session_id)
            if not await _one_turn(heard, web, meter):
                if job["cookies"]:
                    break
                await asyncio.sleep(0.1)  # whoever refuses everything is not asked at full speed
    finally:
        web.close()


async def _one_turn(heard: AsyncIterator[list[bytes]], web: Connection, meter: Meter) -> bool:
    """Ask one question and read the answer; return whether it is complete."""
    answer = Answer(meter, clock())
    try:
        async for texts in heard:
            if answer.take(texts, clock()) and web.is_socket:
                break
        if not answer.ended:
            raise Failed("the stream ended without its last event")
    except (Failed, OSError, ValueError) as error:
        meter.failures.append(str(error))
        web.close()
        return False
    return True


def _used(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU time of processes; of this one as "driver", of all as "all", and time "at"."""
    used = {name: cpu_s(pid) for name, pid in {**pids, "driver": os.getpid()}.items()}
    return {"at": clock(), **used, "all": busy_s()}


def _usage_since(before: Mapping[str, float], pids: Mapping[str, int]) -> Job:
    cpu = {name: used - before[name] for name, used in _used(pids).items()}
    return {"seconds": cpu.pop("at"), "cpu": cpu}


@dataclass(slots=True)
class Meter:
    """Latencies measured from ``begin`` to ``end``. The model sends token n at ``first_s + n *
    interval_s`` after the question. ``first_ms``, ``token_ms``, ``last_ms``: additional latency of
    the first text, of each token and of the end of an answer. ``ended``: all answers that ended.
    """

    tokens: Sequence[str]
    first_s: float
    interval_s: float
    detailed: bool = False
    begin: float = float("inf")
    end: float = float("inf")
    chars: int = 0
    ended: int = 0
    failures: list[str] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    token_ms: list[float] = field(default_factory=list)
    last_ms: list[float] = field(default_factory=list)
    #: Number of characters at the end of each token.
    token_ends: list[int] = field(init=False)
    one_ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.token_ends = list(accumulate(map(len, self.tokens)))

    def counts(self, at: float) -> bool:
        return self.begin <= at < self.end

    async def reach(self, ended: int, at_most_s: float) -> None:
        """Wait until ``ended`` answers have ended, for ``at_most_s`` at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                while self.ended < ended:
                    self.one_ended.clear()
                    await self.one_ended.wait()


@dataclass(slots=True)
class Answer:
    """Answer that is being received. ``had``: number of characters so far."""

    meter: Meter
    asked_at: float
    had: int = 0
    ended: bool = False

    def take(self, texts: list[bytes], at: float) -> bool:
        """Record events received at a time; return whether the answer has ended.

        Raises:
            ValueError: it ended with an error, or differs from the model's text.
        """
        for raw in texts:
            event = json.loads(raw)
            match event.get("type"):
                case "message.delta":
                    self._note(len(event["text"]), at)
                case "message.done" if event["message"]["author"] == "assistant":
                    self._note_end(at)
                    break
                case "error":
                    raise ValueError(f"error: {event['code']}")
        return self.ended

    def _note(self, chars: int, at: float) -> None:
        meter = self.meter
        if meter.counts(at):
            meter.chars += chars
        if meter.counts(self.asked_at):
            since = at - self.asked_at - meter.first_s
            if not self.had:
                meter.first_ms.append(since * 1000)
            if meter.detailed:
                ends = meter.token_ends
                whole = bisect_left(ends, self.had + 1), bisect_left(ends, self.had + chars + 1)
                meter.token_ms += [(since - n * meter.interval_s) * 1000 for n in range(*whole)]
        self.had += chars

    def _note_end(self, at: float) -> None:
        meter, chars = self.meter, self.meter.token_ends[-1]
        meter.ended += 1
        meter.one_ended.set()
        if self.had != chars:
            raise ValueError(f"{self.had} characters came instead of {chars}")
        self.ended = True
        if meter.counts(at):
            spoken_s = meter.first_s + len(meter.tokens) * meter.interval_s
            meter.last_ms.append((at - self.asked_at - spoken_s) * 1000)


class Connection:
    """Minimal HTTP/1.1 and WebSocket client. Connects at first use and after a failure."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._address = str(parts.hostname), int(parts.port or 80)
        lines = (f"{name}: {value}\r\n" for name, value in headers.items())
        self._head = f"Host: {parts.netloc}\r\n{''.join(lines)}"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._rest = b""
        self.is_socket = False

    @classmethod
    async def websocket(cls, url: str, path: str, cookie: str) -> Connection:
        """Open a WebSocket like the browser of a visitor."""
        socket = cls(url, {**UPGRADE, "Origin": url, "Cookie": cookie})
        answer = await socket._ask("GET", path, None, "*/*", status=101)
        socket._rest, socket.is_socket = answer.partition(b"\r\n\r\n")[2], True
        return socket

    async def say(self) -> AsyncIterator[list[bytes]]:
        """Ask over the socket; yield the texts of frames that arrive together, without end."""
        question = {"type": "message.send", "id": uuid.uuid4().hex, "text": QUESTION}
        if self._streams is not None:
            self._streams[1].write(framed(json.dumps(question).encode()))
        while True:
            yield await self.texts()

    async def texts(self) -> list[bytes]:
        """Wait for frames; return the texts of those that arrive together."""
        while True:
            found, self._rest = unframed(self._rest)
            if found:
                return found
            self._rest += await self._more()

    async def ask(self, path: str, session_id: str) -> AsyncIterator[list[bytes]]:
        """Ask over HTTP; yield the ``data:`` of events as they arrive, until the answer ends."""
        body = {"message": QUESTION, "session_id": session_id}
        rest, ending = await self._ask("POST", path, body, "text/event-stream"), False
        while True:
            *lines, rest = rest.split(b"\n")
            found = [line[6:] for line in lines if line.startswith(b"data: ")]
            if found:
                yield found
            for line in lines:
                if ending and line == b"\r":
                    return
                ending = ending or line == b"0\r"
            rest += await self._more()

    async def whole(self, method: str, path: str, body: Job | None) -> None:
        """Send a request and read the whole response."""
        answer = await self._ask(method, path, body, "application/json, text/html")
        head, _, rest = answer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]
        while len(rest) < int(length) if length else not rest.endswith(b"0\r\n\r\n"):
            rest += await self._more()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _ask(
        self, method: str, path: str, body: Job | None, accept: str, status: int = 200
    ) -> bytes:
        """Send a request; return the data read after the head of the response.

        Raises:
            Failed: the status is not ``status``.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        text = b"" if body is None else json.dumps(body).encode()
        kind = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n" if text else ""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Accept: {accept}\r\n{kind}\r\n"
        self._streams[1].write(head.encode() + text)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += await self._more()
        if not answer.startswith(b"HTTP/1.1 %d " % status):
            self.close()
            raise Failed(answer[:200].decode(errors="replace"))
        return answer

    async def _more(self) -> bytes:
        data = await self._streams[0].read(BLOCK) if self._streams else b""
        if not data:
            self.close()
            raise Failed("the connection was closed")
        return data


def framed(payload: bytes) -> bytes:
    """Encode a masked text frame; the mask is zero, so that the payload is unchanged."""
    if len(payload) < 126:
        return bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload
    return b"\x81\xfe" + len(payload).to_bytes(2) + bytes(4) + payload


def unframed(data: bytes) -> tuple[list[bytes], bytes]:
    """Decode the complete text frames of a server; return them and the remaining data.

    Frames of other types are dropped.

    Raises:
        Failed: the server closes the socket.
    """
    texts = []
    while len(data) >= 2:
        opcode, length, start = data[0] & 0x0F, data[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(data[2:start])
        if len(data) < start + length:
            break
        if opcode == 8:
            raise Failed(f"the socket was closed: {int.from_bytes(data[start : start + 2])}")
        if opcode == 1:
            texts.append(data[start : start + length])
        data = data[start + length :]
    return texts, data


if __name__ == "__main__":
    run(main())
