"""Profile function that records which files and functions of the product are called.

``sys.setprofile`` is used rather than ``sys.monitoring``, which Python 3.11 does not have.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from dis import opmap
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_RESUME = opmap["RESUME"]
#: Bits of the argument of RESUME for the position in the function; 0: its beginning.
_WHERE = 3


@dataclass
class Trace:
    """Calls of the product's functions, in the order of their first call.

    ``functions``: by file, with the number of calls. ``moves``: calls whose nearest caller in the
    product is in another file or does not exist.
    """

    functions: dict[str, dict[str, int]] = field(default_factory=dict)
    moves: int = 0

    @property
    def files(self) -> int:
        return len(self.functions)

    @property
    def function_count(self) -> int:
        return sum(map(len, self.functions.values()))

    def note(self, file: str, function: str, *, times: int = 1) -> None:
        of_file = self.functions.setdefault(file, {})
        of_file[function] = of_file.get(function, 0) + times

    def followed_by(self, later: Trace) -> Trace:
        """Return the concatenation of both traces."""
        whole = Trace(moves=self.moves + later.moves)
        for part in (self, later):
            for file, functions in part.functions.items():
                for function, times in functions.items():
                    whole.note(file, function, times=times)
        return whole

    def to_json(self) -> dict[str, Any]:
        return {"functions": self.functions, "moves": self.moves}


class Tracer:
    """Records calls in ``trace`` while it is set, in every thread that starts after ``install``.

    ``packages``: folders below ``root`` that form the product; other code (libraries, tools, tests)
    is neither recorded nor counted as a caller.

    ``background``: coroutines and callbacks of periodic work, like
    "chat.background:Supervisor._run_all". What they do, and what tasks and timers begun by them
    do, belongs to no customer's message.
    ``background_called`` has those that were called: one that never is was renamed, and its work
    would be noted.
    """

    def __init__(self, root: Path, packages: Iterable[str], background: Iterable[str]) -> None:
        self.trace: Trace | None = None
        self.background_called: set[str] = set()
        self._root, self._packages = root, frozenset(packages)
        self._background = frozenset(background)
        #: By ``co_filename``, since code objects of equal functions in two files compare equal.
        self._files: dict[str, str] = {}
        self._is_background = ContextVar("is_background", default=False)

    def install(self) -> None:
        """Trace the calling thread and all threads started later."""
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)

    def uninstall(self) -> None:
        """Stop tracing the calling thread; other threads are traced until they end."""
        threading.setprofile(None)
        sys.setprofile(None)

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or not (file := self._file_of(code)) or not _is_beginning(frame):
            return
        name = f"{file.removesuffix('.py').replace('/', '.')}:{code.co_qualname}"
        if name in self._background:
            self.background_called.add(name)
            self._is_background.set(True)  # inherited by the tasks and timers that it creates
        trace = self.trace
        if trace is None or self._is_background.get() or not _is_function(code):
            return
        trace.note(file, code.co_qualname)
        trace.moves += self._caller_of(frame) != file

    def _caller_of(self, frame: FrameType) -> str:
        """Return the file of the nearest caller in the product, "" without one."""
        caller = frame.f_back
        while caller is not None:
            if file := self._file_of(caller.f_code):
                return file
            caller = caller.f_back
        return ""

    def _file_of(self, code: CodeType) -> str:
        """Return the path of a file of the product from the root, "" for any other code."""
        name = code.co_filename
        if (file := self._files.get(name)) is None:
            file = self._files[name] = self._product_file(Path(name))
        return file

    def _product_file(self, path: Path) -> str:
        if not path.is_relative_to(self._root):
            return ""
        inside = path.relative_to(self._root)
        return inside.as_posix() if inside.parts[0] in self._packages else ""


def _is_beginning(frame: FrameType) -> bool:
    """Return whether a function starts, rather than a generator or coroutine that resumes.

    A "call" is also reported after each ``yield`` and ``await``, where RESUME has another argument,
    and for an exception thrown into a frame, which is not at RESUME. Source: module ``dis``.
    """
    at, code = frame.f_lasti, frame.f_code.co_code
    return code[at] == _RESUME and code[at + 1] & _WHERE == 0


def _is_function(code: CodeType) -> bool:
    """Return whether code is a function: not a module, and not a comprehension, which is inlined
    since Python 3.12.
    """
    return not code.co_name.startswith("<") or code.co_name == "<lambda>"
