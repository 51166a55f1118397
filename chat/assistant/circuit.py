"""A circuit breaker around the model: once it keeps failing, fail at once, probe now and then."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime

import pybreaker

from chat.errors import AssistantUnavailable


class _ModelFailed(Exception):
    """Stands for any failure towards pybreaker."""


def _fail() -> None:
    raise _ModelFailed


class Circuit:
    """pybreaker's states, for calls that end later than they begin.

    Each admitted call must be followed by exactly one of ``succeeded``, ``failed``, ``left``.

    Args:
        failures: calls in a row that open the circuit.
        reset_s: how long it stays open before one call is let through as a probe.
    """

    def __init__(self, failures: int, reset_s: float) -> None:
        self._storage = pybreaker.CircuitMemoryStorage(pybreaker.STATE_CLOSED)
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=failures, reset_timeout=reset_s, state_storage=self._storage
        )
        self._reset_s = reset_s
        self._probing = False

    @property
    def is_open(self) -> bool:
        return self._breaker.current_state != pybreaker.STATE_CLOSED

    def admit(self) -> None:
        """Return when a call may be made now.

        Raises:
            AssistantUnavailable: open, or another call is the probe.
        """
        if not self.is_open:
            return
        wait_s = self._wait_s()
        if wait_s > 0 or self._probing:
            raise AssistantUnavailable(retry_after_s=max(1, math.ceil(wait_s)))
        self._probing = True

    def succeeded(self) -> None:
        self._probing = False
        with suppress(pybreaker.CircuitBreakerError):
            self._breaker.call(lambda: None)

    def failed(self) -> None:
        self._probing = False
        with suppress(pybreaker.CircuitBreakerError, _ModelFailed):
            self._breaker.call(_fail)

    def left(self) -> None:
        """The call ended for a reason that says nothing about the model."""
        self._probing = False

    def _wait_s(self) -> float:
        opened_at = self._storage.opened_at
        if opened_at is None:
            return 0.0
        return self._reset_s - (datetime.now(UTC) - opened_at).total_seconds()
