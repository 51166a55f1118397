from __future__ import annotations

import pytest

from chat.assistant.circuit import Circuit
from chat.errors import AssistantUnavailable


def opened(reset_s: float) -> Circuit:
    circuit = Circuit(3, reset_s)
    for _ in range(3):
        circuit.admit()
        circuit.failed()
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
        circuit.admit()
        circuit.succeeded() if succeed else circuit.failed()

    circuit.admit()
    assert not circuit.is_open


def test_one_probe_at_a_time_brings_it_back():
    circuit = opened(0)

    circuit.admit()
    with pytest.raises(AssistantUnavailable):
        circuit.admit()
    circuit.succeeded()

    assert not circuit.is_open
    circuit.admit()


def test_failed_probe_opens_it_again():
    circuit = opened(0)
    circuit.admit()
    circuit.failed()

    assert circuit.is_open


def test_probe_that_was_left_makes_room_for_the_next():
    circuit = opened(0)
    circuit.admit()
    circuit.left()

    circuit.admit()
    assert circuit.is_open
