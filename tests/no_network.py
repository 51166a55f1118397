"""No test leaves this machine: names beyond loopback are not resolved, addresses not reached.

Chromium and other child processes are out of its reach; they are given loopback addresses only.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

#: What was refused, also in threads and tasks whose exception nobody read.
refused: list[str] = []


def is_loopback(host: object) -> bool:
    """``None`` and "" mean this machine, as in ``create_server``."""
    if isinstance(host, bytes):
        host = host.decode()
    if host in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


@contextmanager
def guard() -> Iterator[None]:
    """Patch ``socket`` for as long as the tests run."""
    resolve = socket.getaddrinfo

    def guarded_resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_loopback(host) and not _is_address(host):
            _refuse(f"resolve {host!r}")
        return resolve(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", guarded_resolve)
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        patch.setattr(socket.socket, "sendto", _guarded(socket.socket.sendto))
        yield


def _guarded(method: Any) -> Any:
    """``method`` of a socket, refused when its last argument is an address beyond loopback."""

    def call(self: socket.socket, *args: Any) -> Any:
        address = args[-1]
        if isinstance(address, tuple) and not is_loopback(address[0]):
            _refuse(f"reach {address}")
        return method(self, *args)

    return call


def _refuse(what: str) -> None:
    refused.append(what)
    pytest.fail(f"the test tried to {what}: use tests.fakes or the simulator")


def _is_address(host: object) -> bool:
    """Whether there is nothing to resolve: listening on 0.0.0.0 is no look-up."""
    try:
        ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host))
    except ValueError:
        return False
    return True
