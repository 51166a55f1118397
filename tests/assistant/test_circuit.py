from __future__ import annotations

import pytest

from chat.assistant.llm import Call, Circuit
from chat.core.errors import AssistantUnavailable


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 5.0

    def __call__(self) -> float:
        return self.now_s


def opened(reset_s: float) -> Circuit:
    circuit = Circuit(3, reset_s)
    for _ in range(3):
        circuit.admit().failed()
    return circuit


def test_circuit_opens_after_failures_in_a_row_and_says_when_to_come_back():
    circuit = opened(30)

    with pytest.raises(AssistantUnavailable) as caught:
        circuit.admit()

    assert circuit.is_open
    assert caught.value.retry_after_s in range(28, 31)


def test_success_in_between_keeps_it_closed():
    circuit = Circuit(3, 30)
    for succeed in (False, False, True, False, False):
        call = circuit.admit()
        call.succeeded() if succeed else call.failed()

    circuit.admit()
    assert not circuit.is_open


def test_one_probe_at_a_time_brings_it_back():
    circuit = opened(0)

    probe = circuit.admit()
    with pytest.raises(AssistantUnavailable):
        circuit.admit()
    probe.succeeded()

    assert not circuit.is_open
    circuit.admit()


def test_failed_probe_opens_it_again():
    circuit = opened(0)
    circuit.admit().failed()

    assert circuit.is_open


def test_probe_that_was_left_makes_room_for_the_next():
    circuit = opened(0)
    circuit.admit().left()

    circuit.admit()
    assert circuit.is_open


@pytest.mark.parametrize("error", [RecursionError, OverflowError, GeneratorExit, KeyboardInterrupt])
def test_probe_of_which_nothing_is_told_makes_room_for_the_next(error):
    circuit = opened(0)
    with pytest.raises(error), circuit.admit():
        raise error

    circuit.admit()
    assert circuit.is_open


def test_only_what_is_told_first_counts():
    circuit = Circuit(1, 30)
    with circuit.admit() as call:
        call.succeeded()
        call.failed()

    assert not circuit.is_open


def test_late_end_of_a_call_from_before_leaves_the_probe_alone():
    circuit = Circuit(3, 0)
    old = circuit.admit()
    for _ in range(3):
        circuit.admit().failed()
    circuit.admit()
    old.left()

    with pytest.raises(AssistantUnavailable):
        circuit.admit()


def test_circuit_stays_open_for_its_time_and_again_after_a_probe_that_failed():
    clock = Clock()
    circuit = Circuit(1, 30, clock=clock)
    circuit.admit().failed()
    for began_s in (5.0, 35.0):
        clock.now_s = began_s + 29.5
        with pytest.raises(AssistantUnavailable) as caught:
            circuit.admit()
        assert caught.value.retry_after_s == 1
        clock.now_s = began_s + 30
        circuit.admit().failed()


@pytest.mark.parametrize("end", [Call.succeeded, Call.failed])
def test_end_of_a_call_from_before_says_nothing_about_an_open_circuit(end):
    clock = Clock()
    circuit = Circuit(1, 30, clock=clock)
    old = circuit.admit()
    circuit.admit().failed()
    clock.now_s += 29
    end(old)
    assert circuit.is_open

    clock.now_s += 1
    circuit.admit().succeeded()
    assert not circuit.is_open


def test_failures_in_a_row_are_counted_anew_after_a_probe_that_succeeded():
    circuit = opened(0)
    circuit.admit().succeeded()
    circuit.admit().failed()

    assert not circuit.is_open
