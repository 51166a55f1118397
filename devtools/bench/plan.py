"""Parameters of a bench run, from a smoke test to a full run, and the model's text."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

#: Tokens of every answer, counted like the local assistant (a full stop is one).
TOKENS = 40
ANSWER = " ".join(["Pour un petit salon mieux vaut choisir des meubles."] * (TOKENS // 10))
#: Delay of the model's whole answer for ``POST /api/chat``.
WHOLE_MS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One table of ``plans.toml``.

    ``first_token_ms``, ``tokens_per_s``: the model's pace when streaming. ``levels``: numbers of
    concurrent conversations; ``detailed``: those at which each text is timed. ``wave_max_s``:
    timeout until all customers have had an answer. ``concurrent``: numbers of concurrent requests,
    1 first. ``*_s``: duration of one measurement. ``burst_ms``: the model's delay in the burst of
    ten. ``flat_*``: turns and connections over which a worker's memory is measured. ``all_cores``:
    whether two workers are measured even with too few cores for a verdict.
    """

    name: str
    rounds: int
    first_token_ms: int
    tokens_per_s: float
    levels: list[int]
    detailed: list[int]
    wave_max_s: float
    stream_s: float
    post_s: float
    concurrent: list[int]
    burst_ms: int
    sessions: list[int]
    lengths: list[int]
    samples: int
    idle_sockets: int
    flat_turns: int
    flat_connections: int
    all_cores: bool

    @property
    def saturated(self) -> int:
        return self.levels[-1]

    @property
    def turn_s(self) -> float:
        """Duration of one answer of the model, a lower bound for a turn."""
        return self.first_token_ms / 1000 + TOKENS / self.tokens_per_s


def read_plans() -> dict[str, Plan]:
    tables = tomllib.loads(Path(__file__).with_name("plans.toml").read_text())
    return {name: Plan(name=name, **tables["full"] | table) for name, table in tables.items()}
