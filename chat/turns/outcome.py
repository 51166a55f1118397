"""The end of a question: its outcome, its answer, how the end is stored, and the turn's numbers.

The log and the metrics get numbers only; never a word of a conversation.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import structlog

from chat.assistant.guard.claims import Kind
from chat.assistant.stream import Usage
from chat.conversations.realtime.events import Failed
from chat.conversations.store.adviser_store import StaffNote
from chat.conversations.store.protocol import Finished, GivenUp, Lease, Store
from chat.conversations.types import Author, End, Message, Outcome
from chat.core import metrics
from chat.core.errors import ChatError, Internal, StoreUnavailable
from chat.core.ids import ref_of
from chat.core.json import JSON
from chat.core.runtime import Part
from chat.core.stats.counters import bucket_of, count

#: Steps of the event loop from when a question is stored until its model is asked: the first of the
#: task that answers, and that in which aiohttp sends.
STEPS_TO_ASK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTimes:
    """Seconds. Read once by whatever cares for one question or one answer."""

    #: Viewers here get at most one delta in this time, or in what the load of the process makes of
    #: it; the first text of an answer goes at once.
    coalesce_s: float = 0.03
    #: How often the draft is kept, with and without viewers in other processes.
    keep_watched_s: float = 0.1
    keep_alone_s: float = 0.4
    #: The lease is renewed this often even when nothing is written.
    renew_s: float = 1.5
    #: Waiting for another process's turn to end: first and longest pause between two looks.
    first_look_s: float = 0.05
    longest_look_s: float = 0.4
    #: How long nothing is begun after the order to yield: by then an adviser has the conversation.
    yield_s: float = 1.5
    #: Pause between two calls of a store that is away.
    store_pause_s: float = 0.4
    #: A finished answer that cannot be stored is tried again for this long.
    store_again_s: float = 8.0
    #: Viewers who wait for another process's answer are shown the whole state after this silence.
    silence_s: float = 2.0


#: The times of this worker's turns.
TURN_TIMES: Part[TurnTimes] = Part("times of turns", TurnTimes)


logger = logging.getLogger(__name__)
turns_log = structlog.get_logger("chat.turns")

T = TypeVar("T")

#: The ending of an attempt whose lease was lost, or whose end could not be stored.
LOST = "lost"


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """How a question ended, with the answer as stored, if there is one."""

    outcome: Outcome
    answer: Message | None

    @property
    def ending(self) -> str:
        """The error code of what failed, else how it ended: ``"done"``, ``"rate_limited"``."""
        return self.outcome.code or self.outcome.end.value


def end_of(
    lease: Lease, ended: End | ChatError, text: str, sources: Sequence[JSON] = ()
) -> TurnEnd:
    """Return the end of a question whose answer is this text.

    ``ended``: ``DONE``, ``STOPPED`` or ``TAKEN_OVER``, or the error at which the answer broke off:
    with a text the answer is interrupted, without one the question failed and has no answer. A
    question that an adviser took over before the first word has no answer either.
    """
    if isinstance(ended, ChatError):
        outcome = failed(End.INTERRUPTED if text else End.FAILED, ended)
    else:
        outcome = Outcome(end=ended)
    if not text and outcome.end in (End.FAILED, End.TAKEN_OVER):
        return TurnEnd(outcome, None)
    answer = Message(
        author=Author.ASSISTANT,
        id=lease.answer_id,
        text=text,
        interrupted=outcome.end is not End.DONE,
        reply_to=lease.question_id,
        sources=tuple(sources) if text else (),
    )
    return TurnEnd(replace(outcome, answer_id=answer.id), answer)


def failed(end: End, error: ChatError) -> Outcome:
    """Return the outcome of a question that ended with this error."""
    error_id = error.error_id if isinstance(error, Internal) else ""
    return Outcome(end=end, code=error.code, retry_after_s=error.retry_after_s, error_id=error_id)


def failure(question_id: str, outcome: Outcome) -> Failed:
    """Return what viewers are told of a question that ended without an answer."""
    return Failed.from_error(outcome.error(), question_id)


def logged_as_internal(bug: Exception, what: str) -> Internal:
    """Log a bug under a new id, and return what is told of it. ``what`` failed, for the log."""
    error = Internal(secrets.token_hex(6))
    logger.error("%s failed, error_id=%s", what, error.error_id, exc_info=bug)
    return error


async def store_end(store: Store, lease: Lease, end: TurnEnd, staff_note: StaffNote) -> Finished:
    """Store the end of a question; a store that is away is asked again for ``store_again_s``.

    Raises:
        LeaseLost: somebody else gives the question its end.
        StoreUnavailable: the store stayed away.
    """
    loop, times = asyncio.get_running_loop(), TURN_TIMES.get()
    give_up_at = loop.time() + times.store_again_s
    return await retry_while_unavailable(
        lambda: store.finish(lease, end.outcome, end.answer, staff_note),
        lambda: loop.time() <= give_up_at,
        pause_s=times.store_pause_s,
    )


async def retry_while_unavailable(
    call: Callable[[], Awaitable[T]], may_wait: Callable[[], bool], *, pause_s: float
) -> T:
    """Return the result of ``call``, calling again while the store is away.

    ``pause_s``: between two calls.

    Raises:
        StoreUnavailable: and ``may_wait`` says that it is too late to try again.
    """
    while True:
        try:
            return await call()
        except StoreUnavailable:
            if not may_wait():
                raise
        await asyncio.sleep(pause_s)


@dataclass(slots=True)
class AnswerStats:
    """What the writing of one answer took."""

    #: Characters that viewers were shown.
    chars: int = 0
    #: Seconds from the beginning to the first text; None without any.
    first_text_s: float | None = None
    #: Names of the tools that were used, in order.
    tools: list[str] = field(default_factory=list)
    #: What it cost, summed over the rounds, when the model's server says so.
    usage: Usage | None = None
    #: How many sentences the guard replaced, by what they claimed.
    replaced: Counter[Kind] = field(default_factory=Counter)

    def add_usage(self, usage: Usage) -> None:
        """Add what one round cost."""
        known = self.usage or Usage(0, 0)
        self.usage = Usage(
            known.prompt_tokens + usage.prompt_tokens,
            known.completion_tokens + usage.completion_tokens,
        )


def turn_numbers(lease: Lease, stats: AnswerStats, ending: str, seconds: float) -> JSON:
    """Return the numbers of one turn, as an ``StaffNote`` of a turn keeps them.

    ``ending``: see ``TurnEnd.ending``; ``LOST`` to another worker.
    """
    first_s, usage = stats.first_text_s, stats.usage
    return {
        "question_id": lease.question_id,
        "answer_id": lease.answer_id,
        "ending": ending,
        "first_text_ms": None if first_s is None else round(first_s * 1000),
        "total_ms": round(seconds * 1000),
        "tools": stats.tools,
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
        "guarded": stats.replaced.total(),
    }


def report(lease: Lease, stats: AnswerStats, end: TurnEnd | None, seconds: float) -> None:
    """Write the log line of a turn, and count it. ``end``: None when it was lost."""
    ending = end.ending if end is not None else LOST
    metrics.turns.labels(outcome=end.outcome.end if end is not None else LOST).inc()
    metrics.turn_seconds.observe(seconds)
    if stats.first_text_s is not None:
        metrics.first_text_seconds.observe(stats.first_text_s)
    _count(stats, ending)
    told = turn_numbers(lease, stats, ending, seconds)
    del told["question_id"], told["answer_id"]
    turns_log.info(
        "turn",
        session=ref_of(lease.session.id),
        question=ref_of(lease.question_id),
        again=lease.again,
        chars=stats.chars,
        **told,
    )


def report_given_up(session_id: str, given_up: GivenUp) -> None:
    """Note a question that ended because nobody could answer it."""
    outcome = given_up.outcome
    metrics.questions_given_up.labels(code=outcome.code).inc()
    metrics.turns.labels(outcome=outcome.end).inc()
    count(f"turns.{outcome.end}")
    count(f"errors.{outcome.code}")
    turns_log.warning(
        "a question was given up",
        session=ref_of(session_id),
        question=ref_of(given_up.question_id),
        ending=outcome.code,
        attempts=given_up.attempts,
    )


def _count(stats: AnswerStats, ending: str) -> None:
    """Add the turn to the numbers of the day; one that was lost is the other worker's."""
    if ending != LOST:
        broken = "interrupted" if stats.chars else "failed"
        is_end = ending in End._value2member_map_
        count(f"turns.{ending if is_end else broken}")
        if not is_end:
            count(f"errors.{ending}")
        if stats.first_text_s is not None:
            count(bucket_of(stats.first_text_s))
    count("tools", len(stats.tools))
    for kind, times in stats.replaced.items():
        metrics.guard_replaced.labels(kind=kind.value).inc(times)
        count(f"guard.{kind}", times)
    if stats.usage is not None:
        count("tokens.prompt", stats.usage.prompt_tokens)
        count("tokens.completion", stats.usage.completion_tokens)
