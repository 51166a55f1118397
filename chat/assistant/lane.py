"""The questions of one session that this process cares for, answered one at a time."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.conf import settings

from chat import draining, live, metrics
from chat.assistant.answer import write_answer
from chat.assistant.llm import default_llm
from chat.assistant.report import report
from chat.assistant.writer import AnswerTooLong, DraftWriter
from chat.errors import (
    AssistantTimeout,
    ChatError,
    Internal,
    SessionBusy,
    SessionNotFound,
    StoreUnavailable,
)
from chat.live import Hear
from chat.protocol import Failed, MessageDone, SessionState
from chat.sessions.store import ANY_OWNER, Lease, LeaseLost, Store
from chat.sessions.types import Author, Draft, End, Message, Outcome, new_id

logger = logging.getLogger(__name__)

#: Waiting for another process's turn to end: first and longest pause between two looks.
FIRST_LOOK_S = 0.05
LONGEST_LOOK_S = 0.4
#: A finished answer that cannot be stored is tried again for this long.
STORE_AGAIN_S = 8.0


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """How a question ended, with the answer as stored, if there is one."""

    outcome: Outcome
    answer: Message | None


class Turn:
    """One question on its way to its end. ``deadline``: event loop time."""

    def __init__(self, question_id: str, deadline: float) -> None:
        self.question_id = question_id
        self.deadline = deadline
        self._ended: asyncio.Future[TurnEnd] = asyncio.get_running_loop().create_future()

    @property
    def end(self) -> TurnEnd | None:
        """How it ended, or None while it goes on."""
        return self._ended.result() if self._ended.done() else None

    async def ended(self) -> TurnEnd:
        """Wait for the end. Cancelling the wait does not touch the turn."""
        return await asyncio.shield(self._ended)

    def settle(self, end: TurnEnd) -> None:
        if not self._ended.done():
            self._ended.set_result(end)


class Lane:
    """``leave`` is called when nothing is left to do; the lane is not used after that."""

    def __init__(self, session_id: str, store: Store, leave: Callable[[], object]) -> None:
        self._session_id = session_id
        self._store = store
        self._leave = leave
        self._turns: dict[str, Turn] = {}
        self._news: list[tuple[Message, Hear | None]] = []
        self._task: asyncio.Task[None] | None = None
        self._model: asyncio.Task[None] | None = None
        self._writing: tuple[Lease, DraftWriter] | None = None
        self._stopped = False

    @property
    def draft(self) -> Draft | None:
        """The answer being written here, to the last character."""
        if self._writing is None or not (text := self._writing[1].text):
            return None
        return Draft(id=self._writing[0].answer_id, text=text)

    def add(self, turn: Turn, message: Message | None, asker: Hear | None) -> Turn:
        """Care for this question; the turn returned is the one already under way, if any.

        ``message``: to be shown to everybody but ``asker`` before it is answered.
        """
        turn = self._turns.setdefault(turn.question_id, turn)
        if message is not None:
            self._news.append((message, asker))
        self.wake()
        return turn

    def wake(self) -> None:
        """See whether there is a question to be answered, ours or left by another process."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="lane")

    def stop(self) -> bool:
        """Stop the answer being written here, at once. Return whether there was one."""
        if self._model is None or self._model.done():
            return False
        self._stopped = True
        self._model.cancel()
        return True

    async def hand_over(self) -> None:
        """Stop answering, without an end, and leave the question to another process."""
        if self._writing is None or self._task is None:
            return
        lease, _writer = self._writing
        self._task.cancel()
        await asyncio.wait({self._task})
        try:
            await self._store.release(lease)
        except StoreUnavailable:
            logger.warning("a turn was not handed over: it is taken up when its lease ends")

    async def _run(self) -> None:
        try:
            with draining.busy():
                await self._work()
        except SessionNotFound as error:
            self._settle_all(Outcome(end=End.FAILED, code=error.code))
        except ChatError as error:
            logger.warning("a lane gave up: %s", error.code)
            await self._give_up(error)
        except Exception:
            bug = Internal(secrets.token_hex(6))
            logger.exception("a lane failed, error_id=%s", bug.error_id)
            await self._give_up(bug)
        finally:
            self._leave()

    async def _work(self) -> None:
        look_s = FIRST_LOOK_S
        while True:
            await self._tell_news()
            owned = tuple(self._turns)
            claim = await self._store.claim(self._session_id, owned, new_id())
            for question_id, outcome in claim.ended.items():
                await self._settle_from_store(question_id, outcome)
            if claim.lease is not None:
                await self._answer(claim.lease)
                look_s = FIRST_LOOK_S
            else:
                await self._drop_late()
            if not self._turns and not self._news:
                return
            if claim.lease is None:
                await asyncio.sleep(look_s)
                look_s = min(LONGEST_LOOK_S, look_s * 2)

    async def _tell_news(self) -> None:
        while self._news:
            message, asker = self._news.pop(0)
            await live.publish(self._session_id, MessageDone(message), besides=asker)

    async def _answer(self, lease: Lease) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        turn = self._turns.get(lease.question_id)
        deadline = turn.deadline if turn else started + settings.ENV.chat_timeout_s
        if lease.again:
            await self._begin_again(lease)
        writer = DraftWriter(self._store, lease)
        self._writing = lease, writer
        ending = "lost"
        try:
            outcome = await self._write(lease, writer, deadline)
            answer = _answer_of(lease, writer.text, outcome)
            outcome = replace(outcome, answer_id=answer.id if answer else "")
            await self._finish(lease, outcome, answer)
            ending = outcome.code or outcome.end.value
        except LeaseLost:
            metrics.turns.labels(outcome="lost").inc()
        finally:
            self._writing = None
            report(lease, writer, ending, loop.time() - started)

    async def _begin_again(self, lease: Lease) -> None:
        """Another worker had begun: viewers drop what they hold of it."""
        session = replace(
            await self._store.load(self._session_id, ANY_OWNER),
            draft=Draft(id=lease.answer_id, text=""),
        )
        await live.publish(self._session_id, SessionState.of(session, self._store.backend))

    async def _write(self, lease: Lease, writer: DraftWriter, deadline: float) -> Outcome:
        """Have the model write until its end, ours, or the customer's; say which.

        Raises:
            LeaseLost:
        """
        self._stopped = False
        self._model = asyncio.create_task(
            write_answer(default_llm(), lease.session, lease.question_id, writer, deadline=deadline)
        )
        try:
            with live.answering(self._session_id, self._obey):
                async with asyncio.timeout_at(deadline):
                    await self._attend(self._model, writer)
            if self._stopped:
                return Outcome(end=End.STOPPED)
            self._model.result()
            return Outcome(end=End.DONE)
        except TimeoutError:
            error: ChatError = AssistantTimeout()
        except AnswerTooLong:
            error = AssistantTimeout()
        except ChatError as its_error:
            error = its_error
        except LeaseLost:
            raise
        except Exception:
            error = bug = Internal(secrets.token_hex(6))
            logger.exception("writing an answer failed, error_id=%s", bug.error_id)
        finally:
            self._model.cancel()
            await asyncio.wait({self._model})
            self._model = None
            writer.close()
        end = End.INTERRUPTED if writer.text else End.FAILED
        return _failed(end, error)

    async def _attend(self, model: asyncio.Task[None], writer: DraftWriter) -> None:
        """Until the model is done: keep the draft, renew the lease, hear of a stop."""
        while not model.done():
            await asyncio.wait({model}, timeout=writer.interval_s)
            if model.done():
                return
            try:
                await writer.keep()
            except StoreUnavailable:
                logger.warning("the session store did not answer: the draft is kept later")
            if writer.stop_asked:
                self.stop()

    def _obey(self, order: str) -> None:
        if order == "stop":
            self.stop()

    async def _finish(self, lease: Lease, outcome: Outcome, answer: Message | None) -> None:
        await self._store_end(lease, outcome, answer)
        metrics.turns.labels(outcome=outcome.end.value).inc()
        if answer is not None:
            await live.publish(self._session_id, MessageDone(answer))
        else:
            await live.publish(self._session_id, _failure(lease.question_id, outcome))
        self._settle(lease.question_id, TurnEnd(outcome, answer))

    async def _store_end(self, lease: Lease, outcome: Outcome, answer: Message | None) -> None:
        give_up = asyncio.get_running_loop().time() + STORE_AGAIN_S
        while True:
            try:
                return await self._store.finish(lease, outcome, answer)
            except StoreUnavailable:
                if asyncio.get_running_loop().time() > give_up:
                    raise
                await asyncio.sleep(LONGEST_LOOK_S)

    async def _drop_late(self) -> None:
        """Give those of our questions an end that still wait at their deadline."""
        now = asyncio.get_running_loop().time()
        for turn in [turn for turn in self._turns.values() if turn.deadline <= now]:
            outcome = _failed(End.FAILED, SessionBusy(retry_after_s=2))
            try:
                await self._store.abandon(self._session_id, turn.question_id, outcome)
            except LeaseLost:  # another worker writes this very answer: only the wait ends
                self._settle(turn.question_id, TurnEnd(outcome, None))
                continue
            await live.publish(self._session_id, _failure(turn.question_id, outcome))
            self._settle(turn.question_id, TurnEnd(outcome, None))

    async def _settle_from_store(self, question_id: str, outcome: Outcome) -> None:
        answer = await find_answer(self._store, self._session_id, outcome)
        self._settle(question_id, TurnEnd(outcome, answer))

    def _settle(self, question_id: str, end: TurnEnd) -> None:
        turn = self._turns.pop(question_id, None)
        if turn is not None:
            turn.settle(end)

    def _settle_all(self, outcome: Outcome) -> None:
        for question_id in tuple(self._turns):
            self._settle(question_id, TurnEnd(outcome, None))

    async def _give_up(self, error: ChatError) -> None:
        outcome = _failed(End.FAILED, error)
        for question_id in tuple(self._turns):
            await live.publish(self._session_id, _failure(question_id, outcome))
        self._settle_all(outcome)


def _failed(end: End, error: ChatError) -> Outcome:
    error_id = error.error_id if isinstance(error, Internal) else ""
    return Outcome(end=end, code=error.code, retry_after_s=error.retry_after_s, error_id=error_id)


def _answer_of(lease: Lease, text: str, outcome: Outcome) -> Message | None:
    if outcome.end is End.FAILED:
        return None
    return Message(
        author=Author.ASSISTANT,
        id=lease.answer_id,
        text=text,
        interrupted=outcome.end is not End.DONE,
        reply_to=lease.question_id,
    )


def _failure(question_id: str, outcome: Outcome) -> Failed:
    return Failed.from_error(outcome.error(), question_id)


async def find_answer(store: Store, session_id: str, outcome: Outcome) -> Message | None:
    """Return the stored answer that an outcome names, if it names one."""
    if not outcome.answer_id:
        return None
    session = await store.load(session_id, ANY_OWNER)
    return next((m for m in session.messages if m.id == outcome.answer_id), None)
