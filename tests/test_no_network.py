"""The guard itself: without it, a test could pass here and fail where there is no network."""

from __future__ import annotations

import asyncio
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests import no_network

#: Reserved for documentation (RFC 5737, RFC 3849): nobody answers there.
AWAY_V4, AWAY_V6 = "192.0.2.1", "2001:db8::1"


@pytest.fixture(autouse=True)
def _refused_on_purpose() -> Iterator[None]:
    yield
    assert no_network.refused != []
    no_network.refused.clear()


def test_names_are_not_resolved():
    with pytest.raises(pytest.fail.Exception, match=r"resolve 'example\.com'"):
        urllib.request.urlopen("http://example.com/")


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_addresses_are_not_reached(method):
    with socket.socket() as probe, pytest.raises(pytest.fail.Exception, match=AWAY_V4):
        getattr(probe, method)((AWAY_V4, 80))


def test_datagrams_are_not_sent():
    with socket.socket(type=socket.SOCK_DGRAM) as probe, pytest.raises(pytest.fail.Exception):
        probe.sendto(b"", (AWAY_V4, 53))


async def test_tasks_do_not_get_out():
    with pytest.raises(pytest.fail.Exception, match=AWAY_V6):
        await asyncio.open_connection(AWAY_V6, 80)


def leave_unnoticed() -> None:
    """Swallow the refusal, as a careless thread would."""
    with socket.socket() as probe, suppress(BaseException):
        probe.connect((AWAY_V4, 80))


def test_threads_do_not_get_out():
    thread = threading.Thread(target=leave_unnoticed)
    thread.start()
    thread.join()
    assert no_network.refused == [f"reach ('{AWAY_V4}', 80)"]


@pytest.mark.parametrize(
    "host, loopback",
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        (b"127.0.0.1", True),
        (None, True),
        ("", True),
        ("::ffff:192.0.2.1", False),
        (AWAY_V4, False),
        ("localhost.example.com", False),
    ],
)
def test_loopback_is_told_from_the_rest(host, loopback):
    no_network.refused.append("nothing: keeps the fixture above quiet")
    assert no_network.is_loopback(host) is loopback
