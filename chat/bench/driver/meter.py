"""What clients saw, within the seconds that count."""

from __future__ import annotations

import asyncio
import json
import os
import time
from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from chat.bench.machine import busy_s, cpu_s

clock = time.perf_counter


@dataclass(frozen=True, slots=True)
class Script:
    """What the model says, and when: token n comes ``first_s + n * interval_s`` after the ask."""

    tokens: tuple[str, ...]
    first_s: float
    interval_s: float

    @property
    def chars(self) -> int:
        return sum(map(len, self.tokens))

    def ends(self) -> list[int]:
        """After how many characters each token is whole."""
        return list(accumulate(map(len, self.tokens)))


@dataclass(slots=True)
class Meter:
    """``first_ms``, ``token_ms``, ``last_ms``: how much later than the model said it, the first
    text, each token and the end of an answer were here.
    """

    script: Script
    detailed: bool
    begin: float = float("inf")
    end: float = float("inf")
    chars: int = 0
    turns: int = 0
    #: Answers that came to an end, whenever.
    ended: int = 0
    failures: list[str] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    token_ms: list[float] = field(default_factory=list)
    last_ms: list[float] = field(default_factory=list)
    _ends: list[int] = field(default_factory=list)
    _goal: int = 0
    _reached: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._ends = self.script.ends()

    def counts(self, at: float) -> bool:
        return self.begin <= at < self.end

    def begun(self, asked_at: float) -> Answer:
        return Answer(self, asked_at)

    async def reach(self, ended: int, at_most_s: float) -> None:
        """Wait until so many answers have ended, but no longer than this."""
        self._goal = ended
        if self.ended < ended:
            self._reached.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(at_most_s):
                    await self._reached.wait()

    def failed(self, reason: str) -> None:
        self.failures.append(reason)


@dataclass(slots=True)
class Answer:
    """One answer as it comes."""

    meter: Meter
    asked_at: float
    had: int = 0

    def take(self, texts: list[bytes], at: float) -> bool:
        """Note these events, which came then; return whether the answer's last was among them.

        Raises:
            ValueError: it ended with an error.
        """
        for raw in texts:
            event = json.loads(raw)
            match event.get("type"):
                case "message.delta":
                    self._note(len(event["text"]), at)
                case "message.done" if event["message"]["author"] == "assistant":
                    self._done(at)
                    return True
                case "error":
                    raise ValueError(f"error: {event['code']}")
        return False

    def _note(self, chars: int, at: float) -> None:
        meter = self.meter
        if meter.counts(at):
            meter.chars += chars
        if meter.counts(self.asked_at) and not self.had:
            meter.first_ms.append((at - self.asked_at - meter.script.first_s) * 1000)
        if meter.detailed and meter.counts(self.asked_at):
            script, ends = meter.script, meter._ends
            since = at - self.asked_at - script.first_s
            whole = bisect_left(ends, self.had + 1), bisect_left(ends, self.had + chars + 1)
            meter.token_ms += [(since - n * script.interval_s) * 1000 for n in range(*whole)]
        self.had += chars

    def _done(self, at: float) -> None:
        script = self.meter.script
        self.meter.ended += 1
        if self.meter.ended >= self.meter._goal:
            self.meter._reached.set()
        if self.had != script.chars:
            raise ValueError(f"{self.had} characters came instead of {script.chars}")
        if self.meter.counts(at):
            self.meter.turns += 1
            spoken_s = script.first_s + len(script.tokens) * script.interval_s
            self.meter.last_ms.append((at - self.asked_at - spoken_s) * 1000)


@dataclass(slots=True)
class Usage:
    """CPU time of processes from ``begin`` to ``end``, this one's as "driver"; "all": of all."""

    pids: dict[str, int]
    _at: float = 0.0
    _before: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)

    def begin(self) -> None:
        self._at, self._before = clock(), self._read()

    def end(self) -> None:
        self.seconds = clock() - self._at
        self.cpu = {name: used - self._before[name] for name, used in self._read().items()}

    def _read(self) -> dict[str, float]:
        used = {name: cpu_s(pid) for name, pid in {**self.pids, "driver": os.getpid()}.items()}
        return used | {"all": busy_s()}

    def to_json(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "cpu": self.cpu}
