"""What texts say, read once and kept: a message never changes. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

#: What one value of a text counts, in characters, beside the text itself.
_VALUE_CHARS = 50

Read = Callable[[str], frozenset[Any]]


class Readings:
    """Results of ``read(text)``; past ``max_chars``, what was unused longest goes."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._known: OrderedDict[tuple[Read, str], frozenset[Any]] = OrderedDict()
        self.chars = 0

    def get(self, read: Read, text: str) -> frozenset[Any] | None:
        known = self._known.get((read, text))
        if known is not None:
            self._known.move_to_end((read, text))
        return known

    def put(self, read: Read, text: str, values: frozenset[Any]) -> None:
        if (read, text) in self._known:
            return
        self._known[read, text] = values
        self.chars += _size(text, values)
        while self.chars > self._max_chars:
            (_, old), old_values = self._known.popitem(last=False)
            self.chars -= _size(old, old_values)

    def clear(self) -> None:
        self._known.clear()
        self.chars = 0


def _size(text: str, values: frozenset[Any]) -> int:
    return len(text) + _VALUE_CHARS * (1 + len(values))
