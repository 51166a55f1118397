"""From a seed: what customers do, and what goes wrong meanwhile. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.faults.answers import question
from tests.faults.options import Options


class What(StrEnum):
    """A thing that goes wrong. A worker's: the one that writes an answer just then."""

    KILL = "worker killed"
    FREEZE = "worker frozen"
    TERM = "worker stopped politely"
    HAND_OVER = "worker stopped before its answers ended"
    ROLL = "all workers replaced, one by one"
    CRASH = "workers die at planned points"
    REDIS_KILL = "Redis killed"
    REDIS_FREEZE = "Redis frozen"
    REDIS_FULL = "Redis full"
    REDIS_REPLICA = "Redis read-only: a replica of nobody"
    REDIS_ALONE = "Redis read-only: too few replicas"
    REDIS_LATE = "Redis away when workers started"
    RECONNECT = "all clients cut at once"
    MODEL = "model fails"
    SLOW = "clients that never read"
    FLOOD = "clients that flood"
    BOMBS = "frames that are bombs"
    FATAL = "questions that no worker survives"
    SLOW_TEXT = "text that is slow to read"
    UNREADABLE = "records that cannot be read"
    UNREADABLE_BACK = "records that cannot be read when Redis is back"
    STRANGE = "messages that no worker understands"
    STOP_AWAY = "worker stopped politely without Redis"
    CUT_OFF = "one worker cut off from Redis"
    TAKE_OVER = "adviser takes over while something is away"
    ERASE_BUSY = "erasure while the database is busy, then all workers killed"
    FLUSH = "all data of Redis lost"
    SECRETS = "secrets in addresses, headers and cookies"
    CROWD = "messages without end from one address, without Redis"


OF_REDIS = {what for what in What if what.value.startswith("Redis")}
#: What takes Redis from some worker, besides.
WITHOUT_REDIS = OF_REDIS | {
    What.UNREADABLE_BACK,
    What.STOP_AWAY,
    What.CUT_OFF,
    What.TAKE_OVER,
    What.CROWD,
    What.FLUSH,
}
OF_A_WORKER = {What.KILL, What.FREEZE, What.TERM, What.HAND_OVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """Happens once clients together heard ``after`` deltas more; undone after ``lasts_s``.

    ``cut_after_s``: all clients are cut besides, so long after it began. 0: they are not.
    """

    what: What
    after: int = 30
    lasts_s: float = 0.0
    cut_after_s: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)


class Then(StrEnum):
    """What a customer does while the answer is being written."""

    WAIT = "wait"
    GO_ON = "go on"  # asks the next question at once
    CUT = "cut"  # loses the connection
    STOP = "stop"
    TWIN = "twin"  # two tabs, on two workers, send the very same message
    ERASE = "erase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question. ``id`` is unique in the whole run, and stands in question and answer."""

    id: str
    words: int
    pause_s: float
    then: Then

    @property
    def text(self) -> str:
        return question(self.id, self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """``habits``: weights of what customers do. ``erasers``: visitors who erase at last.

    ``crashes``: points of ``crashes.py`` at which the first workers die, one each. For the other
    fields see ``Options``.
    """

    name: str
    strikes: tuple[Strike, ...] = ()
    visitors: int = 8
    tabs: int = 2
    questions: int = 3
    words: tuple[int, int] = (6, 16)
    habits: Mapping[Then, int] = field(
        default_factory=lambda: {Then.WAIT: 6, Then.GO_ON: 2, Then.CUT: 1, Then.STOP: 1}
    )
    erasers: int = 0
    workers: int = 2
    crashes: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()
    redis_at_start: bool = True
    wires: bool = False
    spoilt: bool = False

    def options(self, patches: tuple[str, ...] = ()) -> Options:
        """Return the cluster it is played in; with ``patches`` in every worker."""
        return Options(
            workers=self.workers,
            patches=patches,
            crashes=self.crashes,
            traps=self.traps,
            environ=self.environ,
            redis_at_start=self.redis_at_start,
            wires=self.wires,
            spoilt=self.spoilt,
        )

    @property
    def is_undisturbed(self) -> bool:
        """Whether nothing is struck in it and nobody stops an answer."""
        disturbed = self.strikes or self.crashes or self.traps or self.erasers
        return not (disturbed or self.habits.get(Then.STOP))

    @property
    def faults(self) -> str:
        named = [strike.what.value for strike in self.strikes]
        return ", ".join(dict.fromkeys(named)) or "none"


#: Of one visitor: what each tab does, in order.
Script = list[list[Ask]]


def scripts(scenario: Scenario, seed: int) -> list[Script]:
    """Return what every visitor does. The same seed always gives the same."""
    rng = random.Random(f"{scenario.name} {seed}")  # noqa: S311 - not a secret
    run = f"{rng.randrange(16**6):06x}"
    plays: list[Script] = []
    for visitor in range(scenario.visitors):
        script = [
            [_ask(rng, scenario, f"{run}v{visitor}t{tab}n{n}") for n in range(scenario.questions)]
            for tab in range(scenario.tabs)
        ]
        if visitor < scenario.erasers:
            script[0][-1] = _ask(rng, scenario, f"{run}v{visitor}t0n99", Then.ERASE)
        plays.append(script)
    return plays


def guest_script(plays: Sequence[Script], number: int, tabs: int, words: int) -> Script:
    """Return what a visitor does who comes in the middle of this play: one question a tab."""
    run = plays[0][0][0].id.partition("v")[0]
    ids = (f"{run}g{number}t{tab}n0" for tab in range(tabs))
    return [[Ask(id=id_, words=words, pause_s=0, then=Then.WAIT)] for id_ in ids]


def _ask(rng: random.Random, scenario: Scenario, id_: str, then: Then | None = None) -> Ask:
    habits = list(scenario.habits)
    weights = list(scenario.habits.values())
    return Ask(
        id=id_,
        words=rng.randint(*scenario.words),
        pause_s=rng.uniform(0.0, 0.25),
        then=then or rng.choices(habits, weights)[0],
    )
