"""What a session, a socket, and a long day leave in memory; and the page."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict

from chat.bench.figures import median, percentile
from chat.bench.machine import can_tell, memory_kb
from chat.bench.parts.context import Context, not_here
from chat.bench.rows import Row
from chat.bench.seeding import close_store, say, store_on
from chat.bench.site import answer_text
from chat.bench.targets import Target

SESSIONS = 100
TURNS = 3
#: Memory may differ by so much from one moment to another with nothing to be seen.
FLAT_KB = 5_000.0
#: Fewer turns or connections cannot tell what grows from what is warmed up.
ENOUGH = 10_000
#: Pages for one look; and how long memory may take to settle.
SETTLE_S = 0.5
#: Connections that are reused while turns are counted.
HANDS = 20


def measure(context: Context) -> list[Row]:
    return [*_idle(context), *_redis(context), *_page(context), *_flat(context)]


def _redis(context: Context) -> list[Row]:
    """A hundred sessions of six messages, in the store's own form."""
    context.tell("memory of sessions")
    client = context.site.redis.client()

    async def fill() -> None:
        store = store_on(client)
        for number in range(SESSIONS):
            for _ in range(TURNS):
                await say(store, f"memory-{number}", answer_text())
        close_store(store)

    before = client.info("memory")["used_memory"]
    asyncio.run(fill())
    used = client.info("memory")["used_memory"] - before
    return [
        Row(
            part="memory",
            name=f"Redis memory for {SESSIONS} sessions of {2 * TURNS} messages",
            unit="MB",
            ours=(used / 1e6,),
            target=Target(1, "at most"),
            criterion=True,
            note="the requester's: 2 MB",
        )
    ]


def _page(context: Context) -> list[Row]:
    took: dict[str, list[float]] = defaultdict(list)
    p95: dict[str, list[float]] = defaultdict(list)
    site = context.site
    for number in range(context.plan.rounds):
        for side, url, path in (("ours", site.url, "/"), ("floor", site.relay_url, "/empty")):
            context.tell(f"page, {side}, round {number + 1}")
            job = {"kind": "samples", "url": url, "path": path, "headers": {}}
            found = site.drivers.ask(job | {"samples": context.plan.samples})["took_ms"]
            took[side].append(median(found))
            p95[side].append(percentile(found, 0.95))
    note = "the floor: an empty JSON answer"
    both = (("P50", took), ("P95", p95))
    return [
        Row(
            part="page",
            name=f"page (GET /), {share}",
            unit="ms",
            ours=tuple(found["ours"]),
            floor=tuple(found["floor"]),
            note=note,
        )
        for share, found in both
    ]


def _idle(context: Context) -> list[Row]:
    """Open sockets and let them be."""
    count = context.plan.idle_sockets
    context.tell(f"{count} idle sockets")
    growth: tuple[float, ...] = ()
    job = {"kind": "idle", "url": f"{context.site.url.replace('http', 'ws', 1)}/ws/chat/"}
    drivers, pid = context.site.drivers, context.site.worker.pid
    drivers.ask(job | {"cookies": context.site.cookies(max(1, count // 10))})  # warmed up
    if can_tell():
        before = _settled_kb(pid)
        drivers.ask(job | {"cookies": context.site.cookies(count)})
        growth = ((_settled_kb(pid) - before) / count,)
    drivers.ask({"kind": "release"})
    return [
        Row(
            part="memory",
            name=f"worker memory for one of {count} idle sockets",
            unit="kB",
            ours=growth,
            target=Target(45, "at most"),
            unjudged=not_here(can_tell()) or ("" if count >= 300 else "too few to tell"),
        )
    ]


def _flat(context: Context) -> list[Row]:
    """Turns and connections by the thousand: memory after the first tenth, and at the end."""
    plan, site = context.plan, context.site
    script = site.pace(0, 0)
    turns = {
        "kind": "turns",
        "url": site.url,
        "path": "/api/chat",
        "headers": site.headers,
        "conversations": HANDS,
        "script": script,
    }
    sockets = f"{site.url.replace('http', 'ws', 1)}/ws/chat/"
    churn = {"kind": "churn", "url": sockets, "cookies": site.cookies(HANDS)}
    rows = []
    for name, job, key, count in (
        ("turns", turns, "turns", plan.flat_turns),
        ("connections", churn, "connections", plan.flat_connections),
    ):
        context.tell(f"memory over {count} {name}")
        context.failures += site.drivers.ask(job | {key: max(1, count // 10)})["failures"]
        before = _settled_kb(site.worker.pid) if can_tell() else 0.0
        context.failures += site.drivers.ask(job | {key: count})["failures"]
        grown = (_settled_kb(site.worker.pid) - before,) if can_tell() else ()
        few = "" if count >= ENOUGH else "too few to tell"
        rows.append(
            Row(
                part="memory",
                name=f"worker memory, growth over {count:,} {name}",
                unit="kB",
                ours=grown,
                target=Target(FLAT_KB, "at most"),
                unjudged=not_here(can_tell()) or few,
                note="after a tenth as many to warm up",
            )
        )
    return rows


def _settled_kb(pid: int) -> float:
    """The middle of a few looks: work under way comes and goes."""
    looks = []
    for _ in range(5):
        time.sleep(SETTLE_S / 5)
        looks.append(memory_kb(pid))
    return statistics.median(looks)
