"""What must hold whatever went wrong. Pure functions of what was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.faults.answers import is_whole, wrong_with
from tests.faults.client import MAX_RETRIES
from tests.faults.records import Ending, RunRecord, TabRecord, VisitorRecord, WorkerRecord
from tests.faults.view import Line, View

#: A question that no worker survives is given up after so many. Source: ``Store.claim``.
MAX_TRIES = 3
#: Of the processor, in one step of an event loop: nobody waits longer for all the others' work.
LONGEST_STEP_S = 1.0
#: Connections that a worker keeps for later, at most as seen: to Redis 14, to the model 3, and 10
#: that this suite's HTTP clients keep open. What leaks grows beyond any of that.
POOLED_FILES = 32
#: A word that was on its way when an adviser was told that she has the conversation.
ON_ITS_WAY_S = 0.3


@dataclass(frozen=True, slots=True)
class Violation:
    invariant: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.detail}"


def kept(visitor: VisitorRecord) -> Iterator[str]:
    """An acknowledged message is in the transcript, with its own text."""
    texts = {line.id: line.text for line in visitor.stored}
    for tab in visitor.tabs:
        for id_ in tab.accepted:
            if id_ not in texts:
                yield f"{id_} was acknowledged and is lost"
            elif texts[id_] != tab.asked[id_]:
                yield f"{id_} has another text"


def once(visitor: VisitorRecord) -> Iterator[str]:
    """No message twice, no second answer, nothing that nobody said."""
    for id_, times in Counter(line.id for line in visitor.stored).items():
        if times > 1:
            yield f"{id_} is there {times} times"
    answers = Counter(line.reply_to for line in visitor.stored if line.reply_to)
    for id_, times in answers.items():
        if times > 1:
            yield f"{id_} has {times} answers"
    asked = {id_ for tab in visitor.tabs for id_ in tab.asked}
    for line in visitor.stored:
        if line.author == "customer" and line.id not in asked:
            yield f"{line.id} was never asked"


def same_order(visitor: VisitorRecord) -> Iterator[str]:
    """Every worker tells what Redis holds; each tab's messages stand as it sent them."""
    stored = [line.id for line in visitor.stored]
    for where, final in visitor.finals.items():
        told = [line.id for line in final.lines]
        if told != stored:
            yield f"{where} tells {_difference(told, stored)}"
    senders = Counter(id_ for tab in visitor.tabs for id_ in tab.asked)
    for tab in visitor.tabs:  # what several tabs sent may have come first from any
        mine = [id_ for id_ in stored if id_ in tab.asked and senders[id_] == 1]
        sent = [id_ for id_ in tab.asked if id_ in mine]
        if mine != sent and not tab.refused:
            yield f"{tab.name} sent {sent}, stored {mine}"


def view_is_transcript(visitor: VisitorRecord) -> Iterator[str]:
    """Once all is quiet, each page shows the transcript, and nothing was ever taken back."""
    for tab in visitor.tabs:
        shown = [(line.id, line.text) for line in tab.view.lines]
        stored = [(line.id, line.text) for line in visitor.stored]
        if sorted(shown) != sorted(stored):
            yield f"{tab.name} shows {_difference(shown, stored)}"
        elif shown != stored:
            yield f"{tab.name} shows another order: {[id_ for id_, _ in shown]}"
        for id_ in dict.fromkeys(tab.vanished):
            yield f"{id_} vanished from {tab.name}"
        if tab.blanked:
            yield f"{tab.name} was shown an empty conversation in place of its own"


def one_end(visitor: VisitorRecord) -> Iterator[str]:
    """Every question has one end, all who look see it, and no other was ever told."""
    yield from visitor.unsettled
    answers = {line.reply_to: line for line in visitor.stored if line.reply_to}
    final = next(iter(visitor.finals.values()), View())
    for line in visitor.stored:
        if line.author != "customer":
            continue
        if visitor.taken_over_at is not None and line.id not in final.waiting:
            continue
        ends = (line.id in answers) + (line.id in final.failed) + (line.id in final.waiting)
        if ends != 1 or line.id in final.waiting:
            yield f"{line.id} has {ends} ends in the transcript"
    if visitor.taken_over_at is not None:
        return  # an adviser answers instead: see ``silent``
    retried = {id_ for tab in visitor.tabs for id_ in tab.retried}
    for tab in visitor.tabs:
        for ending in tab.endings:
            if ending.backend == "redis":
                yield from _other_end(tab, ending, answers, retried)
            elif ending.how == "done" and ending.question not in answers:
                # An answer that memory told may be replaced in a merge, by another one only.
                yield f"{tab.name} was told an answer to {ending.question}, which has none"


def _other_end(
    tab: TabRecord, ending: Ending, answers: dict[str, Line], retried: set[str]
) -> Iterator[str]:
    """What a page was told must be what is kept."""
    stored = answers.get(ending.question)
    if ending.how == "done":
        if stored is None or (stored.id, stored.text) != (ending.answer_id, ending.text):
            yield f"{tab.name} was told another answer to {ending.question}: {ending.text[-40:]!r}"
    elif stored is not None and ending.question not in retried:
        yield f"{tab.name} was told {ending.how} for {ending.question}, which has an answer"


def one_voice(visitor: VisitorRecord) -> Iterator[str]:
    """No viewer, at no moment, saw two answers in one, or an answer to something else."""
    for tab in visitor.tabs:
        yield from tab.view.wrong
    for line in visitor.stored:
        if not line.reply_to or not line.text:
            continue
        if wrong := wrong_with(line.text, line.reply_to):
            yield f"stored: {wrong}"
        elif not line.interrupted and not is_whole(line.text):
            yield f"{line.id} is said to be whole, and ends with {line.text[-30:]!r}"


def silent(visitor: VisitorRecord) -> Iterator[str]:
    """Not a word of the model once an adviser was told that she has the conversation."""
    if visitor.taken_over_at is None:
        return
    since = visitor.taken_over_at + ON_ITS_WAY_S
    for tab in visitor.tabs:
        late = [at for at in tab.spoke_at if at > since]
        if late:
            after_s = max(late) - visitor.taken_over_at
            yield f"{tab.name} heard {len(late)} times of the model, up to {after_s:.1f} s later"
    order = [line.author for line in visitor.stored]
    if "adviser" in order and "assistant" in order[order.index("adviser") :]:
        yield "the model answers below the adviser's words"


def erased(visitor: VisitorRecord) -> Iterator[str]:
    """One second after an erasure nothing of it can be read, and nobody writes it again."""
    if not visitor.erased:
        return
    for trace in visitor.traces:
        yield f"still readable: {trace}"
    for tab in visitor.tabs:
        for said in tab.heard_after_erasure:
            yield f"{tab.name} heard {said}"


def bounded(worker: WorkerRecord) -> Iterator[str]:
    """What clients make a worker hold has a bound."""
    grown = worker.peak_mib - worker.before_mib
    if grown > worker.allowed_mib:
        yield f"{worker.name} grew by {grown:.0f} MiB, of {worker.allowed_mib:.0f} allowed"


def back_to_start(worker: WorkerRecord) -> Iterator[str]:
    """Once everybody left, nothing of them is held open."""
    if worker.sockets_after:
        yield f"{worker.name} counts {worker.sockets_after} sockets, and nobody is there"
    if worker.files_after > worker.files_before + POOLED_FILES:
        yield f"{worker.name} had {worker.files_before} open files, and has {worker.files_after}"


def no_bug(run: RunRecord) -> Iterator[str]:
    """No traceback in a log, no "internal" on a page."""
    yield from run.errors
    for visitor in run.visitors:
        for tab in visitor.tabs:
            yield from tab.internal


def in_time(run: RunRecord) -> Iterator[str]:
    """What is promised within seconds came within them."""
    yield from dict.fromkeys(run.late)


def few_tries(run: RunRecord) -> Iterator[str]:
    """However many workers a question stops, the model is asked so often at most."""
    asked_again = Counter(
        id_ for visitor in run.visitors for tab in visitor.tabs for id_ in tab.retried
    )
    for question, times in run.calls.items():
        if times > MAX_TRIES * (1 + asked_again[question] * MAX_RETRIES):
            yield f"the model was asked {question} {times} times"


def whole(run: RunRecord) -> Iterator[str]:
    """Where nothing is struck and nobody stops an answer, no answer is cut and none fails."""
    if not run.undisturbed:
        return
    for visitor in run.visitors:
        yield from (f"{line.id} was cut" for line in visitor.stored if line.interrupted)
        for tab in visitor.tabs:
            yield from (f"{end.question} {end.how}" for end in tab.endings if end.how != "done")


def short_steps(run: RunRecord) -> Iterator[str]:
    """No text of a stranger keeps an event loop from everybody else."""
    longest = max(run.stalls, key=lambda stall: stall.busy_s, default=None)
    if longest is not None and longest.busy_s > LONGEST_STEP_S:
        yield f"{longest.worker} took {longest.busy_s:.1f} s of processor time in one step"


def goes_on(run: RunRecord) -> Iterator[str]:
    """What one bad thing must not stop went on."""
    yield from dict.fromkeys(run.broken)


def no_secret(run: RunRecord) -> Iterator[str]:
    """No cookie, link or key is in a log or in Redis' files, and no erased word stays there."""
    yield from dict.fromkeys(run.leaks)


OF_A_VISITOR: dict[str, Callable[[VisitorRecord], Iterator[str]]] = {
    "kept": kept,
    "once": once,
    "same order": same_order,
    "view is transcript": view_is_transcript,
    "one end": one_end,
    "one voice": one_voice,
    "silent": silent,
}
OF_A_WORKER: dict[str, Callable[[WorkerRecord], Iterator[str]]] = {
    "bounded": bounded,
    "back to the start": back_to_start,
}
OF_A_RUN: dict[str, Callable[[RunRecord], Iterator[str]]] = {
    "in time": in_time,
    "no bug": no_bug,
    "few tries": few_tries,
    "whole": whole,
    "short steps": short_steps,
    "goes on": goes_on,
    "no secret": no_secret,
}


def violations(run: RunRecord) -> list[Violation]:
    found = []
    for visitor in run.visitors:
        if visitor.erased:
            found += [Violation("erased", detail) for detail in erased(visitor)]
            continue
        for name, holds in OF_A_VISITOR.items():
            if holds is one_voice and not run.numbered:
                continue
            found += [Violation(name, f"{visitor.name}: {detail}") for detail in holds(visitor)]
    for worker in run.workers:
        for worker_name, stays in OF_A_WORKER.items():
            found += [Violation(worker_name, detail) for detail in stays(worker)]
    for run_name, is_kept in OF_A_RUN.items():
        found += [Violation(run_name, detail) for detail in is_kept(run)]
    return found


def _difference(told: Sequence[object], stored: Sequence[object]) -> str:
    missing = [item for item in stored if item not in told]
    besides = [item for item in told if item not in stored]
    if not missing and not besides:
        return f"{told} for {stored}"
    return f"{len(told)} of {len(stored)} lines, without {missing[:3]}, besides {besides[:3]}"
