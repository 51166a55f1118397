"""Dependency container of a worker: builds each part lazily, and closes it once.

A ``Part`` is declared in the module of its type, with the function that builds it. A ``Runtime``
builds each part at its first use, caches it and closes it. ``Part.get`` uses the current runtime:
the one that ``use`` set for this context, else the one of the process.

    #: The conversations of this worker.
    STORE: Part[Store] = Part("store", build_store)

    session = await STORE.get().load(session_id, owner)

Tests and ``evaluate`` replace parts explicitly, never by patching names in modules:

    with runtime.override(STORE.to(store), LLM_CLIENT.to(FakeLLM())):
        ...

The runtime of the process is stored in a plain attribute, not in a context variable: asgiref starts
consumers, and asyncio runs the functions of executors, in empty contexts.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Sentinels for a part that is not built, and for a part that must not be used.
_MISSING: Any = object()
_REFUSED: Any = object()


class Part(Generic[T]):
    """A dependency of the worker, built once per runtime by ``build``.

    ``build`` may use other parts; it must not block or do I/O, since it runs under the runtime's
    lock. ``close`` is called when the runtime is closed, in the reverse order of building.
    """

    __slots__ = ("_build", "_close", "name")

    def __init__(
        self, name: str, build: Callable[[], T], *, close: Callable[[T], object] | None = None
    ) -> None:
        self.name = name
        self._build = build
        self._close = close

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def get(self) -> T:
        """Return the part of the current runtime, built at its first use. Thread-safe.

        Raises:
            RuntimeError: it was replaced by ``refusing()``.
        """
        runtime = _used.get() or _slot.runtime
        found = runtime._values.get(self, _MISSING)
        return cast(T, found if found is not _MISSING else runtime._built(self))

    def peek(self) -> T | None:
        """Return the part if the current runtime has already built it, else None."""
        return cast("T | None", current()._values.get(self))

    def to(self, value: T) -> Replacement:
        """Return the replacement of this part by ``value``, for ``override`` and ``Runtime``."""
        return Replacement(self, value)

    def refusing(self) -> Replacement:
        """Return a replacement that makes ``get`` raise, for code that must not use this part."""
        return Replacement(self, _REFUSED)


class LoopPart(Part[T]):
    """A part that belongs to one event loop: connections, locks, tasks, listeners.

    A runtime serves one open loop. Once that loop is closed, the next one gets new parts, so a
    command may call ``asyncio.run`` several times. A replacement (``override``, ``Runtime``) is
    shared by all loops.

    ``aclose`` is awaited by ``Runtime.aclose`` on the loop.
    """

    __slots__ = ("_aclose",)

    def __init__(
        self,
        name: str,
        build: Callable[[], T],
        *,
        aclose: Callable[[T], Awaitable[object]] | None = None,
    ) -> None:
        super().__init__(name, build)
        self._aclose = aclose

    def get(self) -> T:
        """Return the part of the running event loop, built at its first use.

        Raises:
            RuntimeError: no event loop is running, the runtime serves another loop that is still
                open, or the part was replaced by ``refusing()``.
        """
        runtime = _used.get() or _slot.runtime
        loop = asyncio.get_running_loop()
        if runtime._loop is not loop:
            runtime._move_to(loop)
        found = runtime._values.get(self, _MISSING)
        return cast(T, found if found is not _MISSING else runtime._built(self))


@dataclass(frozen=True, slots=True)
class Replacement:
    """A value for a part. Made by ``Part.to``, which checks its type."""

    part: Part[Any]
    value: object


class Runtime:
    """The parts of one worker.

    ``given``: replacements, used instead of building the part. ``close`` skips them: their creator
    owns them.
    """

    def __init__(self, *given: Replacement) -> None:
        self._given = {one.part: one.value for one in given}
        #: In the order of building.
        self._values: dict[Part[Any], Any] = {
            part: value for part, value in self._given.items() if value is not _REFUSED
        }
        self._loop: asyncio.AbstractEventLoop | None = None
        #: Re-entrant: the function that builds a part may use another part.
        self._lock = threading.RLock()

    def restarted(self) -> Runtime:
        """Return a new runtime with the same replacements and no built parts."""
        return Runtime(*(Replacement(part, value) for part, value in self._given.items()))

    def close(self) -> None:
        """Close all built parts except ``LoopPart``. Blocks while their threads end.

        An exception is logged and does not keep the other parts from being closed.
        """
        for part, value in reversed(list(self._values.items())):
            if part not in self._given and not isinstance(part, LoopPart):
                self._values.pop(part, None)
                try:
                    if part._close is not None:
                        part._close(value)
                except Exception:
                    logger.exception("closing the %s failed", part.name)

    async def aclose(self) -> None:
        """Close the parts of the running event loop, for a loop that ends before the process."""
        if self._loop is not asyncio.get_running_loop():
            return
        for part, value in reversed(list(self._values.items())):
            if isinstance(part, LoopPart) and part not in self._given:
                self._values.pop(part, None)
                try:
                    if part._aclose is not None:
                        await part._aclose(value)
                except Exception:
                    logger.exception("closing the %s failed", part.name)

    def _built(self, part: Part[Any]) -> Any:
        with self._lock:
            if part in self._values:  # another thread was faster
                return self._values[part]
            if self._given.get(part) is _REFUSED:
                raise RuntimeError(f"the {part.name} was asked for, and must not be needed here")
            value = part._build()
            self._values[part] = value
            return value

    def _move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Switch to another event loop: drop the loop parts of the closed one."""
        with self._lock:
            if self._loop is not None and not self._loop.is_closed():
                raise RuntimeError(
                    "this runtime serves another event loop, which is not closed: give each loop "
                    "a runtime of its own (`runtime.use`)"
                )
            for part in list(self._values):
                if isinstance(part, LoopPart) and part not in self._given:
                    del self._values[part]
            self._loop = loop

    @contextmanager
    def _replaced(self, replacements: tuple[Replacement, ...]) -> Iterator[None]:
        with self._lock:
            given, loop = dict(self._given), self._loop
            before = {one.part: self._values.get(one.part, _MISSING) for one in replacements}
            for one in replacements:
                self._given[one.part] = one.value
                self._put(one.part, _MISSING if one.value is _REFUSED else one.value)
        try:
            yield
        finally:
            with self._lock:
                self._given = given
                for part, value in before.items():
                    is_of_left_loop = isinstance(part, LoopPart) and self._loop is not loop
                    is_stale = is_of_left_loop and part not in given
                    self._put(part, _MISSING if is_stale else value)

    def _put(self, part: Part[Any], value: Any) -> None:
        if value is _MISSING:
            self._values.pop(part, None)
        else:
            self._values[part] = value


class _Slot:
    """Holder of the process's runtime."""

    def __init__(self) -> None:
        self.runtime = Runtime()


_slot = _Slot()
_used: ContextVar[Runtime | None] = ContextVar("runtime", default=None)


def current() -> Runtime:
    """Return the runtime of this context, else of the process."""
    return _used.get() or _slot.runtime


@contextmanager
def override(*replacements: Replacement) -> Iterator[None]:
    """Replace parts of the current runtime inside the block, then restore them.

    All threads, tasks and contexts that use this runtime see the replacement, including consumers
    that a test starts in an empty context; other processes do not. Parts that were built from a
    replaced part are not rebuilt: override a part before its dependents are used.
    """
    with current()._replaced(replacements):
        yield


@contextmanager
def process(runtime: Runtime) -> Iterator[Runtime]:
    """Make this the runtime of the process inside the block: for tests, a worker that just started.

    The caller closes it.
    """
    before, _slot.runtime = _slot.runtime, runtime
    try:
        yield runtime
    finally:
        _slot.runtime = before


@contextmanager
def use(runtime: Runtime) -> Iterator[Runtime]:
    """Make this the runtime of the current context and of tasks started in it: for tests, a second
    worker in one process.

    ``run_in_executor`` runs functions in an empty context: they use the process's runtime.
    """
    token = _used.set(runtime)
    try:
        yield runtime
    finally:
        _used.reset(token)
