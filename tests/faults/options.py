"""How a cluster is to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """``patches``: of every worker. ``crashes``: points at which the first ones die, one each.

    ``environ``: over the suite's own.
    """

    workers: int = 2
    patches: tuple[str, ...] = ()
    crashes: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()
    redis_at_start: bool = True

    @property
    def lasts(self) -> bool:
        """Whether what is played in such a cluster leaves it as it was."""
        return self.redis_at_start and not self.crashes
