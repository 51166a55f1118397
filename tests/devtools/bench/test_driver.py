from __future__ import annotations

import asyncio
import io
import json

import pytest

from chat.management.exit_with_parent import ChildFailed
from devtools.bench.driver import Answer, Failed, Meter, framed, unframed
from devtools.bench.drivers import Drivers, merged
from devtools.bench.plan import ANSWER, TOKENS
from devtools.local_assistant.words import tokens

SCRIPT = (("Bon", "jour", " !"), 0.2, 0.02)


def delta(text: str) -> bytes:
    return json.dumps({"type": "message.delta", "text": text}).encode()


DONE = json.dumps({"type": "message.done", "message": {"author": "assistant"}}).encode()


def test_meter_takes_the_models_own_time_off():
    meter = Meter(*SCRIPT, detailed=True, begin=0, end=100)
    answer = Answer(meter, 10.0)
    assert answer.take([delta("Bon")], 10.205) is False
    assert answer.take([delta("jour !")], 10.250) is False
    assert answer.take([DONE], 10.270) is True
    assert meter.first_ms == pytest.approx([5])
    assert meter.token_ms == pytest.approx([5, 30, 10])
    assert meter.last_ms == pytest.approx([10])
    assert (meter.chars, meter.ended) == (9, 1)


async def test_meter_waits_for_the_answers_of_a_wave():
    meter = Meter(*SCRIPT, detailed=False, begin=0)
    first, second = Answer(meter, 0.0), Answer(meter, 0.0)
    waiting = asyncio.ensure_future(meter.reach(2, at_most_s=60))
    await asyncio.sleep(0)
    first.take([delta("Bonjour !"), DONE], 1.0)
    await asyncio.sleep(0)
    assert not waiting.done()
    second.take([delta("Bonjour !"), DONE], 1.0)
    await waiting
    await meter.reach(2, at_most_s=60)  # it was reached before
    await meter.reach(3, at_most_s=0)


def test_meter_counts_nothing_outside_of_its_window():
    meter = Meter(*SCRIPT, detailed=True, begin=20, end=30)
    answer = Answer(meter, 10.0)
    assert answer.take([delta("Bonjour !"), DONE], 10.3) is True
    assert (meter.chars, meter.first_ms, meter.token_ms, meter.last_ms) == (0, [], [], [])
    assert meter.ended == 1


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([delta("Bon"), DONE], "3 characters came instead of 9"),
        ([b'{"type": "error", "code": "rate_limited"}'], "rate_limited"),
    ],
)
def test_answer_that_is_not_the_scripts_is_a_failure(events, reason):
    with pytest.raises(ValueError, match=reason):
        Answer(Meter(*SCRIPT, begin=0), 0.0).take(events, 1.0)


def test_answer_has_as_many_tokens_as_the_simulator_counts():
    assert len(tokens(ANSWER)) == TOKENS


@pytest.mark.parametrize("size", [5, 125, 126, 70_000])
def test_frames_of_any_length_are_read_whole(size):
    text = b"x" * size
    if size < 126:
        frame = bytes([0x81, size]) + text
    elif size < 2**16:
        frame = b"\x81\x7e" + size.to_bytes(2) + text
    else:
        frame = b"\x81\x7f" + size.to_bytes(8) + text
    assert unframed(frame * 2 + frame[:3]) == ([text, text], frame[:3])
    assert unframed(frame[:-1]) == ([], frame[:-1])


def test_ping_is_passed_over_and_a_close_is_a_failure():
    assert unframed(b"\x89\x00") == ([], b"")
    with pytest.raises(Failed, match="4401"):
        unframed(b"\x88\x02" + (4401).to_bytes(2))


def test_frame_of_a_client_is_masked():
    assert framed(b"{}") == b"\x81\x82\x00\x00\x00\x00{}"
    assert framed(b"x" * 300)[:4] == b"\x81\xfe\x01\x2c"


def test_results_of_several_drivers_are_added_up():
    one = {"seconds": 2.0, "cpu": {"driver": 0.5, "ours": 1.0}, "chars": 3, "first_ms": [1.0]}
    other = {"seconds": 2.1, "cpu": {"driver": 0.25, "ours": 1.1}, "chars": 4, "first_ms": [2.0]}
    assert merged([one, other]) == {
        "seconds": 2.0,
        "cpu": {"driver": 0.75, "ours": 1.0},
        "chars": 7,
        "first_ms": [1.0, 2.0],
    }


class Scripted:
    """A driver that gives this result to whatever it is asked."""

    def __init__(self, result: dict[str, object]) -> None:
        self.input = io.StringIO()
        self._result = result

    def line(self, timeout_s: float) -> str:
        return json.dumps(self._result)


def used(**cores: float) -> dict[str, object]:
    return {"seconds": 2.0, "cpu": {name: share * 2 for name, share in cores.items()}}


@pytest.mark.parametrize(
    ("everything", "expected"),
    [(2.0, ""), (2.2, ""), (2.8, "other programs used 0.8 cores")],
)
def test_drivers_warn_of_programs_that_are_not_ours(everything, expected):
    drivers = Drivers([Scripted(used(ours=1.0, redis=0.25, driver=0.75, all=everything))])
    drivers.ask({"kind": "stream"})
    warnings = [remark for remark in drivers.remarks() if remark.startswith("Not a quiet")]
    assert bool(warnings) is bool(expected)
    assert all(expected in warning for warning in warnings)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({"driver": 0.5, "model": 0.9}, ["was not the", "may have been the bottleneck."]),
        ({"driver": 0.9, "model": 0.5}, ["with more --drivers", "was not the"]),
    ],
)
def test_drivers_say_what_saturates(shares, expected):
    drivers = Drivers([Scripted(used(**shares, all=2.0))])
    drivers.ask({"kind": "stream"})
    assert all(words in remark for words, remark in zip(expected, drivers.remarks(), strict=False))


def test_failures_are_counted_by_their_words():
    drivers = Drivers([Scripted({"failures": ["refused", "refused"]})])
    drivers.ask({"kind": "turns"})
    assert list(drivers.remarks())[-1] == "Failed 2 times: refused"


def test_drivers_share_conversations_and_visitors():
    children = [Scripted(used(driver=0.1, all=0.1) | {"chars": n}) for n in (1, 2, 3)]
    job = {"kind": "stream", "conversations": 5, "cookies": ["a", "b", "c", "d", "e"]}
    assert Drivers(children).share(job)["chars"] == 6
    asked = [json.loads(child.input.getvalue()) for child in children]
    assert [one["conversations"] for one in asked] == [2, 2, 1]
    assert [one["cookies"] for one in asked] == [["a", "d"], ["b", "e"], ["c"]]


def test_job_that_breaks_stops_the_part():
    with pytest.raises(ChildFailed, match="no such job"):
        Drivers([Scripted({"broken": "no such job"})]).ask({"kind": "none"})
