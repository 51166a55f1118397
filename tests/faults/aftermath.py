"""What is left when all is quiet: transcripts, traces of what was erased, words in logs."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from functools import partial

import redis.asyncio
import websockets
from websockets.exceptions import WebSocketException

from tests.faults.client import Tab
from tests.faults.cluster import Cluster, WorkerProcess
from tests.faults.patience import Stopwatch, done_within
from tests.faults.stalls import Stall, read_stalls
from tests.faults.view import Line, View
from tests.faults.visitor import Visitor

#: A page whose tabs wrote at the same time shows the order of the transcript this long after.
CONVERGE_S = 6
#: A worker that is quiet says what a page shows; so long on a machine that is not.
STATE_S = 20
_ERROR = re.compile(r".*\[error .*")
#: Errors that are no bugs. The layer logs that its connection broke, and comes back; Django, each
#: 503; the cache of logins, which the database keeps, that Redis is away; the watchdog, each stall,
#: which are measured here too.
_KNOWN = re.compile(
    r"\[channels_redis.pubsub\]|Service Unavailable:|Exception ignored +\[django_redis.cache\]"
    r"|\[chat.core.watchdog\]"
)


async def read_what_is_left(cluster: Cluster, visitors: list[Visitor]) -> None:
    """Write into their records what Redis and every worker have of them."""
    watch = Stopwatch()
    async with redis.asyncio.Redis.from_url(cluster.redis.url) as client:
        for visitor in visitors:
            if visitor.record.erased:
                visitor.record.traces += await _traces(cluster, client, visitor)
                continue
            raw = await client.get(f"session:{visitor.session_id}")
            messages = json.loads(raw)["messages"] if raw else []
            visitor.record.stored = [Line.of(message) for message in messages]
            for worker in cluster.running:
                visitor.record.finals[worker.name] = await _state_at(worker, visitor.cookies)
            for tab in visitor.tabs:
                shown = tab.until(partial(_shows, tab, visitor.record.stored))
                await done_within(CONVERGE_S, shown, watch)


def read_logs(cluster: Cluster) -> tuple[list[str], list[Stall]]:
    """Return what the workers wrote since the last time that tells of a bug, and their stalls."""
    errors, stalls = [], []
    for worker in cluster.workers:
        text = worker.log.read_text()[worker.log_read :]
        worker.log_read += len(text)
        lines = (line for line in _ERROR.findall(text) if not _KNOWN.search(line))
        errors += [f"{worker.name}: {line}" for line in lines]
        if "Question " in text or "n°" in text:
            errors.append(f"{worker.name} wrote a message into its log")
        new, worker.stalls_read = read_stalls(worker.name, worker.stalls, worker.stalls_read)
        stalls += new
    return errors, stalls


async def _traces(cluster: Cluster, client: redis.asyncio.Redis, visitor: Visitor) -> list[str]:
    mark = visitor.script[0][0].id.split("t")[0] + "t"
    found = []
    async for key in client.scan_iter():
        kind = await client.type(key)
        value = ""
        if kind == b"string":
            value = repr(await client.get(key))
        elif kind == b"hash":
            value = repr(await client.hgetall(key))
        if mark in value:
            found.append(f"Redis {key.decode()[:40]}")
    header = f"chat_session={visitor.cookies['chat_session']}"
    for worker in cluster.running:
        for path in ("/", "/conversation/export/"):
            url = f"http://{worker.address}{path}"
            async with cluster.web.get(url, headers={"Cookie": header}) as page:
                if mark in await page.text():
                    found.append(f"{worker.name} {path}")
    return found


async def _state_at(worker: WorkerProcess, cookies: dict[str, str]) -> View:
    """What a page that is opened now shows."""
    view = View()
    with suppress(TimeoutError, OSError, WebSocketException):  # it may have died just now
        async with (
            asyncio.timeout(STATE_S),
            websockets.connect(
                f"ws://{worker.address}/ws/chat/",
                additional_headers={"Cookie": f"chat_session={cookies['chat_session']}"},
                ping_interval=None,
                close_timeout=0.2,
                max_size=None,
                proxy=None,
            ) as socket,
        ):
            while not view.backend:
                view.hear(json.loads(await socket.recv()))
    return view


def _shows(tab: Tab, stored: list[Line]) -> bool:
    return [line.id for line in tab.view.lines] == [line.id for line in stored]
