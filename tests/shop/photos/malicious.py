"""A decoder that was taken over: tries, from behind the confinement, what it should not reach.

Run as ``confinement.py malicious.py WHAT``; prints what came of it as JSON.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

LIBRARY = ctypes.CDLL(None, use_errno=True)


def prepare(what: str, *arguments: str) -> bool:
    return what == "thread"


def main(what: str, *arguments: str) -> None:
    try:
        shown = str(ATTEMPTS[what](*arguments))
    except Exception as error:  # noqa: BLE001 - whatever stops it is told
        json.dump({"error": f"{type(error).__name__}: {error}"}, sys.stdout)
    else:
        json.dump({"got": shown}, sys.stdout)


def read(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY)
    return os.read(handle, 10_000)


def read_environment_of_parent() -> bytes:
    return read(f"/proc/{os.getppid()}/environ")


def read_memory_of_parent() -> bytes:
    return read(f"/proc/{os.getppid()}/mem")


def write(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)


def connect(port: str) -> object:
    return socket.create_connection(("127.0.0.1", int(port)), 2)


def connect_unix(path: str) -> None:
    socket.socket(socket.AF_UNIX).connect(path)


def send_datagram(port: str) -> int:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", int(port)))


def run_shell() -> bytes:
    return subprocess.run(["/bin/sh", "-c", "echo shell"], capture_output=True, check=True).stdout


def fork() -> int:
    if (pid := os.fork()) == 0:
        os._exit(0)
    return pid


def start_thread() -> str:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    return "started"


def signal_parent() -> None:
    os.kill(os.getppid(), 0)


def trace_parent() -> int:
    seize = 0x4206  # unlike "attach", it does not stop the other process
    return _call(LIBRARY.ptrace, seize, os.getppid(), 0, 0)


def become_root_again() -> int:
    return _call(LIBRARY.setresuid, 0, 0, 0)


def raise_limits() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))


def make_code() -> object:
    return mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


def unshare() -> int:
    return _call(LIBRARY.unshare, 0x10000000)


def _call(function: Callable[..., int], *arguments: int) -> int:
    result = function(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


ATTEMPTS: dict[str, Callable[..., object]] = {
    "environ": read_environment_of_parent,
    "memory": read_memory_of_parent,
    "read": read,
    "list": os.listdir,
    "write": write,
    "remove": os.remove,
    "connect": connect,
    "unix": connect_unix,
    "datagram": send_datagram,
    "shell": run_shell,
    "fork": fork,
    "thread": start_thread,
    "signal": signal_parent,
    "trace": trace_parent,
    "root": become_root_again,
    "limits": raise_limits,
    "code": make_code,
    "unshare": unshare,
    "nothing": lambda: "free",
}
