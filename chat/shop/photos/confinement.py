"""Sandbox for a program that processes untrusted data: Landlock, seccomp, limits, user "nobody".

``python -I confinement.py PROGRAM.py ARGUMENT…`` imports the program, calls its ``prepare`` (which
loads its libraries and returns whether it starts threads), drops all privileges that can be
dropped, then calls its ``main``. Only standard input and output remain accessible.
``python -I confinement.py`` alone prints the active layers as JSON. Each layer is optional: if the
system lacks one, the others still apply.

This module imports nothing of the project, and no library.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import platform
import resource
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

#: Address space. A decoded copy of the largest accepted photo is 200 MB; HEIC needs 2.5 copies.
MEMORY_BYTES = 1 << 30
CPU_S = 15
#: Priority below that of the worker, whose answers are more urgent.
NICENESS = 10
#: User and group "nobody", for a program started by root.
NOBODY = 65_534

# Source: linux/prctl.h, linux/seccomp.h, linux/landlock.h, linux/audit.h.
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 22, 38
SECCOMP_MODE_FILTER = 2
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_LANDLOCK_VERSION = 1
_EPERM, _ENOSYS = 1, 38
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_PROT_EXEC, _CLONE_THREAD = 4, 0x10000

#: System calls of a decoder after its libraries are loaded: read, write, memory, time, exit. No
#: files, sockets, processes, signals to other processes or ``prctl``.
_CALLS = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0,
            "write": 1,
            "close": 3,
            "fstat": 5,
            "lseek": 8,
            "mmap": 9,
            "mprotect": 10,
            "munmap": 11,
            "brk": 12,
            "rt_sigaction": 13,
            "rt_sigprocmask": 14,
            "rt_sigreturn": 15,
            "readv": 19,
            "writev": 20,
            "sched_yield": 24,
            "mremap": 25,
            "madvise": 28,
            "nanosleep": 35,
            "getpid": 39,
            "exit": 60,
            "getcwd": 79,
            "getrusage": 98,
            "gettid": 186,
            "futex": 202,
            "sched_getaffinity": 204,
            "restart_syscall": 219,
            "clock_gettime": 228,
            "clock_nanosleep": 230,
            "exit_group": 231,
            "getrandom": 318,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "getcwd": 17,
            "close": 57,
            "lseek": 62,
            "read": 63,
            "write": 64,
            "readv": 65,
            "writev": 66,
            "fstat": 80,
            "exit": 93,
            "exit_group": 94,
            "futex": 98,
            "nanosleep": 101,
            "clock_gettime": 113,
            "clock_nanosleep": 115,
            "sched_getaffinity": 123,
            "sched_yield": 124,
            "restart_syscall": 128,
            "rt_sigaction": 134,
            "rt_sigprocmask": 135,
            "rt_sigreturn": 139,
            "getrusage": 165,
            "getpid": 172,
            "gettid": 178,
            "brk": 214,
            "munmap": 215,
            "mremap": 216,
            "mmap": 222,
            "mprotect": 226,
            "madvise": 233,
            "getrandom": 278,
        },
    ),
}
#: Additional system calls for threads. "clone" is allowed for threads only; "clone3", whose flags a
#: filter cannot inspect, returns ENOSYS, and the C library falls back to "clone".
_THREAD_CALLS = {
    "x86_64": {"clone": 56, "clone3": 435, "set_robust_list": 273, "rseq": 334},
    "aarch64": {"clone": 220, "clone3": 435, "set_robust_list": 99, "rseq": 293},
}


def confine(*, with_threads: bool = False) -> list[str]:
    """Apply all layers to this process. Return the active ones: "landlock", "user", "limits",
    "seccomp".

    ``with_threads``: whether the program starts threads.
    """
    # In this order: Landlock needs a file handle, and seccomp forbids the calls of the others.
    layers: dict[str, Callable[[], None]] = {
        "landlock": landlock,
        "user": leave_root,
        "limits": partial(limit, with_threads=with_threads),
        "seccomp": partial(seccomp, with_threads=with_threads),
    }
    return [name for name, apply in layers.items() if _is_applied(apply)]


def _is_applied(apply: Callable[[], None]) -> bool:
    try:
        apply()
    except (OSError, ValueError, AttributeError):  # not supported by this system
        return False
    return True


def limit(*, with_threads: bool = False) -> None:
    """Limit memory and processor time; forbid writing files, new processes and core dumps.

    The system counts threads as processes.

    Raises:
        OSError, ValueError: a limit could not be set; the others are applied.
    """
    failure: Exception | None = None
    processes = [] if with_threads else [(resource.RLIMIT_NPROC, 0)]
    for what, most in (
        *processes,
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 3 if sys.platform == "linux" else 16),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError) as error:
            failure = error
    with suppress(OSError):
        os.nice(NICENESS)
    if failure is not None:
        raise failure


def leave_root() -> None:
    """Switch from root to user "nobody"; does nothing for another user.

    Raises:
        OSError: the user could not be changed.
    """
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def landlock() -> None:
    """Forbid file access, TCP, and signals to other processes (Linux 5.13 and later).

    Raises:
        OSError: not supported by this kernel.
    """
    version = _system(_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
    files = (1 << (13 + (version >= 2) + (version >= 3) + (version >= 5))) - 1
    handled = [files, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0]
    fields = 1 + (version >= 4) + (version >= 6)
    rules = struct.pack(f"={fields}Q", *handled[:fields])
    ruleset = _system(_CREATE_RULESET, rules, len(rules), 0)
    try:
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        _system(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def seccomp(*, with_threads: bool = False) -> None:
    """Forbid all system calls except those of ``_CALLS``.

    Raises:
        OSError: not supported by this kernel, or not defined here for this processor.
    """
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _CALLS:
        raise OSError("no list of system calls")
    architecture, calls = _CALLS[machine]
    code = seccomp_filter(architecture, calls | (_THREAD_CALLS[machine] if with_threads else {}))
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.addressof(buffer))
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program))


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def seccomp_filter(architecture: int, calls: dict[str, int]) -> bytes:
    """Return the classic BPF program that allows these calls.

    Source: kernel.org, "Seccomp BPF"; ``struct seccomp_data`` has the number at 0, the architecture
    at 4, and the low halves of the first and third argument at 16 and 32.
    """
    load, equals, is_any_set, ret = 0x20, 0x15, 0x45, 0x06
    code = [
        (load, 0, 0, 4),
        (equals, 1, 0, architecture),
        (ret, 0, 0, _KILL),
        (load, 0, 0, 0),
    ]
    for name, number in calls.items():
        match name:
            case "mmap" | "mprotect":  # no executable memory
                judged = [
                    (load, 0, 0, 32),
                    (is_any_set, 0, 1, _PROT_EXEC),
                    (ret, 0, 0, _ERRNO | _EPERM),
                    (ret, 0, 0, _ALLOW),
                ]
            case "clone":  # threads only
                judged = [
                    (load, 0, 0, 16),
                    (is_any_set, 1, 0, _CLONE_THREAD),
                    (ret, 0, 0, _ERRNO | _EPERM),
                    (ret, 0, 0, _ALLOW),
                ]
            case "clone3":
                judged = [(ret, 0, 0, _ERRNO | _ENOSYS)]
            case _:
                judged = [(ret, 0, 0, _ALLOW)]
        code += [(equals, 0, len(judged), number), *judged]
    code.append((ret, 0, 0, _ERRNO | _EPERM))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def hide_memory() -> bool:
    """Keep other processes of the same user from reading this one's environment and memory.

    For the process that starts decoders. Also disables core dumps. Return whether it succeeded.
    """
    try:
        _prctl(PR_SET_DUMPABLE, 0)
    except (OSError, AttributeError):
        return False
    return True


def _prctl(option: int, *arguments: int) -> None:
    if sys.platform != "linux":
        raise OSError("Linux only")
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    if _library().prctl(option, *values) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _system(number: int, *arguments: Any) -> int:
    """Make a system call that has no wrapper in the C library."""
    if sys.platform != "linux":
        raise OSError("Linux only")
    values = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = _library().syscall(ctypes.c_long(number), *values)
    if result < 0:
        raise OSError(ctypes.get_errno(), "syscall")
    return result


def _library() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _imported(path: str) -> Any:
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def main(path: str = "", *arguments: str) -> None:
    if not path:
        sys.stdout.write(json.dumps(confine()))
        return
    program = _imported(path)
    confine(with_threads=program.prepare(*arguments))
    program.main(*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
