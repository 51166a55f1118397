"""Streamed answers: how late a text comes, how many turns a second, what each costs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from chat.bench.figures import median, percentile
from chat.bench.machine import can_tell, cores
from chat.bench.parts.context import Context, not_here
from chat.bench.plan import TOKENS
from chat.bench.rows import Row
from chat.bench.targets import Target

Side = Literal["ours", "relay"]
SIDES: tuple[Side, ...] = ("ours", "relay")
#: Customers do not all ask in the same moment; of fewer it makes no difference.
RAMP_S, RAMPED = 0.5, 10
#: Of the machine: with fewer, workers, model and clients take the cores from one another.
CORES_FOR_TWO = 4


@dataclass(slots=True)
class Seen:
    """What the rounds of one level gave, by side: one number a round."""

    numbers: dict[tuple[str, Side], list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: int = 0
    connections: list[int] = field(default_factory=list)

    def add(self, name: str, side: Side, value: float) -> None:
        self.numbers[name, side].append(value)

    def of(self, name: str, side: Side) -> tuple[float, ...]:
        return tuple(self.numbers[name, side])


def measure(context: Context, sides: Sequence[Side] = SIDES) -> list[Row]:
    script = context.pace()
    rows: list[Row] = []
    for level in context.plan.levels:
        seen = Seen()
        for number in range(context.plan.rounds):
            for side in sides:
                context.tell(f"{level} conversations, {side}, round {number + 1}")
                _one(context, seen, level, side, script)
        rows += _rows(context, level, seen)
    return rows


def measure_sockets(context: Context) -> list[Row]:
    """The same through WebSockets, as customers' pages talk, at one level."""
    script = context.pace()
    level = context.plan.detailed[-1]
    seen = Seen()
    for number in range(context.plan.rounds):
        for side in SIDES:
            context.tell(f"{level} sockets, {side}, round {number + 1}")
            _one(context, seen, level, side, script, by_socket=True)
    return [
        _row("sockets", f"first text added, P50, {level} WebSockets", "ms", seen, "first_p50"),
        _row("sockets", f"first text added, P95, {level} WebSockets", "ms", seen, "first_p95"),
        _row("sockets", f"turns per second, {level} WebSockets", "/s", seen, "turns"),
        _failures_row("sockets", level, seen),
    ]


def measure_workers(context: Context) -> list[Row]:
    """Two workers, which clients share, beside one."""
    level = context.plan.saturated
    few = "" if cores() >= CORES_FOR_TWO else f"{cores()} cores, shared with model and clients"
    one: list[float] = []
    two: list[float] = []
    if not few or context.plan.all_cores:
        _measure_workers(context, level, one, two)
    return [
        Row(
            part="workers",
            name=f"two workers to one, turns per second, {level} conversations",
            unit="×",
            ours=tuple(b / a for a, b in zip(one, two, strict=True) if a),
            target=Target(1.8, "at least"),
            unjudged=few,
            note=f"one {median(one):.0f}/s, two {median(two):.0f}/s" if one else "",
        )
    ]


def _measure_workers(context: Context, level: int, one: list[float], two: list[float]) -> None:
    script = context.pace()
    second = context.site.start_worker(context.site.redis.url)
    both = [context.site.url, second.url()]
    for number in range(context.plan.rounds):
        for urls, found in ((both[:1], one), (both, two)):
            context.tell(f"{len(urls)} worker(s), round {number + 1}")
            job = _job(context, level, "ours", script) | {"url": urls}
            found.append(_turns(context.site.drivers.share(job), script))
    second.end()


def _one(
    context: Context,
    seen: Seen,
    level: int,
    side: Side,
    script: dict[str, Any],
    *,
    by_socket: bool = False,
) -> None:
    job = _job(context, level, side, script)
    if by_socket:
        path = "/ws/chat/" if side == "ours" else "/socket"
        job |= {"path": path, "cookies": context.site.cookies(level)}

    def look() -> None:
        time.sleep(job["ramp_s"] + context.plan.turn_s + context.plan.stream_s / 2)
        clients = context.site.redis.info("clients")["connected_clients"]
        seen.connections.append(clients - 1)  # the one that asks

    found = context.site.drivers.share(job, look if side == "ours" else None)
    _note(context, seen, side, found, script)


def _job(context: Context, level: int, side: Side, script: dict[str, Any]) -> dict[str, Any]:
    site, plan = context.site, context.plan
    return {
        "kind": "stream",
        "url": [site.url if side == "ours" else site.relay_url],
        "path": "/api/chat" if side == "ours" else "/stream",
        "headers": site.headers if side == "ours" else {},
        "conversations": level,
        "ramp_s": RAMP_S if level >= RAMPED else 0,
        "wave_max_s": plan.wave_max_s,
        "seconds": plan.stream_s,
        "script": script,
        "detailed": level in plan.detailed,
        "pids": site.pids,
        # Ours goes on without its listeners; the relay's ends with them.
        "drain": side == "ours",
    }


def _turns(found: dict[str, Any], script: dict[str, Any]) -> float:
    """Answers a second, by the text that came: whole answers are few and come in waves."""
    chars = sum(map(len, script["tokens"]))
    return float(found["chars"] / chars / found["seconds"])


def _note(
    context: Context, seen: Seen, side: Side, found: dict[str, Any], script: dict[str, Any]
) -> None:
    turns = _turns(found, script)
    seen.add("turns", side, turns)
    seen.failures += len(found["failures"])
    context.failures += found["failures"]
    cpu = found["cpu"]
    if turns:
        seen.add("cpu_turn", side, 1000 * cpu[side] / found["seconds"] / turns)
        seen.add("cpu_token", side, 1000 * cpu[side] / found["seconds"] / turns / TOKENS)
    seen.add("share", side, cpu[side] / found["seconds"])
    context.model_busiest = max(context.model_busiest, cpu["model"] / found["seconds"])
    for name in ("first_ms", "token_ms", "last_ms"):
        if found[name]:
            short = name.removesuffix("_ms")
            seen.add(f"{short}_p50", side, median(found[name]))
            seen.add(f"{short}_p95", side, percentile(found[name], 0.95))


def _rows(context: Context, level: int, seen: Seen) -> list[Row]:
    at = f"{level} conversation{'s' if level > 1 else ''}"
    rows = []
    if level in context.plan.detailed:
        judged = level == 20
        most = Target(1.3, "at most", "ratio") if judged else None
        soon = Target(15, "at most") if judged else None
        told = "over the model's own time"
        rows += [
            _row("first text", f"first text added, P50, {at}", "ms", seen, "first_p50", most, told),
            _row("first text", f"first text added, P95, {at}", "ms", seen, "first_p95", soon),
            _row(
                "first text",
                f"each token added, P50, {at}",
                "ms",
                seen,
                "token_p50",
                note="ours waits up to 30 ms to send several as one",
            ),
            _row("first text", f"end of the answer added, P50, {at}", "ms", seen, "last_p50"),
        ]
    best = level == context.plan.saturated and level >= 500
    turns = Target(2.2, "at least", "ratio") if best else None
    offered = level / context.plan.turn_s
    if level == 200:
        turns = Target(0.95 * offered, "at least")
    half = Target(0.5, "at most", "ratio") if best else None
    shares = (seen.of("share", "ours"), seen.of("share", "relay"))
    busy = " and ".join(f"{median(share):.0%}" for share in shares if share)
    rows += [
        _row(
            "turns",
            f"turns per second, {at}",
            "/s",
            seen,
            "turns",
            turns,
            f"offered {offered:.0f}/s; our process and the floor's used {busy} of a core",
        ),
        _row("turns", f"CPU per turn, {at}", "ms", seen, "cpu_turn", unjudged=not_here(can_tell())),
        _row(
            "turns",
            f"CPU per token, {at}",
            "ms",
            seen,
            "cpu_token",
            half,
            unjudged=not_here(can_tell()),
        ),
        _failures_row("turns", level, seen),
    ]
    if level == context.plan.saturated:
        rows.append(
            Row(
                part="turns",
                name=f"Redis connections, {at}",
                unit="",
                ours=tuple(map(float, seen.connections)),
                target=Target(19, "at most"),
            )
        )
    return rows


def _row(
    part: str,
    name: str,
    unit: str,
    seen: Seen,
    figure: str,
    target: Target | None = None,
    note: str = "",
    unjudged: str = "",
) -> Row:
    return Row(
        part=part,
        name=name,
        unit=unit,
        ours=seen.of(figure, "ours"),
        floor=seen.of(figure, "relay"),
        target=target,
        note=note,
        unjudged=unjudged,
    )


def _failures_row(part: str, level: int, seen: Seen) -> Row:
    return Row(
        part=part,
        name=f"answers that failed, {level} at once",
        unit="",
        ours=(float(seen.failures),),
        target=Target(0, "at most"),
        note="ours and the floor's together",
    )
