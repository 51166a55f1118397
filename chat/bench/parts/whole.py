"""``POST /api/chat``, and the requester's "before" beside it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from chat.bench.figures import median, percentile
from chat.bench.parts.context import Context
from chat.bench.plan import WHOLE_MS
from chat.bench.rows import Row
from chat.bench.targets import Target

#: What each side is asked. The relay asks the model for a whole answer; "streaming" is the relay
#: that reads it as a stream, as ours does: to stop it, to bound it and to look at it.
PATHS = {"ours": "/api/chat", "relay": "/whole", "streaming": "/collected", "naive": "/chat"}
MESSAGE = {"message": "Bonjour"}
#: As in the requester's first test.
AT_ONCE = 10
WARM_S = 0.2

Rounds = dict[str, dict[str, list[float]]]


def measure(context: Context) -> list[Row]:
    rows: list[Row] = []
    context.site.pace(WHOLE_MS, 0)
    for concurrent in context.plan.concurrent:
        rounds: Rounds = defaultdict(lambda: defaultdict(list))
        for number in range(context.plan.rounds):
            # "Before" serves one after another whatever it is asked: one round tells it.
            for side in [side for side in PATHS if side != "naive" or not number]:
                context.tell(f"POST, {concurrent} at once, {side}, round {number + 1}")
                _one(context, side, concurrent, rounds)
        rows += _rows(concurrent, rounds)
    return [*rows, *_bursts(context)]


def _url(context: Context, side: str) -> str:
    site = context.site
    return {"ours": site.url, "naive": site.naive_url}.get(side, site.relay_url)


def _job(context: Context, side: str, concurrent: int) -> dict[str, Any]:
    return {
        "url": _url(context, side),
        "headers": context.site.headers if side == "ours" else {},
        "method": "POST",
        "path": PATHS[side],
        "body": MESSAGE,
        "concurrent": concurrent,
    }


def _one(context: Context, side: str, concurrent: int, rounds: Rounds) -> None:
    job = _job(context, side, concurrent) | {
        "kind": "requests",
        "warm_s": WARM_S,
        "seconds": context.plan.post_s,
        "pids": context.site.pids,
    }
    found = context.site.drivers.ask(job)
    context.failures += found["failures"]
    took = found["took_ms"]
    rounds["rate"][side].append(len(took) / found["seconds"])
    if took:
        over = [ms - WHOLE_MS for ms in took]
        rounds["p50"][side].append(median(over))
        rounds["p95"][side].append(percentile(over, 0.95))


def _rows(concurrent: int, rounds: Rounds) -> list[Row]:
    at = f"{concurrent} at once"
    rate = Target(0.8, "at least", "ratio") if concurrent > 1 else None
    p95 = Target(200, "at most") if concurrent > 1 else None
    rows = [
        _row(f"POST /api/chat, requests per second, {at}", "/s", rounds["rate"], rate),
        _row(f"POST /api/chat, overhead, P50, {at}", "ms", rounds["p50"]),
        _row(f"POST /api/chat, overhead, P95, {at}", "ms", rounds["p95"], p95, criterion=True),
    ]
    if concurrent > 1:
        rows += _more(concurrent, rounds)
    else:
        ours, floor = rounds["p50"]["ours"], rounds["p50"]["relay"]
        added = tuple(a - b for a, b in zip(ours, floor, strict=False))
        rows.append(
            Row(
                part="post",
                name="POST /api/chat, added to the floor, 1 at once",
                unit="ms",
                ours=added,
                target=Target(5, "at most"),
                criterion=True,
            )
        )
    return rows


def _more(concurrent: int, rounds: Rounds) -> list[Row]:
    ours, streaming = rounds["rate"]["ours"], rounds["rate"]["streaming"]
    return [
        Row(
            part="post",
            name=f"the same beside a relay that streams, {concurrent} at once",
            unit="/s",
            ours=tuple(ours),
            floor=tuple(streaming),
        ),
        Row(
            part="post",
            name=f"the same beside the requester's 50, {concurrent} at once",
            unit="/s",
            ours=tuple(ours),
            before=tuple(rounds["rate"]["naive"]),
            target=Target(50, "at least"),
            criterion=True,
        ),
    ]


def _row(
    name: str,
    unit: str,
    rounds: dict[str, list[float]],
    target: Target | None = None,
    *,
    criterion: bool = False,
) -> Row:
    return Row(
        part="post",
        name=name,
        unit=unit,
        ours=tuple(rounds["ours"]),
        floor=tuple(rounds["relay"]),
        before=tuple(rounds["naive"]),
        target=target,
        criterion=criterion,
        note=f"the model takes {WHOLE_MS} ms, which are taken off" if unit == "ms" else "",
    )


def _bursts(context: Context) -> list[Row]:
    """Ten customers ask at the same moment: the requester's first test."""
    model_ms = context.plan.burst_ms
    context.site.pace(model_ms, 0)
    took: dict[str, list[float]] = defaultdict(list)
    for number in range(context.plan.rounds):
        for side in [side for side in PATHS if side != "naive" or not number]:
            context.tell(f"{AT_ONCE} requests at once, {side}")
            found = context.site.drivers.ask(_job(context, side, AT_ONCE) | {"kind": "burst"})
            took[side] += found["took_ms"]
    row = _row(
        f"{AT_ONCE} requests at once, until the last answer",
        "ms",
        took,
        Target(2 * model_ms, "at most"),
        criterion=True,
    )
    return [replace(row, note=f"the model takes {model_ms} ms for each")]
