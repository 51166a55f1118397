"""How fast one socket may ask. Pure."""

from __future__ import annotations


class Pace:
    """A purse of ``burst`` coins that gets ``per_s`` new ones a second.

    ``now``: seconds of any clock. ``slowed_s``: how long it has made its owner wait in a row.
    """

    def __init__(self, burst: float, per_s: float, now: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._coins = burst
        self._at = now
        self.slowed_s = 0.0

    def wait_s(self, now: float, coins: float = 1) -> float:
        """Pay, on credit if need be; return the seconds until all is paid back."""
        self._coins = min(self._burst, self._coins + (now - self._at) * self._per_s) - coins
        self._at = now
        wait_s = max(0.0, -self._coins / self._per_s)
        self.slowed_s = self.slowed_s + wait_s if wait_s else 0.0
        return wait_s
