"""The local assistant as a child of the server."""

from __future__ import annotations

import re
import subprocess  # nosec B404
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.management import CommandError

from meuble_project.env import ROOT

COMMAND = (
    sys.executable,
    "-m",
    "chat.management.lifeline",
    "local_assistant",
    "--port",
    "0",
)
#: On a slow machine Python and Django take seconds to load.
START_S = 30
END_S = 5


@contextmanager
def local_assistant(command: Sequence[str] = COMMAND) -> Iterator[str]:
    """Have the local assistant run while inside; yields its URL, like "http://127.0.0.1:54321/v1".

    It ends with this process, however this one ends.

    Raises:
        CommandError: it did not start.
    """
    process = subprocess.Popen(  # noqa: S603 - a command of ours # nosec B603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
        start_new_session=True,  # Ctrl-C is for the server, whose turns still need the model
    )
    try:
        yield _url_of(process)
    finally:
        _end(process)


def _url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # nosec B101
    too_late = threading.Timer(START_S, process.kill)
    too_late.start()
    line = process.stdout.readline()  # the only one it prints
    too_late.cancel()
    url = re.search(r"https?://\S+", line)
    if url is None:
        raise CommandError(f"L'assistant local n'a pas démarré. {line}".strip())
    return url.group()


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None  # nosec B101
    assert process.stdout is not None  # nosec B101
    process.stdin.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
