"""Watchdog of the event loop: logs each stall with its duration, processor time and stack.

A signal handler takes the stack, since Python runs it in the loop's own thread: between two
instructions, or inside a regular expression, which polls for signals. Another thread would wait for
the interpreter lock, which the expression holds; ``faulthandler`` reads the frames without that
lock and crashes the process now and then.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from chat.core import metrics

logger = logging.getLogger(__name__)

#: Lag above which the loop counts as stalled.
STALL_S = 1.0
#: Interval of the heartbeat on the loop.
BEAT_S = 0.25
#: Number of innermost calls of a stack that are logged.
MAX_CALLS = 30
UNKNOWN = "not known: the loop is not in the main thread, or another program uses SIGALRM"


async def watch_loop(stall_s: float = STALL_S) -> None:
    """Watch the running event loop until cancelled: log and count each stall of ``stall_s``.

    Takes stacks with ``SIGALRM`` and the process's real-time timer, if that signal is unused.
    """
    loop = asyncio.get_running_loop()
    with _stacks_taken() as stacks:
        while True:
            if stacks is not None:
                stacks.clear()
                signal.setitimer(signal.ITIMER_REAL, BEAT_S + stall_s)
            due, cpu_s = loop.time() + BEAT_S, time.thread_time()
            await asyncio.sleep(BEAT_S)
            late_s = loop.time() - due
            if late_s > stall_s:
                _report(late_s, time.thread_time() - cpu_s, stacks)


def _report(late_s: float, cpu_s: float, stacks: list[str] | None) -> None:
    metrics.loop_stalls.inc()
    metrics.loop_stall_seconds.inc(late_s)
    stack = UNKNOWN if stacks is None else "".join(stacks) or "not taken in time"
    logger.warning(
        "the event loop stood still for %.1f s, of which %.1f s on the processor",
        *(late_s, cpu_s),
        extra={"stack": stack},
    )


@contextmanager
def _stacks_taken() -> Iterator[list[str] | None]:
    """Yield the list to which each ``SIGALRM`` adds a stack, None where no handler can be set."""
    stacks: list[str] = []

    def take(_number: int, frame: FrameType | None) -> None:
        stacks.append("".join(traceback.format_stack(frame, MAX_CALLS)))

    try:
        is_free = signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
        if is_free:
            signal.signal(signal.SIGALRM, take)
    except ValueError:  # not the main thread
        is_free = False
    try:
        yield stacks if is_free else None
    finally:
        if is_free:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
