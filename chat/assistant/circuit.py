"""A circuit breaker around the model: once it keeps failing, fail at once, probe now and then."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from chat.core.errors import AssistantUnavailable


class Circuit:
    """Closed, then open after failures in a row. For calls that end later than they begin.

    While it is open, one call at a time is let through as a probe, and only its end counts.

    Args:
        failures: calls in a row that open the circuit.
        reset_s: how long it stays open before a probe.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, failures: int, reset_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_failures = failures
        self._reset_s = reset_s
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._probe: Call | None = None

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    def admit(self) -> Call:
        """Return the call that may be made now: to be entered (``with``), or ended by hand.

        Raises:
            AssistantUnavailable: open, or another call is the probe.
        """
        call = Call(self)
        if self._opened_at is None:
            return call
        wait_s = self._opened_at + self._reset_s - self._clock()
        if wait_s > 0 or self._probe is not None:
            raise AssistantUnavailable(retry_after_s=max(1, math.ceil(wait_s)))
        self._probe = call
        return call

    def end(self, call: Call, has_succeeded: bool | None) -> None:
        """Count how a call ended, None where it says nothing about the model. See ``Call``."""
        is_probe = self._probe is call
        if is_probe:
            self._probe = None
        if has_succeeded is None or (self.is_open and not is_probe):
            return
        if has_succeeded:
            self._failures, self._opened_at = 0, None
            return
        self._failures += 1
        if is_probe or self._failures >= self._max_failures:
            self._opened_at = self._clock()


class Call:
    """A call that a circuit admitted. What is told of it first counts.

    A block that it is entered for ends it as left, however the block itself ends: a probe of which
    nothing is told would keep the circuit open for ever.
    """

    __slots__ = ("_circuit", "_is_over")

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._is_over = False

    def succeeded(self) -> None:
        self._end(True)

    def failed(self) -> None:
        self._end(False)

    def left(self) -> None:
        """The call ended for a reason that says nothing about the model."""
        self._end(None)

    def _end(self, has_succeeded: bool | None) -> None:
        if not self._is_over:
            self._is_over = True
            self._circuit.end(self, has_succeeded)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.left()
