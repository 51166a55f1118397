"""How much is measured: sizes of a run, from a smoke test to the whole."""

from __future__ import annotations

from dataclasses import dataclass

#: Of every answer.
TOKENS = 40
#: For ``POST /api/chat``: a whole answer after so long.
WHOLE_MS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``first_token_ms``, ``tokens_per_s``: the model's pace where it streams.

    ``levels``: conversations at once; ``detailed``: those where each text is timed.
    ``wave_max_s``: how long all customers may take to have one answer each.
    ``concurrent``: requests at once, one first. ``*_s``: seconds of one measurement.
    ``burst_ms``: the model's time when ten ask at once. ``flat_*``: turns and connections over
    which a worker's memory is looked at. ``all_cores``: whether two workers are measured even where
    there are too few cores to tell.
    """

    name: str
    rounds: int
    first_token_ms: int = 200
    tokens_per_s: float = 50.0
    levels: tuple[int, ...]
    detailed: tuple[int, ...]
    wave_max_s: float
    stream_s: float
    post_s: float
    concurrent: tuple[int, ...] = (1, 50)
    burst_ms: int
    sessions: tuple[int, ...]
    lengths: tuple[int, ...] = (1, 20, 200)
    samples: int
    idle_sockets: int
    flat_turns: int
    flat_connections: int
    all_cores: bool = True

    @property
    def saturated(self) -> int:
        return self.levels[-1]

    @property
    def turn_s(self) -> float:
        """What the model takes for one answer: nobody can ask more often."""
        return self.first_token_ms / 1000 + TOKENS / self.tokens_per_s


FULL = Plan(
    name="full",
    rounds=3,
    levels=(1, 10, 20, 50, 200, 500),
    detailed=(1, 20),
    wave_max_s=20,
    stream_s=8,
    post_s=5,
    burst_ms=1000,
    sessions=(100, 10_000, 100_000, 1_000_000),
    samples=200,
    idle_sockets=1000,
    flat_turns=20_000,
    flat_connections=20_000,
)
QUICK = Plan(
    name="quick",
    rounds=1,
    levels=(20, 500),
    detailed=(20,),
    wave_max_s=10,
    stream_s=1.5,
    post_s=0.5,
    burst_ms=100,
    sessions=(100, 10_000),
    samples=50,
    idle_sockets=300,
    flat_turns=200,
    flat_connections=200,
    all_cores=False,
)
#: For the tests: every part, next to nothing of each.
SMOKE = Plan(
    name="smoke",
    rounds=1,
    first_token_ms=20,
    tokens_per_s=1000,
    levels=(1, 2),
    detailed=(1,),
    wave_max_s=5,
    stream_s=0.6,
    post_s=0.2,
    concurrent=(1, 3),
    burst_ms=20,
    sessions=(10, 50),
    lengths=(1, 4),
    samples=3,
    idle_sockets=5,
    flat_turns=4,
    flat_connections=4,
)
PLANS = {plan.name: plan for plan in (FULL, QUICK, SMOKE)}
