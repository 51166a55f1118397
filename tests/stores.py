"""A store that fails, waits or acts where a test says so, and is a real one otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, cast

from chat.conversations.store.protocol import Store

#: Takes the store's own method and the arguments of a call, and returns what the call returns.
Act = Callable[..., Awaitable[Any]]
#: An exception that each call raises; one entry for each of the first calls (None: the call
#: succeeds), after which the store works; or what is done instead.
Fault = BaseException | type[BaseException] | Sequence[BaseException | None] | Act


class FaultyStore:
    """``inner``, but for the methods that have a fault.

        FaultyStore(store, finish=StoreUnavailable())                       # always
        FaultyStore(store, claim=[StoreUnavailable(), StoreUnavailable()])  # the first two calls
        FaultyStore(store, load=late)   # async def late(load, *args, **options): ...

    ``calls``: how often each method with a fault was called. It is no ``FailoverStore``, whatever
    ``inner`` is: where that matters, put the faults into a ``FailoverStore``'s own stores.
    """

    def __init__(self, inner: Store, **faults: Fault) -> None:
        for name in faults:
            if not callable(getattr(inner, name, None)):
                raise TypeError(f"a store has no method {name}")
        self._inner = inner
        self._faults = faults
        self._left: dict[str, Iterator[BaseException | None]] = {
            name: iter(one) for name, one in faults.items() if isinstance(one, Sequence)
        }
        self.calls = dict.fromkeys(faults, 0)

    @classmethod
    def of(cls, inner: Store, **faults: Fault) -> Store:
        """Return one, typed as what it stands for."""
        return cast("Store", cls(inner, **faults))

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._inner, name)
        if name not in self._faults:
            return own

        async def faulty(*arguments: Any, **options: Any) -> Any:
            return await self._call(name, own, arguments, options)

        return faulty

    async def _call(self, name: str, own: Act, arguments: Any, options: Any) -> Any:
        self.calls[name] += 1
        fault = self._faults[name]
        if isinstance(fault, Sequence):
            if (error := next(self._left[name], None)) is not None:
                raise error
            return await own(*arguments, **options)
        if isinstance(fault, BaseException | type):
            raise fault
        return await fault(own, *arguments, **options)
