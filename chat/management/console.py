"""How the operators' commands speak: exit codes, Ctrl-C, progress on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, NoReturn, Protocol

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from chat.core.errors import StoreUnavailable


class Tell(Protocol):
    """Called with how much was done, how much there is as far as is known, and what is done now."""

    def __call__(self, done: int, total: int, now: str = "") -> None: ...


class Exit(IntEnum):
    """What a script reads of a command. ``docs/operations.md`` lists them."""

    FINE = 0
    FOUND = 1  # it did its work, and found something that is not as it should be
    CANNOT = 2  # it could not: wrong usage, or Redis does not answer
    NOT_FOUND = 3  # there is no such conversation
    INTERRUPTED = 130  # as shells say of Ctrl-C


class OperatorCommand(BaseCommand):
    """Says in one line what stopped it, where Python would show a traceback."""

    #: What the operator is told after Ctrl-C.
    interrupted = "Interrompu."

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except KeyboardInterrupt:
            print(f"\n{self.interrupted}", file=sys.stderr)  # noqa: T201 - stderr may be half told
            raise SystemExit(Exit.INTERRUPTED) from None
        except StoreUnavailable as error:
            raise cannot("Redis ne répond pas : rien n'a pu être lu ni changé.") from error
        except BrokenPipeError:  # "| head" has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(Exit.FINE) from None


def cannot(message: str) -> CommandError:
    return CommandError(message, returncode=Exit.CANNOT)


def leave_with(code: Exit) -> None:
    """End the command with this code; nothing when all is fine."""
    if code is not Exit.FINE:
        _exit(code)


def _exit(code: Exit) -> NoReturn:
    raise SystemExit(int(code))


@contextmanager
def progress(what: str, unit: str) -> Iterator[Tell]:
    """Show on standard error how far it is, while inside; nothing when it is no terminal."""
    bar = tqdm(
        desc=what,
        unit=f" {unit}",
        file=sys.stderr,
        leave=False,
        disable=None,
        # A terminal that does not say its size is taken for a usual one, not for one of no size.
        ncols=shutil.get_terminal_size().columns,
        nrows=shutil.get_terminal_size().lines,
    )

    def tell(done: int, total: int, now: str = "") -> None:
        bar.total = max(total, done)
        bar.update(done - bar.n)
        if now:
            bar.set_postfix_str(now)

    try:
        yield tell
    finally:
        bar.close()
