"""What the number of sessions, and the length of one, cost."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import redis

from chat.bench.figures import median, percentile
from chat.bench.own_redis import OwnRedis
from chat.bench.parts.context import Context
from chat.bench.rows import Row
from chat.bench.seeding import ANSWER, TTL_S, close_store, copies, say, store_on
from chat.bench.targets import Target
from chat.sessions.desk import Listing
from chat.sessions.redis_store import RedisStore
from chat.sessions.store import WEB_OWNER
from chat.sessions.types import Author, Message, new_id

PAGE_ROWS = 50
FIRST_PAGE = Listing(limit=PAGE_ROWS)
#: What the requester's table of the finished phase says: milliseconds of one call.
CRITERIA = {"load": 2.0, "save": 3.0}
#: What a session of one question and answer takes, everything included, and what must stay free.
SEEDED_BYTES = 2_500
FREE_BYTES = 2_000_000_000


def measure_count(context: Context) -> list[Row]:
    """Count over HTTP, and read the first page of the list from the store, as sessions grow."""
    with OwnRedis(context.site.folder / "many", durable=False) as server:
        worker = context.site.start_worker(server.url)
        try:
            return asyncio.run(_grow(context, server, worker.url()))
        finally:
            worker.end()


async def _grow(context: Context, server: OwnRedis, url: str) -> list[Row]:
    client = server.client()
    store = store_on(client)
    await say(store, "sample-000000")
    counts: dict[int, list[float]] = {}
    lists: dict[int, list[float]] = {}
    floors: dict[int, list[float]] = {}
    there = 1
    for number in context.plan.sessions:
        if (number - there) * SEEDED_BYTES > _free_bytes() - FREE_BYTES:
            context.failures.append(f"{number} sessions: not enough memory")
            continue
        context.tell(f"{number} sessions")
        await asyncio.to_thread(copies, client, "sample-000000", there, number)
        there = number
        if await store.count() != number:
            raise AssertionError(f"{number} sessions were to be there")
        counts[number] = _gets(context, url, "/api/chat/sessions/count")
        floors[number] = _gets(context, context.site.relay_url, "/empty")
        lists[number] = await _timed(partial(store.page, FIRST_PAGE), context.plan.samples)
    close_store(store)
    return [
        *_grown("sessions/count", "over HTTP", counts, floors),
        *_grown("first page of the list", f"{PAGE_ROWS} rows, from the store", lists, {}),
    ]


def _grown(
    name: str, note: str, took: dict[int, list[float]], floors: dict[int, list[float]]
) -> list[Row]:
    rows = [
        Row(
            part="sessions",
            name=f"{name}, {number:,} sessions",
            unit="ms",
            ours=(median(ms),),
            floor=(median(floors[number]),) if floors else (),
            note=f"{note}; P95 {percentile(ms, 0.95):.2f} ms",
        )
        for number, ms in took.items()
    ]
    few, many = min(took), max(took)
    growth = Row(
        part="sessions",
        name=f"{name}, {many:,} to {few:,} sessions",
        unit="×",
        ours=(median(took[many]) / median(took[few]),),
        target=Target(1.5, "at most"),
        note="medians of one run",
    )
    return [*rows, growth]


def _gets(context: Context, url: str, path: str) -> list[float]:
    job = {"kind": "samples", "url": url, "path": path, "samples": context.plan.samples}
    found = context.site.drivers.ask(job | {"headers": context.site.headers})
    took: list[float] = found["took_ms"]
    return took


def measure_length(context: Context) -> list[Row]:
    """Load a session, and save one more message, whatever is in it."""
    return asyncio.run(_lengths(context))


async def _lengths(context: Context) -> list[Row]:
    client = context.site.redis.client()
    store = store_on(client)
    figures: dict[str, dict[int, float]] = {
        name: {} for name in ("load", "save", "bytes", "before save", "before bytes")
    }
    for length in context.plan.lengths:
        context.tell(f"sessions of {length} messages")
        ids = [f"length-{length}-{n}" for n in range(max(3, context.plan.samples // 10))]
        for id_ in ids:
            await _fill(store, id_, length)
        loads = [await _timed(partial(store.load, id_, WEB_OWNER), 3) for id_ in ids]
        figures["load"][length] = median([ms for took in loads for ms in took])
        before = _received(client)
        saves = [await _timed(partial(_save, store, id_), 1) for id_ in ids]
        figures["bytes"][length] = (_received(client) - before) / len(ids)
        figures["save"][length] = median([ms for took in saves for ms in took])
        _measure_whole(client, length, figures)
        for id_ in ids:
            await store.erase(id_, WEB_OWNER)
    close_store(store)
    return _length_rows(figures)


async def _fill(store: RedisStore, session_id: str, messages: int) -> None:
    for _ in range(messages // 2):
        await say(store, session_id)
    if messages % 2:
        await _save(store, session_id)


async def _save(store: RedisStore, session_id: str) -> None:
    message = Message(author=Author.CUSTOMER, text=ANSWER)
    await store.accept(session_id, WEB_OWNER, message, create="always")


def _measure_whole(client: redis.Redis, length: int, figures: dict[str, dict[int, float]]) -> None:
    """The same with the design of before: get, append and set the whole."""
    key, times = f"naive:length-{length}", 20
    messages = [Message(author=Author.CUSTOMER, text=ANSWER).to_json() for _ in range(length)]
    client.set(key, json.dumps(messages), ex=TTL_S)
    before, began = _received(client), time.perf_counter()
    for _ in range(times):
        history: list[Any] = json.loads(client.get(key) or "[]")
        history.append({**messages[0], "id": new_id()})
        client.set(key, json.dumps(history[: length + 1]), ex=TTL_S)
    figures["before save"][length] = (time.perf_counter() - began) * 1000 / times
    figures["before bytes"][length] = (_received(client) - before) / times


def _length_rows(figures: dict[str, dict[int, float]]) -> list[Row]:
    rows = []
    for name, unit, old in (("load", "ms", ""), ("save", "ms", "before save"), ("bytes", "B", "")):
        told = "bytes sent for a save" if name == "bytes" else f"{name} of a session"
        old = "before bytes" if name == "bytes" else old
        for length, value in figures[name].items():
            before = (figures[old][length],) if old else ()
            at = f"{length} message{'s' if length > 1 else ''}"
            rows.append(
                Row(
                    part="length",
                    name=f"{told}, {at}",
                    unit=unit,
                    ours=(value,),
                    before=before,
                    target=Target(CRITERIA[name], "at most") if name in CRITERIA else None,
                    criterion=name in CRITERIA,
                )
            )
        if name != "load":
            few, many = min(figures[name]), max(figures[name])
            rows.append(
                Row(
                    part="length",
                    name=f"{told}, {many} to {few} message",
                    unit="×",
                    ours=(figures[name][many] / figures[name][few],),
                    target=Target(2, "at most"),
                )
            )
    return rows


async def _timed(doing: Callable[[], Awaitable[object]], times: int) -> list[float]:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await doing()
        took.append((time.perf_counter() - began) * 1000)
    return took


def _received(client: redis.Redis) -> int:
    return int(client.info("stats")["total_net_input_bytes"])


def _free_bytes() -> int:
    """Memory that may be used; as much as one likes where the system does not tell."""
    try:
        lines = open("/proc/meminfo").read().splitlines()  # noqa: SIM115, PTH123
    except OSError:
        return 10**12
    found = next((line for line in lines if line.startswith("MemAvailable:")), "MemAvailable: 0")
    return int(found.split()[1]) * 1024
