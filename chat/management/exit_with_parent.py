"""Processes that end with the one that started them, however that one ends, ``kill -9`` included.

The child's standard input is a pipe that its parent holds open; the system closes it.
``python -m chat.management.lifeline COMMAND…`` runs a command of ``manage.py`` so.
"""

from __future__ import annotations

import os
import re
import subprocess  # nosec B404
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.core.management import execute_from_command_line

from meuble_project.env import ROOT

#: On a slow machine Python and Django take seconds to load.
START_S = 60
END_S = 5


class ChildFailed(Exception):
    """A process did not start, ended, or could not do its work; the text says what."""


class Child:
    """A process that ends when its standard input does. ``log``: where its errors are appended,
    by default to this process's own.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._name, self._log = name, log
        errors = log.open("ab") if log else None
        self.process = subprocess.Popen(  # noqa: S603 - a command of ours # nosec B603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env=environ,
            text=True,
            start_new_session=True,  # Ctrl-C is for the parent, which ends its children
        )
        if errors:
            errors.close()
        assert self.process.stdin is not None  # nosec B101
        assert self.process.stdout is not None  # nosec B101
        self.input, self._output = self.process.stdin, self.process.stdout

    def line(self, timeout_s: float = START_S) -> str:
        """Return the next line that it prints.

        Raises:
            ChildFailed: it ended, or printed nothing in that time; it is killed then.
        """
        too_late = threading.Timer(timeout_s, self.process.kill)
        too_late.start()
        line = self._output.readline()
        too_late.cancel()
        if not line:
            log = self._log.read_text(errors="replace")[-2000:].strip() if self._log else ""
            raise ChildFailed(f"{self._name} ended. Its log: {log or 'empty'}")
        return line.strip()

    def url(self) -> str:
        """Wait until it says where it listens.

        Raises:
            ChildFailed: it ended before.
        """
        while (found := re.search(r"https?://\S+", self.line())) is None:
            pass
        return found.group()

    def end(self, *, politely: bool = False, timeout_s: float = END_S) -> None:
        """Stop it. ``politely``: as an operator does, which lets it finish."""
        if politely and self.process.poll() is None:
            self.process.terminate()
        else:
            self.input.close()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.input.close()
        self._output.close()


def end_with_input() -> None:
    """Wait for the end of standard input, then leave."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    execute_from_command_line(sys.argv)
