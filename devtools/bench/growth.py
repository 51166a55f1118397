"""Measurements of growth: memory per socket and over many turns, cost of many and long sessions."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import redis

from chat.conversations.store.adviser_store import Listing
from chat.conversations.store.protocol import WEB_OWNER
from chat.conversations.store.redis.scripts import PipelineExecutor, scripts
from chat.conversations.store.redis.store import RedisStore
from chat.conversations.types import Author, End, Message, Outcome
from chat.core.ids import new_id, ref_of
from devtools.bench import plan
from devtools.bench.drivers import Job
from devtools.bench.machine import CAN_TELL, NOT_HERE, free_bytes, memory_kb
from devtools.bench.results import Rounds, Row, compared, p95
from devtools.bench.site import Site

#: Number of sessions whose memory is measured, and turns of each.
SESSIONS, TURNS = 100, 3
#: Tolerance for random variation of memory.
FLAT = "≤ 5000 kB"
#: Minimum number of turns and of sockets to distinguish growth from warm-up.
ENOUGH, ENOUGH_SOCKETS = 10_000, 300
#: Time for memory to settle.
SETTLE_S = 0.5
#: Connections that are reused while turns are counted.
HANDS = 20
FIRST_PAGE = Listing(limit=50)
#: Acceptance criteria: milliseconds of one call.
CRITERIA = {"load": "≤ 2 ms", "save": "≤ 3 ms"}
#: Memory of a session of one question and answer in Redis, and memory that must stay free.
SEEDED_BYTES, FREE_BYTES = 2_500, 2_000_000_000
QUESTION = "Quels meubles pour un petit salon ?"
ANSWER = "Pour un petit salon, mieux vaut choisir des meubles simples et clairs."
SEED = Path(__file__).with_name("seed.lua").read_text()
SEED_BATCH = 1000
TTL_S = 86_400


def measure_memory(site: Site) -> list[Row]:
    return [_idle_row(site), _sessions_row(site), *_page_rows(site), *_flat_rows(site)]


def _idle_row(site: Site) -> Row:
    """Measure the memory of idle sockets."""
    count = site.plan.idle_sockets
    site.tell(f"{count} idle sockets")
    opened = {"at_once": 50, "keep": True}
    site.drivers.ask(_sockets_job(site, max(1, count // 10)) | opened)  # warmed up
    growth = _growth_kb(site, _sockets_job(site, count) | opened)
    site.drivers.ask(_sockets_job(site, 0))
    unjudged = NOT_HERE or ("too few to tell" if count < ENOUGH_SOCKETS else "")
    name, ours = f"worker memory for one of {count} idle sockets", [kb / count for kb in growth]
    return Row("memory", name, "kB", ours, target="≤ 45 kB", unjudged=unjudged)


def _sockets_job(site: Site, count: int) -> Job:
    job = {"kind": "sockets", "url": site.urls["ours"], "path": "/ws/chat/", "count": count}
    return job | {"cookies": site.cookies(count), "at_once": HANDS, "keep": False}


def _growth_kb(site: Site, job: Job) -> list[float]:
    """Run a job; return the growth of the worker's memory, [] if the system does not report it."""
    before = _settled_kb(site)
    site.drivers.ask(job)
    return [_settled_kb(site) - before] if CAN_TELL else []


def _settled_kb(site: Site) -> float:
    """Return the median of a few samples of memory, since work in progress varies."""
    looks = []
    for _ in range(5 * CAN_TELL):
        time.sleep(SETTLE_S / 5)
        looks.append(memory_kb(site.worker.process.pid))
    return median(looks or [0])


def _flat_rows(site: Site) -> Iterator[Row]:
    """Compare memory after a tenth of thousands of turns and connections, and after all."""
    url, note = site.urls["ours"], "after a tenth as many to warm up"
    turns: Job = {"kind": "turns", "url": url, "path": "/api/chat", "headers": site.headers}
    turns |= {"conversations": HANDS, "script": site.pace(), "count": site.plan.flat_turns}
    churn = _sockets_job(site, HANDS) | {"count": site.plan.flat_connections}
    for what, job in (("turns", turns), ("connections", churn)):
        count: int = job["count"]
        site.tell(f"memory over {count} {what}")
        site.drivers.ask(job | {"count": max(1, count // 10)})
        growth, name = _growth_kb(site, job), f"worker memory, growth over {count:,} {what}"
        unjudged = NOT_HERE or ("" if count >= ENOUGH else "too few to tell")
        yield Row("memory", name, "kB", growth, target=FLAT, unjudged=unjudged, note=note)


def _sessions_row(site: Site) -> Row:
    """Measure the memory of a hundred sessions of six messages in Redis."""
    site.tell("memory of sessions")
    client = site.redis.client()

    async def fill() -> None:
        with own_store(client) as store:
            for number in range(SESSIONS):
                for _ in range(TURNS):
                    await say(store, f"memory-{number}", plan.ANSWER)

    before = client.info("memory")["used_memory"]
    asyncio.run(fill())
    used = (client.info("memory")["used_memory"] - before) / 1e6
    name = f"Redis memory for {SESSIONS} sessions of {2 * TURNS} messages"
    note = "the requester's: 2 MB"
    return Row("memory", name, "MB", [used], target="≤ 1 MB", criterion=True, note=note)


def _page_rows(site: Site) -> list[Row]:
    rounds = Rounds(list)
    for number in range(site.plan.rounds):
        for side, path in (("ours", "/"), ("floor", "/empty")):
            site.tell(f"page, {side}, round {number + 1}")
            found = _gets_ms(site, site.urls[side], path, {})
            rounds["P50", side].append(median(found))
            rounds["P95", side].append(p95(found))
    row = partial(compared, rounds, "page", note="the floor: an empty JSON answer")
    return [row(name=f"page (GET /), {share}", unit="ms", figure=share) for share in ("P50", "P95")]


def _gets_ms(site: Site, url: str, path: str, headers: dict[str, str]) -> list[float]:
    """Time sequential requests; the first one is not counted."""
    job = {"kind": "requests", "url": url, "method": "GET", "path": path, "headers": headers}
    found = site.drivers.ask(job | {"concurrent": 1, "times": site.plan.samples + 1})
    took_ms: list[float] = found["took_ms"][1:]
    return took_ms


def measure_count(site: Site) -> list[Row]:
    """Time the count over HTTP and the first page of the list, as sessions grow in number."""
    server = site.start_redis("many", durable=False)
    worker = site.start_worker(server)
    try:
        return asyncio.run(_count_rows(site, server.client(), worker.url()))
    finally:
        worker.end()
        server.kill()


async def _count_rows(site: Site, client: redis.Redis, url: str) -> list[Row]:
    counts: dict[int, list[float]] = {}
    floors: dict[int, list[float]] = {}
    lists: dict[int, list[float]] = {}
    there = 1
    with own_store(client) as store:
        await say(store, "sample-000000")
        for number in site.plan.sessions:
            if (number - there) * SEEDED_BYTES > free_bytes() - FREE_BYTES:
                site.drivers.failures.append(f"{number} sessions: not enough memory")
                continue
            site.tell(f"{number} sessions")
            await asyncio.to_thread(copies, client, "sample-000000", there, number)
            there = number
            if await store.count() != number:
                raise AssertionError(f"{number} sessions were to be there")
            counts[number] = _gets_ms(site, url, "/api/chat/sessions/count", site.headers)
            floors[number] = _gets_ms(site, site.urls["floor"], "/empty", site.headers)
            lists[number] = await _timed(partial(store.page, FIRST_PAGE), site.plan.samples)
    return [
        *_grown("sessions/count", "over HTTP", counts, floors),
        *_grown("first page of the list", f"{FIRST_PAGE.limit} rows, from the store", lists, {}),
    ]


def _grown(
    name: str, note: str, took: dict[int, list[float]], floors: dict[int, list[float]]
) -> Iterator[Row]:
    for number, ms in took.items():
        floor, told = [median(floors[number])] if floors else [], f"{note}; P95 {p95(ms):.2f} ms"
        yield Row("sessions", f"{name}, {number:,} sessions", "ms", [median(ms)], floor, note=told)
    few, many = min(took), max(took)
    growth, name = median(took[many]) / median(took[few]), f"{name}, {many:,} to {few:,} sessions"
    yield Row("sessions", name, "×", [growth], target="≤ 1.5 ×", note="medians of one run")


def measure_length(site: Site) -> list[Row]:
    """Time loading a session, and saving one more message, as the session grows."""
    return asyncio.run(_length_rows(site))


async def _length_rows(site: Site) -> list[Row]:
    client, rounds = site.redis.client(), Rounds(list)
    with own_store(client) as store:
        for length in site.plan.lengths:
            site.tell(f"sessions of {length} messages")
            ids = [f"length-{length}-{n}" for n in range(max(3, site.plan.samples // 10))]
            for id_ in ids:
                for _ in range(length // 2):
                    await say(store, id_)
                if length % 2:
                    await _save(store, id_)
            loads = [await _timed(partial(store.load, id_, WEB_OWNER), 3) for id_ in ids]
            before = _received(client)
            saves = [await _timed(partial(_save, store, id_), 1) for id_ in ids]
            rounds["bytes", "ours"].append((_received(client) - before) / len(ids))
            rounds["load", "ours"].append(median([ms for took in loads for ms in took]))
            rounds["save", "ours"].append(median([ms for took in saves for ms in took]))
            save_ms, sent = _save_whole(client, length)
            rounds["save", "before"].append(save_ms)
            rounds["bytes", "before"].append(sent)
            for id_ in ids:
                await store.erase(id_, WEB_OWNER)
    names = {"load": "load of a session", "save": "save of a session"}
    names["bytes"] = "bytes sent for a save"
    return [row for figure in names for row in _lengths(figure, names[figure], site, rounds)]


def _lengths(figure: str, name: str, site: Site, rounds: Rounds) -> Iterator[Row]:
    ours, before = rounds[figure, "ours"], rounds[figure, "before"]
    unit, target = "B" if figure == "bytes" else "ms", CRITERIA.get(figure, "")
    row = partial(Row, "length", target=target, criterion=bool(target))
    for n, length in enumerate(site.plan.lengths):
        at, old = f"{length} message{'s' if length > 1 else ''}", before[n : n + 1]
        yield row(f"{name}, {at}", unit, ours[n : n + 1], before=old)
    if before:
        name = f"{name}, {site.plan.lengths[-1]} to {site.plan.lengths[0]} message"
        yield Row("length", name, "×", [ours[-1] / ours[0]], target="≤ 2 ×")


def _save_whole(client: redis.Redis, length: int) -> tuple[float, float]:
    """Save as in "before": get, append, set the whole session. Return ms and bytes per save."""
    key, times = f"naive:length-{length}", 20
    messages = [Message(author=Author.CUSTOMER, text=ANSWER).to_json() for _ in range(length)]
    client.set(key, json.dumps(messages), ex=TTL_S)
    before, began = _received(client), time.perf_counter()
    for _ in range(times):
        history: list[Any] = json.loads(client.get(key) or "[]")
        history.append({**messages[0], "id": new_id()})
        client.set(key, json.dumps(history[: length + 1]), ex=TTL_S)
    took_ms = (time.perf_counter() - began) * 1000 / times
    return took_ms, (_received(client) - before) / times


async def _save(store: RedisStore, session_id: str) -> None:
    message = Message(author=Author.CUSTOMER, text=ANSWER)
    await store.accept(session_id, WEB_OWNER, message, create="always")


async def _timed(doing: Callable[[], Awaitable[object]], times: int) -> list[float]:
    took_ms = []
    for _ in range(times):
        began = time.perf_counter()
        await doing()
        took_ms.append((time.perf_counter() - began) * 1000)
    return took_ms


def _received(client: redis.Redis) -> int:
    return int(client.info("stats")["total_net_input_bytes"])


@contextmanager
def own_store(client: redis.Redis) -> Iterator[RedisStore]:
    """Yield a store on ``client``, independent of Django's connections."""
    link = PipelineExecutor(lambda: client, scripts())
    try:
        yield RedisStore(link, TTL_S)
    finally:
        link.close()


async def say(store: RedisStore, session_id: str, text: str = ANSWER) -> None:
    """Store one question and its answer in a session, through the store's interface."""
    question = Message(author=Author.CUSTOMER, text=QUESTION)
    await store.accept(session_id, WEB_OWNER, question, create="always")
    claim = await store.claim(session_id, [question.id], new_id())
    assert claim.lease is not None, "nobody else answers here"  # nosec B101
    answer_id = claim.lease.answer_id
    answer = Message(id=answer_id, author=Author.ASSISTANT, text=text, reply_to=question.id)
    await store.finish(claim.lease, Outcome(end=End.DONE, answer_id=answer.id), answer)


def copies(client: redis.Redis, sample_id: str, first: int, last: int) -> None:
    """Copy the sample session to sessions ``first`` to ``last`` (exclusive).

    Runs inside Redis, a thousand per call: a million take half a minute instead of ten minutes.
    """
    seed = client.register_script(SEED)
    for begin in range(first, last, SEED_BATCH):
        ids = [f"seed-{n:09d}" for n in range(begin, min(last, begin + SEED_BATCH))]
        pairs = [part for id_ in ids for part in (id_, ref_of(id_))]
        seed(
            keys=[f"session:{sample_id}", f"chat:state:{sample_id}"],
            args=[sample_id, TTL_S * 1000, begin, *pairs],
        )
