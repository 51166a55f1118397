"""One try at answering one question, under a lease."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass, replace

from chat import live, metrics
from chat.assistant.answer import write_answer
from chat.assistant.escalating import escalate_later
from chat.assistant.llm import default_llm
from chat.assistant.patience import persisting, steps
from chat.assistant.report import figures, report
from chat.assistant.writer import AnswerTooLong, DraftWriter
from chat.errors import AssistantTimeout, ChatError, Internal, StoreUnavailable
from chat.protocol import Failed, MessageDone, SessionState
from chat.sessions.desk import Aside, AsideKind
from chat.sessions.store import ANY_OWNER, Finished, Lease, LeaseLost, Store
from chat.sessions.types import Author, Draft, End, Message, Outcome
from chat.takeover.asides import show_later

logger = logging.getLogger(__name__)

#: A finished answer that cannot be stored is tried again for this long.
STORE_AGAIN_S = 8.0
#: Of the event loop, until the model is asked: the first of its task, and that in which aiohttp
#: sends.
STEPS_TO_ASK = 2


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """How a question ended, with the answer as stored, if there is one."""

    outcome: Outcome
    answer: Message | None


class Attempt:
    """``deadline``: event loop time at which the answer ends, finished or not."""

    def __init__(self, store: Store, lease: Lease, deadline: float) -> None:
        self.lease = lease
        self._store = store
        self._deadline = deadline
        self._session_id = lease.session.id
        self._writer = DraftWriter(store, lease)
        self._model: asyncio.Task[None] | None = None
        #: How it ends because somebody said so, None while nobody did.
        self._cut: End | None = None

    @property
    def draft(self) -> Draft | None:
        """What is written so far, to the last character."""
        text = self._writer.text
        return Draft(id=self.lease.answer_id, text=text) if text else None

    def stop(self, end: End = End.STOPPED) -> bool:
        """Stop the model, at once, or never begin. Return whether this gives the answer its end."""
        if self._model is not None and self._model.done():
            return False
        self._cut = self._cut or end
        self._writer.close()
        if self._model is not None:
            self._model.cancel()
        return True

    async def run(self) -> TurnEnd:
        """Answer the question, store its end and tell everybody.

        Raises:
            LeaseLost: nothing of this attempt counts.
            StoreUnavailable: the end could not be stored.
        """
        began_at = asyncio.get_running_loop().time()
        ending = "lost"
        try:
            if self.lease.again:
                await self._begin_again()
            if self._cut is None:
                end = await self._write()
            else:
                escalate_later(self._store, self.lease)
                end = self._end(Outcome(end=self._cut))
            aside = self._numbers(end, began_at)
            finished = await self._store_end(end, aside)
            ending = ending_of(end)
        finally:
            metrics.turns.labels(outcome="lost" if ending == "lost" else end.outcome.end).inc()
            seconds = asyncio.get_running_loop().time() - began_at
            report(self.lease, self._writer, ending, seconds)
        if end.answer is not None:
            done = MessageDone(end.answer)
            await live.publish(self._session_id, done, listening=finished.listening)
        elif end.outcome.end is not End.TAKEN_OVER:  # that is told by whoever took over
            told = failure(self.lease.question_id, end.outcome)
            await live.publish(self._session_id, told, listening=finished.listening)
        show_later(self._session_id, aside, finished.watching)
        return end

    def _numbers(self, end: TurnEnd, began_at: float) -> Aside:
        seconds = asyncio.get_running_loop().time() - began_at
        data = figures(self.lease, self._writer, ending_of(end), seconds)
        return Aside(kind=AsideKind.TURN, data=data)

    async def _begin_again(self) -> None:
        """Another worker had begun: viewers drop what they hold of it."""
        session = await self._store.load(self._session_id, ANY_OWNER)
        blank = replace(session, draft=Draft(id=self.lease.answer_id, text=""))
        await live.publish(self._session_id, SessionState.of(blank, self._store.backend))

    async def _write(self) -> TurnEnd:
        """Have the model write until its end, the deadline or a stop.

        Raises:
            LeaseLost:
        """
        lease, writer = self.lease, self._writer
        self._model = asyncio.create_task(
            write_answer(
                default_llm(), lease.session, lease.question_id, writer, deadline=self._deadline
            )
        )
        try:
            await steps(STEPS_TO_ASK)  # whatever else there is to do can wait for that
            escalate_later(self._store, self.lease)
            async with asyncio.timeout_at(self._deadline):
                await self._attend(self._model)
            if self._cut is not None:
                return self._end(Outcome(end=self._cut))
            self._model.result()
            return self._end(Outcome(end=End.DONE))
        except (TimeoutError, AnswerTooLong):
            error: ChatError = AssistantTimeout()
        except ChatError as known:
            error = known
        except LeaseLost:
            raise
        except Exception:
            error = bug = Internal(secrets.token_hex(6))
            logger.exception("writing an answer failed, error_id=%s", bug.error_id)
        finally:
            self._model.cancel()
            await asyncio.wait({self._model})
            writer.cut()
            writer.close()
        return self._end(failed(End.INTERRUPTED if writer.text else End.FAILED, error))

    async def _attend(self, model: asyncio.Task[None]) -> None:
        """Until the model is done: keep the draft, renew the lease, hear of a stop."""
        while not model.done():
            await asyncio.wait({model}, timeout=self._writer.interval_s)
            if model.done():
                return
            try:
                await self._writer.keep()
            except StoreUnavailable:
                logger.warning("the session store did not answer: the draft is kept later")
            if self._writer.stop_asked:
                self.stop()

    def _end(self, outcome: Outcome) -> TurnEnd:
        self._writer.cut()
        is_mute = outcome.end is End.TAKEN_OVER and not self._writer.text
        if outcome.end is End.FAILED or is_mute:
            return TurnEnd(outcome, None)
        answer = Message(
            author=Author.ASSISTANT,
            id=self.lease.answer_id,
            text=self._writer.text,
            interrupted=outcome.end is not End.DONE,
            reply_to=self.lease.question_id,
            sources=self._writer.sources if self._writer.text else (),
        )
        return TurnEnd(replace(outcome, answer_id=answer.id), answer)

    async def _store_end(self, end: TurnEnd, aside: Aside) -> Finished:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + STORE_AGAIN_S
        return await persisting(
            lambda: self._store.finish(self.lease, end.outcome, end.answer, aside),
            lambda: loop.time() <= give_up_at,
        )


def ending_of(end: TurnEnd) -> str:
    """Return the error code of what failed, else how it ended."""
    return end.outcome.code or end.outcome.end.value


def failed(end: End, error: ChatError) -> Outcome:
    """Return the outcome of a question that ended with this error."""
    error_id = error.error_id if isinstance(error, Internal) else ""
    return Outcome(end=end, code=error.code, retry_after_s=error.retry_after_s, error_id=error_id)


def failure(question_id: str, outcome: Outcome) -> Failed:
    """Return what viewers are told of a question that ended without an answer."""
    return Failed.from_error(outcome.error(), question_id)
