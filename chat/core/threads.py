"""Thread pools of a worker, one for each kind of work that must not wait for another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from chat.core.runtime import Part

#: Maximum number of threads of each pool.
SIZES = {
    "access": 2,  # a hung database delays only the check of new API keys
    "aof": 1,  # a rewrite of Redis's append-only file takes minutes
    "erasures": 1,  # a hung database delays erasures only
    "limits": 4,  # concurrent calls to Redis for rate limits
    "lookup": 12,  # concurrent database reads that a customer waits for
    "lookup-interrupt": 2,  # cancels hung reads without waiting for them
    "mails": 1,  # a hung mail server delays mails only
    "numbers": 1,  # a hung database delays the daily statistics only
    "readyz": 1,  # a hung database blocks one check, not one per probe
    "rendering": 1,  # more threads would only compete with the event loop for the interpreter
}


class ThreadPools:
    """The pools of ``SIZES``, each created at its first use. Thread-safe."""

    def __init__(self) -> None:
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._lock = threading.Lock()

    def pool(self, name: str) -> ThreadPoolExecutor:
        """Return the pool of this name; its threads carry the name as their prefix."""
        found = self._pools.get(name)
        if found is not None:
            return found
        with self._lock:
            if name not in self._pools:
                self._pools[name] = ThreadPoolExecutor(SIZES[name], thread_name_prefix=name)
            return self._pools[name]

    def close(self) -> None:
        """Cancel queued work. Running work continues and is not waited for."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


THREADS: Part[ThreadPools] = Part("thread pools", ThreadPools, close=ThreadPools.close)
