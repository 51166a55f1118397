"""How a cluster is to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """``patches``: of every worker. ``crashes``: points at which the first ones die, one each.

    ``environ``: over the suite's own.
    """

    workers: int = 2
    patches: Sequence[str] = ()
    crashes: Sequence[str] = ()
    environ: tuple[tuple[str, str], ...] = ()
    redis_at_start: bool = True
