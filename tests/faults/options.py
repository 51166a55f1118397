"""How a cluster is to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """``patches``: of every worker. ``crashes``: points at which the first ones die, one each.

    ``traps``: of every worker, see ``traps.py``. ``environ``: over the suite's own. ``wires``: each
    worker reaches Redis over a wire of its own. ``spoilt``: what is played in it leaves its
    database or its Redis different; the database is its own then.
    """

    workers: int = 2
    patches: tuple[str, ...] = ()
    crashes: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()
    redis_at_start: bool = True
    wires: bool = False
    spoilt: bool = False

    @property
    def lasts(self) -> bool:
        """Whether what is played in such a cluster leaves it as it was."""
        return self.redis_at_start and not self.crashes and not self.spoilt
