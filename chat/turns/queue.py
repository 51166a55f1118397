"""The questions of one session that this process cares for, answered one at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from chat.conversations.realtime.events import MessageDone
from chat.conversations.realtime.pubsub import PUBSUB, Command, Subscriber
from chat.conversations.store.protocol import (
    ANY_OWNER,
    MAX_ATTEMPTS,
    ClaimResult,
    GivenUp,
    Lease,
    LeaseLost,
    Store,
)
from chat.conversations.types import Draft, End, Message, Outcome
from chat.core.errors import (
    ChatError,
    SessionBusy,
    SessionGone,
    SessionNotFound,
    StoreUnavailable,
)
from chat.core.ids import new_id
from chat.core.runtime import LoopPart
from chat.core.supervisor import DRAIN
from chat.turns.draft import AnswerAttempt
from chat.turns.orphans import Again
from chat.turns.outcome import (
    TURN_TIMES,
    TurnEnd,
    failed,
    failure,
    logged_as_internal,
    report_given_up,
    retry_while_unavailable,
)

logger = logging.getLogger(__name__)


class Turn:
    """One question on its way to its end. ``deadline``: event loop time.

    ``ahead``: ids of the questions that were to be answered before it when it was last asked.
    ``address``: where it came from, "" where that is not counted.
    """

    def __init__(self, question_id: str, deadline: float, address: str = "") -> None:
        self.question_id = question_id
        self.deadline = deadline
        self.address = address
        self.ahead: tuple[str, ...] = ()
        self._ended: asyncio.Future[TurnEnd] = asyncio.get_running_loop().create_future()

    @property
    def end(self) -> TurnEnd | None:
        """How it ended, or None while it goes on."""
        return self._ended.result() if self._ended.done() else None

    async def ended(self) -> TurnEnd:
        """Wait for the end. Cancelling the wait does not touch the turn."""
        return await asyncio.shield(self._ended)

    def on_end(self, hear: Callable[[TurnEnd], object]) -> None:
        """Have ``hear`` called with the end, soon after it is known."""
        self._ended.add_done_callback(lambda ended: ended.cancelled() or hear(ended.result()))

    def settle(self, end: TurnEnd) -> None:
        if not self._ended.done():
            self._ended.set_result(end)


@dataclass(frozen=True, slots=True)
class PendingBroadcast:
    """A question to be shown to everybody but ``asker``; ``workers``: see ``PubSub.publish``."""

    message: Message
    asker: Subscriber | None
    workers: int | None


class TurnQueue:
    """``work`` answers what ``next_lease`` gives until that is None; one task of it runs at a time.

    ``leave`` is called when nothing is left to do; the queue is not used after that.
    """

    def __init__(
        self,
        session_id: str,
        store: Store,
        work: Callable[[TurnQueue], Coroutine[Any, Any, None]],
        leave: Callable[[], object],
    ) -> None:
        self.session_id = session_id
        self.store = store
        self._work = work
        self._leave = leave
        self._times = TURN_TIMES.get()
        self._paused_until = 0.0
        self._turns: dict[str, Turn] = {}
        self._pending: list[PendingBroadcast] = []
        self._granted: list[Lease] = []
        self._task: asyncio.Task[None] | None = None
        self._is_new = True
        self._attempt: AnswerAttempt | None = None
        self._may_last_try = False
        #: The question here that another worker began before, if there is one.
        self.again: Again | None = None

    @property
    def draft(self) -> Draft | None:
        """The answer being written here, to the last character."""
        if self._attempt is None or not (text := self._attempt.draft.text):
            return None
        return Draft(id=self._attempt.lease.answer_id, text=text)

    @property
    def questions(self) -> Collection[str]:
        """Ids of the questions that this process cares for."""
        return self._turns.keys()

    def address_of(self, question_id: str) -> str:
        """Where a question came from; "" where that is not known here."""
        turn = self._turns.get(question_id)
        return turn.address if turn is not None else ""

    def add(self, turn: Turn, pending: PendingBroadcast | None, lease: Lease | None) -> Turn:
        """Care for this question; the turn returned is the one already under way, if any.

        ``pending``: to be told before it is answered. ``lease``: the right to answer it, if the
        store gave it at once.
        """
        turn = self._turns.setdefault(turn.question_id, turn)
        if pending is not None:
            self._pending.append(pending)
        if lease is not None:
            self._granted.append(lease)
        self._ensure_started()
        return turn

    def take_up(self, attempts: int) -> None:
        """See to a question that nobody answers and that was begun so often."""
        self._may_last_try = attempts + 1 == MAX_ATTEMPTS
        self._note_again(attempts + 1)
        self._ensure_started()

    def stop(self) -> bool:
        """Stop the answer being written here, at once. Return whether there was one."""
        return self._attempt is not None and self._attempt.stop(End.STOPPED)

    async def hand_over(self) -> None:
        """Stop answering, without an end, and leave the question to another process."""
        leases = [*([self._attempt.lease] if self._attempt else []), *self._granted]
        if not leases or self._task is None:
            return
        self._task.cancel()
        await asyncio.wait({self._task})
        try:
            for lease in leases:
                await self.store.release(lease)
        except StoreUnavailable:
            logger.warning("a turn was not handed over: it is taken up when its lease ends")

    def _ensure_started(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="turns")

    def _note_again(self, attempt: int) -> None:
        now = asyncio.get_running_loop().time()
        self.again = Again(now, attempt) if 1 < attempt <= MAX_ATTEMPTS else None

    async def _run(self) -> None:
        """Have the questions answered; when that fails, give all of them the same end here."""
        try:
            with (
                DRAIN.get().busy(),
                PUBSUB.get().handle_commands(self.session_id, self._handle_command),
            ):
                await self._work(self)
        except SessionNotFound as error:
            if await self._is_lost():  # else whoever erased or closed it tells that
                await self._give_up(error)
            self._settle_all(Outcome(end=End.FAILED, code=error.code))
        except ChatError as error:
            logger.warning("a queue of turns gave up: %s", error.code)
            await self._give_up(error)
        except Exception as bug:  # noqa: BLE001 - logged with an id, told as "internal"
            await self._give_up(logged_as_internal(bug, "a queue of turns"))
        finally:
            self._leave()

    def _handle_command(self, command: Command) -> None:
        if command is Command.STOP:
            self.stop()
        elif command is Command.PAUSE:
            self._pause()

    def _pause(self) -> None:
        """Begin nothing for a while, and stop what is written: an adviser takes over."""
        self._paused_until = asyncio.get_running_loop().time() + self._times.yield_s
        if self._attempt is not None:
            self._attempt.stop(End.TAKEN_OVER)

    async def next_lease(self) -> Lease | None:
        """Wait for the right to answer a question; None once nobody here waits for an end.

        It may be for a question that another worker left. Meanwhile questions are told that were
        just stored, and those get their end that others answered, that nobody may answer any more
        or that still wait at their deadline.

        Raises:
            SessionNotFound: expired or erased meanwhile.
            StoreUnavailable: and none of ours is waited for any more.
        """
        look_s = self._times.first_look_s
        while self._is_new or self._turns or self._pending:
            self._is_new = False  # a question of another worker is looked for once, see take_up
            await self._broadcast_pending()
            claim = await self._claim()
            for given_up in claim.given_up:
                await self._tell_given_up(given_up)
            for question_id, outcome in claim.ended.items():
                if question_id in self._turns:
                    await self._settle_from_store(question_id, outcome)
            if claim.lease is not None:
                return claim.lease
            await self._end_late()
            if not self._turns and not self._pending:
                break
            await asyncio.sleep(look_s)
            look_s = min(self._times.longest_look_s, look_s * 2)
        return None

    @contextmanager
    def answering(self, lease: Lease) -> Iterator[AnswerAttempt]:
        """Begin to answer; ``stop``, an adviser's takeover and ``hand_over`` reach it inside."""
        attempt = self._attempt = AnswerAttempt(self.store, lease)
        self._note_again(lease.attempt)
        try:
            yield attempt
        finally:
            attempt.close()
            self._attempt = self.again = None

    async def _claim(self) -> ClaimResult:
        """Ask for the next question; while the store is away, until the last of ours is late.

        Raises:
            StoreUnavailable: and none of ours is waited for any more.
        """
        if self._granted:
            claim = ClaimResult(lease=self._granted.pop(0))
        else:
            ask = self._ended if self._is_paused() else self._next
            claim = await retry_while_unavailable(
                ask, self._is_awaited, pause_s=self._times.store_pause_s
            )
        if claim.lease is not None and self._is_paused():  # told so while it asked
            await self.store.release(claim.lease)
            return replace(claim, lease=None)
        return claim

    async def _next(self) -> ClaimResult:
        last_try, self._may_last_try = self._may_last_try, False
        owned = tuple(self._turns)
        claim = await self.store.claim(self.session_id, owned, new_id(), last_try=last_try)
        if claim.lease is None:
            self.again = None
        return claim

    async def _ended(self) -> ClaimResult:
        """Return what became of our questions, without asking for one."""
        ended = {}
        for question_id in tuple(self._turns):
            outcome = await self.store.outcome(self.session_id, question_id)
            if outcome is not None:
                ended[question_id] = outcome
        return ClaimResult(ended=ended)

    def _is_paused(self) -> bool:
        return asyncio.get_running_loop().time() < self._paused_until

    def _is_awaited(self) -> bool:
        now = asyncio.get_running_loop().time()
        return any(turn.deadline > now for turn in self._turns.values())

    async def _broadcast_pending(self) -> None:
        while self._pending:
            pending = self._pending.pop(0)
            said = MessageDone(pending.message)
            await PUBSUB.get().publish(
                self.session_id, said, exclude=pending.asker, workers=pending.workers
            )

    async def _end_late(self) -> None:
        """Give those of our questions an end that still wait at their deadline."""
        now = asyncio.get_running_loop().time()
        for turn in [turn for turn in self._turns.values() if turn.deadline <= now]:
            outcome = failed(End.FAILED, SessionBusy(retry_after_s=2))
            try:
                await self.store.abandon(self.session_id, turn.question_id, outcome)
            except LeaseLost:  # it has an end, or another worker writes: only the wait ends
                await self._settle_late(turn.question_id, outcome)
                continue
            await PUBSUB.get().publish(self.session_id, failure(turn.question_id, outcome))
            self.settle(turn.question_id, TurnEnd(outcome, None))

    async def _settle_late(self, question_id: str, late: Outcome) -> None:
        outcome = await self.store.outcome(self.session_id, question_id)
        if outcome is None:
            self.settle(question_id, TurnEnd(late, None))
        else:
            await self._settle_from_store(question_id, outcome)

    async def _settle_from_store(self, question_id: str, outcome: Outcome) -> None:
        answer = await find_answer(self.store, self.session_id, outcome)
        is_told = outcome.end is End.TAKEN_OVER  # with all the rest, by whoever took over
        if answer is not None and not is_told:  # whoever wrote it may have died before that
            await PUBSUB.get().publish_local(self.session_id, MessageDone(answer))
        self.settle(question_id, TurnEnd(outcome, answer))

    async def _tell_given_up(self, given_up: GivenUp) -> None:
        """Tell everybody how a question ended that no worker could answer."""
        report_given_up(self.session_id, given_up)
        outcome = given_up.outcome
        answer = await find_answer(self.store, self.session_id, outcome)
        told = MessageDone(answer) if answer else failure(given_up.question_id, outcome)
        await PUBSUB.get().publish(self.session_id, told)
        self.settle(given_up.question_id, TurnEnd(outcome, answer))

    def settle(self, question_id: str, end: TurnEnd) -> None:
        """Give a question its end, for whoever waits for it here."""
        turn = self._turns.pop(question_id, None)
        if turn is not None:
            turn.settle(end)

    def _settle_all(self, outcome: Outcome) -> None:
        for question_id in tuple(self._turns):
            self.settle(question_id, TurnEnd(outcome, None))

    async def _is_lost(self) -> bool:
        """Whether the store knows nothing of the conversation, not even that it is over."""
        try:
            await self.store.load(self.session_id, ANY_OWNER)
        except SessionGone:
            return False
        except SessionNotFound:
            return True
        except ChatError:
            return False
        return False

    async def _give_up(self, error: ChatError) -> None:
        outcome = failed(End.FAILED, error)
        for question_id in tuple(self._turns):
            await PUBSUB.get().publish(self.session_id, failure(question_id, outcome))
        self._settle_all(outcome)


async def find_answer(store: Store, session_id: str, outcome: Outcome) -> Message | None:
    """Return the stored answer that an outcome names, if it names one."""
    if not outcome.answer_id:
        return None
    session = await store.load(session_id, ANY_OWNER)
    return next((m for m in session.messages if m.id == outcome.answer_id), None)


#: By session, of the conversations in which this worker cares for a question.
QUEUES: LoopPart[dict[str, TurnQueue]] = LoopPart("queues of turns", dict)
