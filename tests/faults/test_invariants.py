"""Each invariant sees what it is there to see, and is content with a good record."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from tests.faults.answers import NumberedAnswers, is_whole, numbered, question, wrong_with
from tests.faults.invariants import violations
from tests.faults.patience import LONGEST, Stopwatch, done_within
from tests.faults.records import Ending, RunRecord, TabRecord, VisitorRecord, WorkerRecord
from tests.faults.scenario import Scenario, scripts
from tests.faults.stalls import Stall, measure, read_stalls
from tests.faults.view import Line, View
from tests.faults.wire import Wire

ASKED = [Line("q1", "customer", question("q1", 3)), Line("q2", "customer", question("q2", 3))]
ANSWERS = [
    Line("a1", "assistant", numbered("q1", 1, 3), "q1"),
    Line("a2", "assistant", numbered("q2", 2, 3), "q2"),
]
TRANSCRIPT = [*ASKED, *ANSWERS]


def good() -> RunRecord:
    """Camille asked twice and was answered twice; two workers and Redis agree."""
    tab = TabRecord(
        name="t0",
        asked={line.id: line.text for line in ASKED},
        accepted=["q1", "q2"],
        endings=[Ending(line.reply_to, "done", line.id, line.text) for line in ANSWERS],
        view=View(lines=list(TRANSCRIPT), backend="redis"),
    )
    visitor = VisitorRecord(
        name="camille",
        tabs=[tab],
        finals={name: View(lines=list(TRANSCRIPT), backend="redis") for name in ("w1", "w2")},
        stored=list(TRANSCRIPT),
    )
    worker = WorkerRecord(
        name="w1",
        before_mib=80,
        peak_mib=90,
        files_before=20,
        files_after=21,
        sockets_after=0,
        allowed_mib=40,
    )
    return RunRecord(seed=1, visitors=[visitor], workers=[worker])


def broken(run: RunRecord) -> set[str]:
    return {violation.invariant for violation in violations(run)}


def everywhere(run: RunRecord, lines: list[Line]) -> None:
    """Have Redis, the workers and the page agree on this transcript."""
    visitor = run.visitors[0]
    visitor.stored = list(lines)
    for view in (*visitor.finals.values(), visitor.tabs[0].view):
        view.lines = list(lines)


def test_good_record_breaks_nothing():
    assert violations(good()) == []


def test_lost_message_is_seen():
    run = good()
    everywhere(run, [ASKED[1], ANSWERS[1]])
    assert "kept" in broken(run)


def test_altered_message_is_seen():
    run = good()
    everywhere(run, [replace(ASKED[0], text="Autre chose"), *TRANSCRIPT[1:]])
    assert broken(run) == {"kept"}


@pytest.mark.parametrize(
    "besides",
    [ASKED[0], replace(ANSWERS[0], id="a3"), Line("q9", "customer", "Qui a dit cela ?")],
    ids=["doubled", "second answer", "never asked"],
)
def test_doubled_message_is_seen(besides):
    run = good()
    everywhere(run, [*TRANSCRIPT, besides])
    assert "once" in broken(run)


def test_worker_that_tells_another_order_is_seen():
    run = good()
    run.visitors[0].finals["w2"].lines.reverse()
    assert broken(run) == {"same order"}


def test_messages_out_of_the_order_they_were_sent_in_are_seen():
    run = good()
    everywhere(run, [ASKED[1], ASKED[0], *ANSWERS])
    assert broken(run) == {"same order"}


def test_page_that_shows_another_order_is_seen():
    run = good()
    run.visitors[0].tabs[0].view.lines.reverse()
    assert broken(run) == {"view is transcript"}


def test_page_without_an_answer_is_seen():
    run = good()
    run.visitors[0].tabs[0].view.lines.pop()
    assert broken(run) == {"view is transcript"}


def test_message_taken_back_is_seen():
    run = good()
    run.visitors[0].tabs[0].vanished = ["q1"]
    assert broken(run) == {"view is transcript"}


def test_conversation_begun_again_blank_is_seen():
    run = good()
    run.visitors[0].tabs[0].blanked = 1
    assert broken(run) == {"view is transcript"}


def test_question_without_an_end_is_seen():
    run = good()
    everywhere(run, [*ASKED, ANSWERS[0]])
    run.visitors[0].tabs[0].endings.pop()
    assert broken(run) == {"one end"}


def test_spinner_without_an_owner_is_seen():
    run = good()
    run.visitors[0].unsettled = ["t0 waits for q2"]
    assert broken(run) == {"one end"}


def test_question_that_failed_and_was_answered_is_seen():
    run = good()
    run.visitors[0].finals["w1"].failed = {"q1": "assistant_timeout"}
    assert broken(run) == {"one end"}


@pytest.mark.parametrize(
    "told",
    [
        Ending("q1", "done", "a1", numbered("q1", 7, 3)),
        Ending("q1", "done", "a9", ANSWERS[0].text),
        Ending("q1", "assistant_timeout"),
    ],
    ids=["another text", "another answer", "a failure"],
)
def test_second_end_is_seen(told):
    run = good()
    run.visitors[0].tabs[0].endings.insert(0, told)
    assert broken(run) == {"one end"}


def test_failure_that_was_asked_again_is_no_second_end():
    run = good()
    tab = run.visitors[0].tabs[0]
    tab.endings.insert(0, Ending("q1", "assistant_timeout"))
    tab.retried = {"q1"}
    assert violations(run) == []


def test_end_told_from_memory_may_lose_in_the_merge():
    run = good()
    told = Ending("q1", "done", "a9", numbered("q1", 7, 3), backend="memory")
    run.visitors[0].tabs[0].endings.insert(0, told)
    assert violations(run) == []


def test_answer_told_from_memory_that_no_other_replaced_is_seen():
    run = good()
    everywhere(run, [*ASKED, ANSWERS[0]])
    for final in run.visitors[0].finals.values():
        final.failed = {"q2": "assistant_timeout"}
    told = Ending("q2", "done", "a2", ANSWERS[1].text, backend="memory")
    run.visitors[0].tabs[0].endings[1:] = [told]
    assert broken(run) == {"one end"}


def test_answer_replaced_in_a_merge_is_counted():
    run = good()
    told = Ending("q1", "done", "a9", numbered("q1", 7, 3), backend="memory")
    run.visitors[0].tabs[0].endings.insert(0, told)
    assert (good().replaced, run.replaced) == (0, 1)


def test_what_came_back_or_was_replaced_did_not_vanish():
    run = good()
    visitor = run.visitors[0]
    told = Ending("q1", "done", "a9", numbered("q1", 7, 3), backend="memory")
    visitor.tabs[0].endings.insert(0, told)
    visitor.tabs[0].vanished = ["q1", "a9", "q7"]
    visitor.excuse_what_came_back()
    assert visitor.tabs[0].vanished == ["q7"]


def test_answer_made_of_two_is_seen():
    run = good()
    mixed = numbered("q1", 1, 3)[:30] + numbered("q1", 2, 3)[30:]
    everywhere(run, [*ASKED, replace(ANSWERS[0], text=mixed), ANSWERS[1]])
    assert "one voice" in broken(run)


def test_answer_cut_without_a_word_of_it_is_seen():
    run = good()
    everywhere(run, [*ASKED, replace(ANSWERS[0], text=ANSWERS[0].text[:-3]), ANSWERS[1]])
    assert "one voice" in broken(run)


def test_draft_that_nobody_should_have_seen_is_seen():
    run = good()
    run.visitors[0].tabs[0].view.wrong = ["draft: two answers in one"]
    assert broken(run) == {"one voice"}


@pytest.mark.parametrize("where", ["traces", "tabs"])
def test_what_is_left_of_an_erased_conversation_is_seen(where):
    run = good()
    visitor = run.visitors[0]
    visitor.erased = True
    if where == "traces":
        visitor.traces = ["Redis session:x"]
    else:
        visitor.tabs[0].heard_after_erasure = ["nothing of the erasure"]
    assert broken(run) == {"erased"}


def test_worker_that_grows_is_seen():
    run = good()
    run.workers[0].peak_mib = 300
    assert broken(run) == {"bounded"}


@pytest.mark.parametrize("field, number", [("sockets_after", 1), ("files_after", 60)])
def test_what_is_left_open_is_seen(field, number):
    run = good()
    setattr(run.workers[0], field, number)
    assert broken(run) == {"back to the start"}


def test_promise_of_seconds_that_was_not_kept_is_seen():
    run = good()
    run.late = ["t0 heard nothing for 15.0 s"]
    assert broken(run) == {"in time"}


def test_bug_in_a_log_or_on_a_page_is_seen():
    run = good()
    run.errors = ["w1: [error] a queue of turns failed"]
    assert broken(run) == {"no bug"}
    run = good()
    run.visitors[0].tabs[0].internal = ["Une erreur est survenue (référence 12)"]
    assert broken(run) == {"no bug"}


def test_question_that_costs_the_model_too_often_is_seen():
    run = good()
    run.calls = {"q1": 3, "q2": 1}
    assert violations(run) == []
    run.calls["q1"] = 4
    assert broken(run) == {"few tries"}


def test_question_that_its_customer_asked_again_may_cost_more():
    run = good()
    run.calls = {"q1": 4}
    run.visitors[0].tabs[0].retried = {"q1"}
    assert violations(run) == []


def test_answer_that_is_cut_where_nothing_was_struck_is_seen():
    run = good()
    run.visitors[0].tabs[0].endings.append(Ending("q1", "assistant_timeout", backend="memory"))
    assert violations(run) == []
    run.undisturbed = True
    assert broken(run) == {"whole"}


def test_step_of_an_event_loop_that_is_too_long_is_seen():
    run = good()
    run.stalls = [Stall("w1", late_s=6.5, busy_s=0.2)]  # stopped from outside
    assert violations(run) == []
    run.stalls.append(Stall("w1", late_s=1.2, busy_s=1.2))
    assert broken(run) == {"short steps"}


def test_what_one_bad_thing_stopped_is_seen():
    run = good()
    run.broken = ["another conversation is handed back: not within 5 s"]
    assert broken(run) == {"goes on"}


def test_secret_that_was_written_is_seen():
    run = good()
    run.leaks = ["camille: the cookie is in w1.log"]
    assert broken(run) == {"no secret"}


def test_word_of_the_model_after_an_adviser_took_over_is_seen():
    run = good()
    visitor = run.visitors[0]
    visitor.taken_over_at = 10.0
    visitor.tabs[0].spoke_at = [9.9, 10.2]  # the last was on its way
    assert violations(run) == []
    visitor.tabs[0].spoke_at.append(10.5)
    assert broken(run) == {"silent"}


def test_answer_below_the_words_of_an_adviser_is_seen():
    run = good()
    run.visitors[0].taken_over_at = 10.0
    everywhere(run, [*ASKED, ANSWERS[0], Line("m1", "adviser", "Bonjour"), ANSWERS[1]])
    assert broken(run) == {"silent"}


def test_question_that_an_adviser_answers_needs_no_other_end():
    run = good()
    everywhere(run, [*ASKED, ANSWERS[0], Line("m1", "adviser", "Bonjour")])
    run.visitors[0].taken_over_at = 10.0
    assert violations(run) == []
    run.visitors[0].finals["w1"].waiting = ["q2"]
    assert broken(run) == {"one end"}


# The pieces they stand on


async def test_stalls_of_an_event_loop_are_written_down_at_once(tmp_path):
    path = tmp_path / "stalls"
    measure(asyncio.get_running_loop(), path)
    await asyncio.sleep(0.1)
    until = time.thread_time() + 0.2
    while time.thread_time() < until:
        pass
    while not path.exists():
        await asyncio.sleep(0.01)
    stalls, seen = read_stalls("w1", path, 0)
    assert max(stall.busy_s for stall in stalls) >= 0.2
    assert read_stalls("w1", path, seen) == ([], seen)


async def test_wire_can_be_cut_frozen_and_mended():
    async def echo(reader, writer):
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async def say(wire, word):
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(word)
        try:
            return await asyncio.wait_for(reader.read(100), 0.2)
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    wire = Wire(server.sockets[0].getsockname()[1])
    await wire.open()
    assert await say(wire, b"un") == b"un"
    await wire.freeze()
    with pytest.raises(TimeoutError):
        await say(wire, b"deux")
    await wire.cut()
    with pytest.raises(ConnectionRefusedError):
        await say(wire, b"trois")
    await wire.mend()
    assert await say(wire, b"quatre") == b"quatre"
    await wire.close()
    server.close()


async def test_deadline_does_not_count_what_others_took_of_the_machine(tmp_path):
    told = tmp_path / "cpu"
    told.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n")
    clock = asyncio.get_running_loop().time
    began_at, watch = clock(), Stopwatch(told)
    told.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=900000000\n")

    assert watch.s <= (clock() - began_at) / LONGEST
    assert await done_within(0.05, asyncio.sleep(0), watch)
    told.unlink()
    assert not await done_within(0.01, asyncio.Event().wait(), Stopwatch(told))


async def test_deadline_ends_on_a_machine_that_is_always_busy(tmp_path):
    told = tmp_path / "cpu"
    told.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
    watch = Stopwatch(told)
    told.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=900000000\n")

    assert not await done_within(0.01, asyncio.Event().wait(), watch)


def test_every_beginning_of_an_answer_is_right_and_nothing_else():
    text = numbered("q1", 12, 5)
    assert [wrong_with(text[:n], "q1") for n in range(len(text) + 1)] == [""] * (len(text) + 1)
    assert wrong_with(text, "q2") == "the answer to 'qg' was given to 'q2'"
    assert "two answers" in wrong_with(text + " encore")
    assert "no answer begins so" in wrong_with("Bonjour")
    assert is_whole(text)
    assert not is_whole(text[:-1])


def test_every_answer_of_the_assistant_has_another_number():
    plan = NumberedAnswers()
    first, second = (plan.take(question("q1", 2)) for _ in range(2))
    assert (first.text, second.text) == (numbered("q1", 1, 2), numbered("q1", 2, 2))
    plan.add("hang")
    assert plan.take(question("q1", 2)).kind == "hang"


def test_seed_decides_everything():
    scenario = Scenario(name="any", erasers=1)
    assert scripts(scenario, 3) == scripts(scenario, 3)
    assert scripts(scenario, 3) != scripts(scenario, 4)


def delta(offset: int, text: str, id_: str = "a1") -> dict[str, object]:
    return {"type": "message.delta", "id": id_, "offset": offset, "text": text}


def test_view_ignores_what_it_has_and_asks_for_what_it_missed():
    text = numbered("q1", 1, 3)
    view = View()
    gaps = [view.hear(delta(at, text[at:end])) for at, end in [(0, 4), (2, 8), (1, 3), (12, 20)]]
    assert gaps == [False, False, False, True]
    assert (view.draft, view.wrong) == (text[:8], [])


def test_view_notes_a_draft_made_of_two_answers():
    view = View()
    view.hear(delta(0, numbered("q1", 1, 3)[:26]))
    view.hear(delta(26, numbered("q1", 2, 3)[26:]))
    assert view.wrong != []
