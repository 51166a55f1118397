"""Which silent workers are known to be dead, asked of real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chat.conversations.store.failover.workers import WorkerPlace, Workers, is_dead

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
TELL_AND_STAY = """
from chat.conversations.store.failover.workers import WorkerPlace
print(WorkerPlace.here().to_text(), flush=True)
input()
"""
HERE = WorkerPlace("boot", "web", "pid:[1]", "uts:[1]", 10, "100")

Started = tuple["subprocess.Popen[str]", WorkerPlace]


@pytest.fixture
def start() -> Iterator[Callable[[], Started]]:
    """Starts processes, and says where they are."""
    started: list[subprocess.Popen[str]] = []

    def launch() -> Started:
        process = subprocess.Popen(
            [sys.executable, "-c", TELL_AND_STAY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        place = WorkerPlace.from_text(process.stdout.readline().strip())
        assert place is not None
        return process, place

    yield launch
    for process in started:
        process.kill()
        process.communicate()


def dead(place: WorkerPlace, here: WorkerPlace | None = None) -> bool:
    return is_dead(place, here or WorkerPlace.here(), last_beat_ms=1, first_beat_here_ms=0)


def test_process_is_dead_once_it_was_killed_even_if_nobody_waited_for_it(start):
    process, place = start()
    before = dead(place)
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    unwaited = dead(place)
    process.wait()

    assert place.pid == process.pid
    assert (before, unwaited, dead(place)) == (False, True, True)


def test_process_that_is_stopped_lives(start):
    process, place = start()
    os.kill(process.pid, signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)

    assert not dead(place)


def test_another_process_under_the_same_number_is_not_the_one_that_died(start):
    _, place = start()

    assert dead(replace(place, started=str(int(place.started) - 1)))


RESTARTED = replace(HERE, processes="pid:[2]", names="uts:[2]")
NO_NAMESPACES = replace(HERE, processes="", names="")


@pytest.mark.parametrize(
    ("other", "last_beat_ms", "expected"),
    [
        (RESTARTED, 499, True),  # a container that was started again
        (RESTARTED, 500, False),  # it beat when this one had begun: two of the same name
        (replace(HERE, boot="earlier"), 499, True),  # the machine was started again
        (replace(HERE, boot="earlier"), 501, False),
        (replace(HERE, boot=""), 499, False),
        (replace(RESTARTED, host="other"), 499, False),
        (replace(RESTARTED, host=""), 499, False),
        # Two containers on the host's network have one name.
        (replace(HERE, processes="pid:[2]"), 499, False),
        (replace(HERE, names="uts:[2]", processes=""), 499, True),
        (NO_NAMESPACES, 499, False),
    ],
)
def test_worker_is_dead_when_its_machine_or_container_was_started_again(
    other, last_beat_ms, expected
):
    found = is_dead(other, HERE, last_beat_ms=last_beat_ms, first_beat_here_ms=500)

    assert found is expected


def test_without_namespaces_nothing_is_known():
    assert not NO_NAMESPACES.sees(NO_NAMESPACES)
    assert not is_dead(NO_NAMESPACES, NO_NAMESPACES, last_beat_ms=1, first_beat_here_ms=500)


@pytest.mark.parametrize("text", ["", "a|b", "boot|web|p|n|ten|1", "boot|web|p|n|1|1|of a newer"])
def test_place_of_another_release_tells_nothing(text):
    assert WorkerPlace.from_text(text) is None
    workers = Workers.of_reply([b"w1", b"3"], [b"w1", text.encode()])

    assert (workers.known_ms, workers.places) == ({"w1": 3}, {})
    assert workers.dead({"w1"}, HERE, 500) == {}


def test_place_survives_its_text():
    here = WorkerPlace.here()

    assert WorkerPlace.from_text(here.to_text()) == here
    assert here.sees(here)
    assert here.is_running()
