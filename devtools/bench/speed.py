"""Measurements of speed: latency of streamed text, CPU and number of turns, whole answers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median

from devtools.bench.drivers import Job
from devtools.bench.machine import NOT_HERE, cores
from devtools.bench.plan import ANSWER, TOKENS, WHOLE_MS
from devtools.bench.results import Rounds, Row, compared, p95
from devtools.bench.site import Site

SIDES = ("ours", "floor")
#: Ramp-up of the customers, and the number from which it is used.
RAMP_S, RAMPED = 0.5, 10
#: Minimum number of cores for two workers; with fewer, workers, model and clients compete.
CORES_FOR_TWO = 4
#: Path of each side. The floor requests a whole answer from the model; "streaming" is the floor
#: that reads it as a stream like our worker, which must stop, bound and check it.
POSTS = {"ours": "/api/chat", "floor": "/whole", "streaming": "/collected", "before": "/chat"}
#: Number of customers in the burst.
AT_ONCE = 10
WARM_S = 0.2


def measure_stream(site: Site, sides: Sequence[str] = SIDES) -> list[Row]:
    rows: list[Row] = []
    for level in site.plan.levels:
        at = f"{level} conversation{'s' if level > 1 else ''}"
        rounds = _stream(site, level, sides)
        if level in site.plan.detailed:
            rows += _first_text_rows(at, rounds, is_judged=level == 20)
        rows += _turns_rows(site, level, at, rounds)
    return rows


def measure_sockets(site: Site) -> list[Row]:
    """Measure streaming through WebSockets, as customers' pages use them, at one level."""
    level = site.plan.detailed[-1]
    rounds = _stream(site, level, SIDES, by_socket=True)
    row, at = partial(compared, rounds, "sockets"), f"{level} WebSockets"
    return [
        row(f"first text added, P50, {at}", "ms", "first_p50"),
        row(f"first text added, P95, {at}", "ms", "first_p95"),
        row(f"turns per second, {at}", "/s", "turns"),
        _failures_row("sockets", level, rounds),
    ]


def measure_workers(site: Site) -> list[Row]:
    """Compare two workers that share the clients with one."""
    level = site.plan.saturated
    few = "" if cores() >= CORES_FOR_TWO else f"{cores()} cores, shared with model and clients"
    one: list[float] = []
    two: list[float] = []
    if not few or site.plan.all_cores:
        job, second = _stream_job(site, level, "ours"), site.start_worker(site.redis)
        both = [site.urls["ours"], second.url()]
        for number in range(site.plan.rounds):
            for urls, found in ((both[:1], one), (both, two)):
                site.tell(f"{len(urls)} worker(s), round {number + 1}")
                found.append(_turns_per_s(site.drivers.share(job | {"urls": urls})))
        second.end()
    name = f"two workers to one, turns per second, {level} conversations"
    ratios = [b / a for a, b in zip(one, two, strict=True) if a]
    note = f"one {median(one):.0f}/s, two {median(two):.0f}/s" if one else ""
    return [Row("workers", name, "×", ratios, target="≥ 1.8 ×", unjudged=few, note=note)]


def _stream(site: Site, level: int, sides: Sequence[str], *, by_socket: bool = False) -> Rounds:
    rounds = Rounds(list)

    def count_connections() -> None:
        time.sleep(RAMP_S * (level >= RAMPED) + site.plan.turn_s + site.plan.stream_s / 2)
        connected = site.redis.info("clients")["connected_clients"]
        rounds["connections", "ours"].append(connected - 1)  # without this client

    for number in range(site.plan.rounds):
        for side in sides:
            site.tell(f"{level} conversations, {side}, round {number + 1}")
            job = _stream_job(site, level, side)
            if by_socket:
                path = "/ws/chat/" if side == "ours" else "/socket"
                job |= {"path": path, "cookies": site.cookies(level)}
            found = site.drivers.share(job, count_connections if side == "ours" else None)
            turns, share = _turns_per_s(found), found["cpu"][side] / found["seconds"]
            rounds["turns", side].append(turns)
            rounds["share", side].append(share)
            rounds["failures", "ours"].append(len(found["failures"]))
            if turns:
                rounds["cpu_turn", side].append(1000 * share / turns)
                rounds["cpu_token", side].append(1000 * share / turns / TOKENS)
            for name in ("first", "token", "last"):
                if late_ms := found[f"{name}_ms"]:
                    rounds[f"{name}_p50", side].append(median(late_ms))
                    rounds[f"{name}_p95", side].append(p95(late_ms))
    return rounds


def _stream_job(site: Site, level: int, side: str) -> Job:
    return {
        "kind": "stream",
        "urls": [site.urls[side]],
        "path": "/api/chat" if side == "ours" else "/stream",
        "headers": site.headers if side == "ours" else {},
        "cookies": [],
        "conversations": level,
        "ramp_s": RAMP_S if level >= RAMPED else 0,
        "wave_max_s": site.plan.wave_max_s,
        "seconds": site.plan.stream_s,
        "script": site.pace(site.plan.first_token_ms, site.plan.tokens_per_s),
        "detailed": level in site.plan.detailed,
        "pids": site.pids,
        # Our answers continue without listeners; the relay's end with them.
        "drain": side == "ours",
    }


def _turns_per_s(found: Job) -> float:
    """Return turns per second, from the received text: whole answers are few and come in waves."""
    return float(found["chars"] / len(ANSWER) / found["seconds"])


def _first_text_rows(at: str, rounds: Rounds, *, is_judged: bool) -> list[Row]:
    most, soon = ("≤ 1.3 × floor", "≤ 15 ms") if is_judged else ("", "")
    told, waits = "over the model's own time", "ours waits up to 30 ms to send several as one"
    row = partial(compared, rounds, "first text")
    return [
        row(f"first text added, P50, {at}", "ms", "first_p50", target=most, note=told),
        row(f"first text added, P95, {at}", "ms", "first_p95", target=soon),
        row(f"each token added, P50, {at}", "ms", "token_p50", note=waits),
        row(f"end of the answer added, P50, {at}", "ms", "last_p50"),
    ]


def _turns_rows(site: Site, level: int, at: str, rounds: Rounds) -> list[Row]:
    is_last, offered = level == site.plan.saturated, level / site.plan.turn_s
    target, half = ("≥ 2.2 × floor", "≤ 0.5 × floor") if is_last and level >= 500 else ("", "")
    if level == 200:
        target = f"≥ {0.95 * offered:g} /s"
    shares = [rounds["share", side] for side in SIDES]
    busy = " and ".join(f"{median(share):.0%}" for share in shares if share)
    note = f"offered {offered:.0f}/s; our process and the floor's used {busy} of a core"
    row = partial(compared, rounds, "turns")
    few = row(f"Redis connections, {at}", "", "connections", target="≤ 19")
    return [
        row(f"turns per second, {at}", "/s", "turns", target=target, note=note),
        row(f"CPU per turn, {at}", "ms", "cpu_turn", unjudged=NOT_HERE),
        row(f"CPU per token, {at}", "ms", "cpu_token", target=half, unjudged=NOT_HERE),
        _failures_row("turns", level, rounds),
        *([few] if is_last else []),
    ]


def _failures_row(part: str, level: int, rounds: Rounds) -> Row:
    name, note = f"answers that failed, {level} at once", "ours and the floor's together"
    return Row(part, name, "", [float(sum(rounds["failures", "ours"]))], target="≤ 0", note=note)


def measure_post(site: Site) -> list[Row]:
    """Measure ``POST /api/chat``, and "before" for comparison."""
    rows: list[Row] = []
    site.pace(WHOLE_MS)
    for concurrent in site.plan.concurrent:
        rounds = Rounds(list)
        for side, job in _posts(site, concurrent):
            timed = {"warm_s": WARM_S, "seconds": site.plan.post_s, "pids": site.pids}
            found = site.drivers.ask(job | timed)
            rounds["rate", side].append(len(found["took_ms"]) / found["seconds"])
            if over_ms := [ms - WHOLE_MS for ms in found["took_ms"]]:
                rounds["p50", side].append(median(over_ms))
                rounds["p95", side].append(p95(over_ms))
        rows += _post_rows(concurrent, rounds)
    return [*rows, _burst(site)]


def _posts(site: Site, concurrent: int) -> Iterator[tuple[str, Job]]:
    for number in range(site.plan.rounds):
        # "Before" serves requests sequentially, so one round suffices.
        for side in [side for side in POSTS if side != "before" or not number]:
            site.tell(f"POST, {concurrent} at once, {side}, round {number + 1}")
            yield (
                side,
                {
                    "kind": "requests",
                    "url": site.urls["floor" if side == "streaming" else side],
                    "method": "POST",
                    "path": POSTS[side],
                    "headers": site.headers if side == "ours" else {},
                    "body": {"message": "Bonjour"},
                    "concurrent": concurrent,
                },
            )


def _post_rows(concurrent: int, rounds: Rounds) -> list[Row]:
    post, at = "POST /api/chat", f"{concurrent} at once"
    rate, soon = ("≥ 0.8 × floor", "≤ 200 ms") if concurrent > 1 else ("", "")
    told = f"the model takes {WHOLE_MS} ms, which are taken off"
    row, criterion = partial(compared, rounds, "post"), partial(Row, "post", criterion=True)
    ours, before = rounds["rate", "ours"], rounds["rate", "before"]
    rows = [
        row(f"{post}, requests per second, {at}", "/s", "rate", target=rate),
        row(f"{post}, overhead, P50, {at}", "ms", "p50", note=told),
        row(f"{post}, overhead, P95, {at}", "ms", "p95", target=soon, criterion=True, note=told),
    ]
    if concurrent == 1:
        pairs = zip(rounds["p50", "ours"], rounds["p50", "floor"], strict=False)
        added = [a - b for a, b in pairs]
        return [*rows, criterion(f"{post}, added to the floor, {at}", "ms", added, target="≤ 5 ms")]
    streaming, beside = f"a relay that streams, {at}", f"the requester's 50, {at}"
    return [
        *rows,
        Row("post", f"the same beside {streaming}", "/s", ours, rounds["rate", "streaming"]),
        criterion(f"the same beside {beside}", "/s", ours, before=before, target="≥ 50 /s"),
    ]


def _burst(site: Site) -> Row:
    """Measure ten customers who ask at the same time."""
    model_ms, rounds = site.plan.burst_ms, Rounds(list)
    site.pace(model_ms)
    for side, job in _posts(site, AT_ONCE):
        rounds["took", side].append(max(site.drivers.ask(job | {"times": 1})["took_ms"]))
    name, note = f"{AT_ONCE} requests at once", f"the model takes {model_ms} ms for each"
    given = {"target": f"≤ {2 * model_ms} ms", "criterion": True, "note": note}
    return compared(rounds, "post", f"{name}, until the last answer", "ms", "took", **given)
