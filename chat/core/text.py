"""Unicode normal forms in linear time, and cached tables for folding characters. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Literal, TypeVar

#: Chunk size. A letter and its accent are not composed across a chunk boundary.
CHUNK_CHARS = 256
#: Maximum growth factor. Rare characters expand to 18 ("ﷺ"); none that we search for exceeds 4.
GROWTH = 4
#: Maximum number of cached characters of one table; Unicode has a million.
MAX_KNOWN_SIGNS = 4_000

Folded = TypeVar("Folded", bound=str | int | None)


class FoldingTable(dict[int, Folded]):
    """Table for ``str.translate`` that caches a pure function ``fold`` of the code point."""

    def __init__(self, fold: Callable[[int], Folded]) -> None:
        super().__init__()
        self._fold = fold

    def __missing__(self, code: int) -> Folded:
        folded = self._fold(code)
        if len(self) < MAX_KNOWN_SIGNS:
            self[code] = folded
        return folded


def normalized(form: Literal["NFD", "NFKC", "NFKD"], text: str) -> str:
    """Return the normal form of a text, chunk by chunk, truncated to ``GROWTH`` times its length.

    CPython sorts the combining marks of a run by insertion sort: 20,000 unsorted ones take 0.3 s.
    """
    if text.isascii():
        return text
    chunks = (text[at : at + CHUNK_CHARS] for at in range(0, len(text), CHUNK_CHARS))
    return "".join(unicodedata.normalize(form, chunk)[: GROWTH * CHUNK_CHARS] for chunk in chunks)
