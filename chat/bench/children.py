"""Processes of a run: each ends with it, however it ends."""

from __future__ import annotations

import re
import subprocess  # nosec B404
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from meuble_project.env import ROOT

START_S = 60
END_S = 5


class CannotRun(Exception):
    """Something that the bench needs is missing, or did not start; the text says what."""


class Child:
    """A Python process of ours. Its standard input stays open as long as it is wanted."""

    def __init__(
        self, name: str, arguments: Sequence[str], *, log: Path, environ: dict[str, str]
    ) -> None:
        self.name = name
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - a command of ours # nosec B603
                [sys.executable, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env=environ,
                text=True,
                start_new_session=True,  # Ctrl-C is for the bench, which ends its children
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def input(self) -> IO[str]:
        assert self._process.stdin is not None  # nosec B101
        return self._process.stdin

    def line(self, timeout_s: float = START_S) -> str:
        """Return the next line that it prints.

        Raises:
            CannotRun: it ended, or said nothing in that time.
        """
        assert self._process.stdout is not None  # nosec B101
        too_late = threading.Timer(timeout_s, self._process.kill)
        too_late.start()
        line = self._process.stdout.readline()
        too_late.cancel()
        if not line:
            raise CannotRun(f"{self.name} ended. Its log: {self._tail()}")
        return line.strip()

    def url(self) -> str:
        """Wait until it says where it listens."""
        while (found := re.search(r"https?://[^\s/]+", line := self.line())) is None:
            if not line:
                raise CannotRun(f"{self.name} did not say where it listens")
        return found.group()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self, *, politely: bool = False) -> None:
        """Stop it. ``politely``: as an operator does, which lets it finish."""
        if politely and self._process.poll() is None:
            self._process.terminate()
        elif not self.input.closed:
            self.input.close()
        try:
            self._process.wait(END_S * 4 if politely else END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.input.close()
        assert self._process.stdout is not None  # nosec B101
        self._process.stdout.close()

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-2000:].strip() or "empty"
