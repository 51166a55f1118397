"""The local assistant as a child of the server."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.management import CommandError

from chat.management.exit_with_parent import END_S, Child, ChildFailed

COMMAND = (
    sys.executable,
    "-m",
    "chat.management.exit_with_parent",
    "local_assistant",
    "--port",
    "0",
)


@contextmanager
def local_assistant(command: Sequence[str] = COMMAND, *, end_s: float = END_S) -> Iterator[str]:
    """Have the local assistant run while inside; yields its URL, like "http://127.0.0.1:54321/v1".

    It ends with this process, however this one ends; it is killed when that takes ``end_s``.

    Raises:
        CommandError: it did not start.
    """
    child = Child("local_assistant", command)
    try:
        try:
            url = child.url()
        except ChildFailed as error:
            raise CommandError("L'assistant local n'a pas démarré.") from error
        yield url
    finally:
        child.end(timeout_s=end_s)
