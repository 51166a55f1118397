"""The questions of one session that this process cares for, answered one at a time."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from django.conf import settings

from chat import draining, live
from chat.assistant.attempt import Attempt, TurnEnd, failed, failure
from chat.assistant.patience import persisting
from chat.errors import ChatError, Internal, SessionBusy, SessionNotFound, StoreUnavailable
from chat.live import Hear
from chat.protocol import MessageDone
from chat.sessions.store import ANY_OWNER, Claim, Lease, LeaseLost, Store
from chat.sessions.types import Draft, End, Message, Outcome, new_id
from chat.takeover.silence import YIELD

logger = logging.getLogger(__name__)

#: Waiting for another process's turn to end: first and longest pause between two looks.
FIRST_LOOK_S = 0.05
LONGEST_LOOK_S = 0.4
#: How long nothing is begun after the order to yield: by then an adviser has the conversation.
YIELD_S = 1.5


class Turn:
    """One question on its way to its end. ``deadline``: event loop time.

    ``ahead``: ids of the questions that were to be answered before it when it was last asked.
    """

    def __init__(self, question_id: str, deadline: float) -> None:
        self.question_id = question_id
        self.deadline = deadline
        self.ahead: tuple[str, ...] = ()
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


@dataclass(frozen=True, slots=True)
class News:
    """A question to be shown to everybody but ``asker``; ``listening``: see ``live.publish``."""

    message: Message
    asker: Hear | None
    listening: int | None


class Lane:
    """``leave`` is called when nothing is left to do; the lane is not used after that.

    ``show``: has viewers of this process see the conversation as it is stored.
    """

    def __init__(
        self,
        session_id: str,
        store: Store,
        leave: Callable[[], object],
        show: Callable[[], Awaitable[None]],
    ) -> None:
        self._session_id = session_id
        self._store = store
        self._leave = leave
        self._show = show
        self._yields_until = 0.0
        self._turns: dict[str, Turn] = {}
        self._news: list[News] = []
        self._granted: list[Lease] = []
        self._task: asyncio.Task[None] | None = None
        self._attempt: Attempt | None = None

    @property
    def draft(self) -> Draft | None:
        """The answer being written here, to the last character."""
        return self._attempt.draft if self._attempt is not None else None

    def add(self, turn: Turn, news: News | None, lease: Lease | None) -> Turn:
        """Care for this question; the turn returned is the one already under way, if any.

        ``news``: to be told before it is answered. ``lease``: the right to answer it, if the
        store gave it at once.
        """
        turn = self._turns.setdefault(turn.question_id, turn)
        if news is not None:
            self._news.append(news)
        if lease is not None:
            self._granted.append(lease)
        self.wake()
        return turn

    def wake(self) -> None:
        """See whether there is a question to be answered, ours or left by another process."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="lane")

    def stop(self) -> bool:
        """Stop the answer being written here, at once. Return whether there was one."""
        return self._attempt is not None and self._attempt.stop()

    def _obey(self, order: str) -> None:
        if order == "stop":
            self.stop()
        elif order == YIELD:
            self._yields_until = asyncio.get_running_loop().time() + YIELD_S
            if self._attempt is not None:
                self._attempt.stop(End.TAKEN_OVER)

    async def hand_over(self) -> None:
        """Stop answering, without an end, and leave the question to another process."""
        leases = [*([self._attempt.lease] if self._attempt else []), *self._granted]
        if not leases or self._task is None:
            return
        self._task.cancel()
        await asyncio.wait({self._task})
        try:
            for lease in leases:
                await self._store.release(lease)
        except StoreUnavailable:
            logger.warning("a turn was not handed over: it is taken up when its lease ends")

    async def _run(self) -> None:
        try:
            with draining.busy(), live.answering(self._session_id, self._obey):
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
            claim = await self._claim()
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

    async def _claim(self) -> Claim:
        """Ask for the next question; while the store is away, until the last of ours is late.

        Raises:
            StoreUnavailable: and none of ours is waited for any more.
        """
        if self._granted:
            claim = Claim(lease=self._granted.pop(0))
        else:
            ask = self._ended if self._is_yielding() else self._next
            claim = await persisting(ask, self._is_awaited)
        if claim.lease is not None and self._is_yielding():  # told so while it asked
            await self._store.release(claim.lease)
            return Claim(ended=claim.ended)
        return claim

    async def _next(self) -> Claim:
        return await self._store.claim(self._session_id, tuple(self._turns), new_id())

    async def _ended(self) -> Claim:
        """Return what became of our questions, without asking for one."""
        ended = {}
        for question_id in tuple(self._turns):
            outcome = await self._store.outcome(self._session_id, question_id)
            if outcome is not None:
                ended[question_id] = outcome
        return Claim(ended=ended)

    def _is_yielding(self) -> bool:
        return asyncio.get_running_loop().time() < self._yields_until

    def _is_awaited(self) -> bool:
        now = asyncio.get_running_loop().time()
        return any(turn.deadline > now for turn in self._turns.values())

    async def _tell_news(self) -> None:
        while self._news:
            news = self._news.pop(0)
            said = MessageDone(news.message)
            await live.publish(self._session_id, said, besides=news.asker, listening=news.listening)

    async def _answer(self, lease: Lease) -> None:
        turn = self._turns.get(lease.question_id)
        now = asyncio.get_running_loop().time()
        attempt = Attempt(
            self._store, lease, turn.deadline if turn else now + settings.ENV.chat_timeout_s
        )
        self._attempt = attempt
        try:
            end = await attempt.run()
        except LeaseLost:  # another worker writes, or nobody is to: show viewers here what is so
            self._attempt = None
            await self._show()
        else:
            self._settle(lease.question_id, end)
        finally:
            self._attempt = None

    async def _drop_late(self) -> None:
        """Give those of our questions an end that still wait at their deadline."""
        now = asyncio.get_running_loop().time()
        for turn in [turn for turn in self._turns.values() if turn.deadline <= now]:
            outcome = failed(End.FAILED, SessionBusy(retry_after_s=2))
            try:
                await self._store.abandon(self._session_id, turn.question_id, outcome)
            except LeaseLost:  # it has an end, or another worker writes: only the wait ends
                await self._settle_late(turn.question_id, outcome)
                continue
            await live.publish(self._session_id, failure(turn.question_id, outcome))
            self._settle(turn.question_id, TurnEnd(outcome, None))

    async def _settle_late(self, question_id: str, late: Outcome) -> None:
        outcome = await self._store.outcome(self._session_id, question_id)
        if outcome is None:
            self._settle(question_id, TurnEnd(late, None))
        else:
            await self._settle_from_store(question_id, outcome)

    async def _settle_from_store(self, question_id: str, outcome: Outcome) -> None:
        answer = await find_answer(self._store, self._session_id, outcome)
        is_told = outcome.end is End.TAKEN_OVER  # with all the rest, by whoever took over
        if answer is not None and not is_told:  # whoever wrote it may have died before that
            await live.tell_here(self._session_id, MessageDone(answer))
        self._settle(question_id, TurnEnd(outcome, answer))

    def _settle(self, question_id: str, end: TurnEnd) -> None:
        turn = self._turns.pop(question_id, None)
        if turn is not None:
            turn.settle(end)

    def _settle_all(self, outcome: Outcome) -> None:
        for question_id in tuple(self._turns):
            self._settle(question_id, TurnEnd(outcome, None))

    async def _give_up(self, error: ChatError) -> None:
        outcome = failed(End.FAILED, error)
        for question_id in tuple(self._turns):
            await live.publish(self._session_id, failure(question_id, outcome))
        self._settle_all(outcome)


async def find_answer(store: Store, session_id: str, outcome: Outcome) -> Message | None:
    """Return the stored answer that an outcome names, if it names one."""
    if not outcome.answer_id:
        return None
    session = await store.load(session_id, ANY_OWNER)
    return next((m for m in session.messages if m.id == outcome.answer_id), None)
