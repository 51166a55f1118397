"""Long runs of a text that nobody may read, found word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from chat.assistant.guard.visible_text import letters, plain_signs

#: So many words in a row that stand so in the secret begin a run.
_RUN_WORDS = 4
#: A run of so many words is told; or a shorter one that is nearly all of its sentence.
LEAK_WORDS = 8
_ALMOST_ALL = 0.7
#: So many letters in a row, whatever stands between them, are a run as well.
WINDOW = 32
WORD = re.compile(r"[^\W_]+")
#: Nothing that a shop says has so long a word: base64, hexadecimal.
MAX_WORD_CHARS = 48


class Secret:
    """``text``: what must not be told, such as the instructions."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._runs: set[tuple[str, ...]] = set()
        self._windows: set[str] = set()
        for text in texts:
            words = WORD.findall(plain_signs(text))
            ends = range(_RUN_WORDS, len(words) + 1)
            self._runs.update(tuple(words[end - _RUN_WORDS : end]) for end in ends)
            plain = letters(text)
            self._windows.update(plain[at : at + WINDOW] for at in range(len(plain) - WINDOW + 1))

    def is_in(self, sentence: str) -> bool:
        """Whether a long run of its letters is there, however they are set apart or written."""
        plain = letters(sentence) if self._windows else ""
        return any(
            plain[at : at + WINDOW] in self._windows for at in range(len(plain) - WINDOW + 1)
        )

    def reader(self) -> Reader:
        return Reader(self._runs)


class Reader:
    """Reads one sentence as it grows. Positions count signs of the plain text."""

    def __init__(self, runs: set[tuple[str, ...]]) -> None:
        self._runs = runs
        self._words: list[str] = []
        self._starts: list[int] = []
        self._read = 0
        self._run = 0  # words of the run that goes on
        self._longest = 0
        self._leak_from: int | None = None

    def read(self, plain: str, *, to_end: bool = False) -> None:
        """Take the words that are complete by now."""
        if not self._runs:
            return
        for match in WORD.finditer(plain, self._read):
            if match.end() == len(plain) and not to_end:
                self._read = match.start()
                return
            self._words.append(match.group())
            self._starts.append(match.start())
            last = tuple(self._words[-_RUN_WORDS:])
            if last in self._runs:
                self._run = self._run + 1 if self._run else _RUN_WORDS
                self._longest = max(self._longest, self._run)
                if self._run == LEAK_WORDS and self._leak_from is None:
                    self._leak_from = self._starts[-self._run]
            else:
                self._run = 0
        self._read = len(plain)

    @property
    def held_from(self) -> int | None:
        """Where a run begins that the sentence may still be in, or that is a leak; else None."""
        if self._leak_from is not None:
            return self._leak_from
        return self._starts[-self._run] if self._run else None

    @property
    def is_leak(self) -> bool:
        if self._longest >= LEAK_WORDS:
            return True
        return self._longest >= _RUN_WORDS and self._longest >= _ALMOST_ALL * len(self._words)
