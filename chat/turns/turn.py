"""The story of a turn: a customer's question is stored, waits for its turn, and is answered.

Read downwards: ``take_turn``, the entry for the page, the API and the form, stores the question;
``answer_waiting`` waits for its turn; ``answer_question`` asks the model, stores the end and tells
everybody. A turn belongs to this process, not to the socket that asked. Per session one task
answers the questions that this process cares for, one at a time; the store says whose turn it is
among all processes. See ``docs/architecture.md``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from django.conf import settings

from chat.assistant.escalation import check_escalation_soon
from chat.assistant.llm import LLM, LLM_CLIENT
from chat.assistant.prompt import prompt, with_photos
from chat.assistant.sources import taken_from
from chat.assistant.stream import ToolCall, Usage
from chat.assistant.tools import TOOL_SET, use
from chat.assistant.tools.types import Tool, ToolContext
from chat.conversations.realtime.events import MessageDone, StaffNoteAdded, ToolStarted
from chat.conversations.realtime.pubsub import PUBSUB, Command, Subscriber
from chat.conversations.rendering import state_of
from chat.conversations.store.adviser_store import StaffNote, desk_key
from chat.conversations.store.protocol import ANY_OWNER, STORE, Create, Lease, LeaseLost, Store
from chat.conversations.types import Author, Draft, End, Message
from chat.core.errors import AssistantTimeout, AssistantUnavailable, ChatError
from chat.core.ids import new_id
from chat.core.json import JSON
from chat.core.load import OVERLOAD, yield_to_loop
from chat.core.supervisor import DRAIN
from chat.turns.draft import AnswerTooLong, DraftWriter, Interrupted
from chat.turns.orphans import choose
from chat.turns.outcome import STEPS_TO_ASK, TurnEnd, failure, logged_as_internal, store_end
from chat.turns.queue import QUEUES, PendingBroadcast, Turn, TurnQueue, find_answer
from chat.turns.viewers import show_again

#: How often the model may ask for tools before it must answer with what it has.
MAX_TOOL_ROUNDS = 4
MAX_CALLS_A_ROUND = 4


async def take_turn(
    session_id: str,
    *,
    owner: str,
    message_id: str,
    text: str,
    create: Create = "always",
    asker: Subscriber | None = None,
    address: str = "",
    arrived_at: float | None = None,
) -> Turn:
    """Store what a customer said and have it answered; returns once it is stored.

    The answer comes through ``PUBSUB`` to all subscribers, and through ``Turn.ended``. It goes
    on whatever becomes of the caller. An id that is already stored is not stored again: the
    turn returned is the first one's. ``asker``, a listener, is not told of its own question.
    ``address``: where the customer writes from, for what is counted by address. ``arrived_at``:
    event loop time at which the request came, by default now.

    Raises:
        IdConflict: the id is known with another text.
        SessionNotFound: of another owner, ended, erased, or (``create="new"``) expired.
        AssistantUnavailable: nothing was stored: this process is stopping.
        Overloaded: nothing was stored: it could not be answered in time.
        StoreUnavailable: it may have been stored; send it again with the same id.
    """
    if DRAIN.get().is_begun:
        raise AssistantUnavailable(retry_after_s=2)
    _check_overload(session_id, message_id)
    message = Message(author=Author.CUSTOMER, id=message_id, text=text)
    store = STORE.get()
    accepted = await store.accept(
        session_id,
        owner,
        message,
        create=create,
        answer_id=new_id(),
        answer_within_s=settings.ENV.chat_timeout_s,
        arrived_at=arrived_at,
    )
    deadline = asyncio.get_running_loop().time() + accepted.left_s
    turn = Turn(message_id, deadline, address)
    if accepted.outcome is not None:
        answer = await find_answer(store, session_id, accepted.outcome)
        turn.settle(TurnEnd(accepted.outcome, answer))
        if accepted.fresh:
            await PUBSUB.get().publish(session_id, MessageDone(message), exclude=asker)
        return turn
    queue = _queue_of(session_id)
    pending = PendingBroadcast(message, asker, accepted.listening) if accepted.fresh else None
    taken = queue.add(turn, pending, accepted.lease)
    if taken is turn:
        note_end, is_first = OVERLOAD.get().begin(), not accepted.ahead
        turn.on_end(lambda end: note_end(is_first and end.outcome.end is End.DONE))
    turn = taken
    turn.ahead = accepted.ahead
    return turn


async def answer_waiting(queue: TurnQueue) -> None:
    """Answer the questions of one conversation that this process cares for, one after another.

    A question that another worker left is among them. Cancelling leaves them to other workers.

    Raises:
        SessionNotFound: expired or erased meanwhile.
        StoreUnavailable: it stayed away.
    """
    while (lease := await queue.next_lease()) is not None:
        try:
            await answer_question(lease, queue)
        except LeaseLost:  # another worker writes, or nobody is to: show viewers here what is so
            await show_again([queue.session_id])


async def answer_question(lease: Lease, queue: TurnQueue) -> None:
    """Answer one question, from the right to answer it to the event that tells its end.

    Raises:
        LeaseLost: nothing of this answer counts.
        StoreUnavailable: the end could not be stored.
    """
    store = queue.store
    with queue.answering(lease) as attempt:  # from here on stop and takeover reach it
        draft = attempt.draft
        # 1. Begin. A lease that is not new is renewed: this process may have stood still.
        await attempt.keep()
        if lease.again:
            await _broadcast_restart(store, lease)
        check_escalation_soon(store, lease, after_steps=STEPS_TO_ASK)
        # 2. Ask the model. What it says goes through tools and guard into the draft, which viewers
        #    see at once and the store gets a little later.
        ended: End | ChatError = End.DONE
        try:
            async with attempt.until(lease.deadline):
                context = ToolContext(lease.session, queue.address_of(lease.question_id))
                await stream_answer(LLM_CLIENT.get(), context, lease, draft)
        except Interrupted as interrupted:  # by the customer, or by an adviser who takes over
            ended = interrupted.forced_end
        except (TimeoutError, AnswerTooLong):
            ended = AssistantTimeout()
        except ChatError as error:  # of the model: unavailable, refused, rate limited
            ended = error
        except LeaseLost:
            raise
        except Exception as bug:  # noqa: BLE001 - logged with an id, told as "internal"
            ended = logged_as_internal(bug, "writing an answer")
        # 3. Store the end, fenced by the lease, with the numbers of the turn. A store that is away
        #    is asked again.
        end = await draft.end(ended)
        numbers = attempt.numbers(end)
        finished = await store_end(store, lease, end, numbers)
        attempt.report(end)
        # 4. Tell everybody, here and in other workers; the staff who watch get the numbers too.
        await _broadcast_end(lease, end, finished.listening)
        _broadcast_numbers(lease, numbers, finished.watching)
        queue.settle(lease.question_id, end)


async def _broadcast_restart(store: Store, lease: Lease) -> None:
    """Have viewers drop what they hold of an answer that another worker had begun."""
    session = await store.load(lease.session.id, ANY_OWNER)
    blank = replace(session, draft=Draft(id=lease.answer_id, text=""))
    await PUBSUB.get().publish(lease.session.id, state_of(blank, store.backend))


async def _broadcast_end(lease: Lease, end: TurnEnd, workers: int | None) -> None:
    if end.answer is not None:
        await PUBSUB.get().publish(lease.session.id, MessageDone(end.answer), workers=workers)
    elif end.outcome.end is not End.TAKEN_OVER:  # that is told by whoever took over
        failed = failure(lease.question_id, end.outcome)
        await PUBSUB.get().publish(lease.session.id, failed, workers=workers)


def _broadcast_numbers(lease: Lease, numbers: StaffNote, workers: int | None) -> None:
    topic = desk_key(lease.session.id)
    PUBSUB.get().broadcast_soon(topic, StaffNoteAdded(numbers), workers=workers)


async def stream_answer(llm: LLM, context: ToolContext, lease: Lease, draft: DraftWriter) -> None:
    """Have the model answer, look up what it asks for, and have it go on with what was found.

    Cancelling closes the model's stream.

    Raises:
        AssistantUnavailable: as ``LLM.stream``.
        AnswerTooLong: the model did not come to an end.
    """
    messages = await with_photos(prompt(lease.session, lease.question_id), lease.session)
    tools = TOOL_SET.get()
    schemas = [tool.schema for tool in tools]
    tool_calls = ToolCalls(context, draft, tools)
    for round_ in range(MAX_TOOL_ROUNDS + 1):
        offered = schemas if round_ < MAX_TOOL_ROUNDS else []
        calls: tuple[ToolCall, ...] = ()
        async with aclosing(llm.stream(messages, offered, deadline=lease.deadline)) as chunks:
            async for chunk in chunks:
                match chunk:
                    case str():
                        await draft.add(chunk)
                    case Usage():
                        draft.count(chunk)
                    case _:
                        calls = chunk
        if not calls or not offered:
            break
        messages += await tool_calls.run(calls[:MAX_CALLS_A_ROUND])
    await draft.complete()


class ToolCalls:
    """The tool calls of one answer: each is run once, however often the model asks for it."""

    def __init__(self, context: ToolContext, draft: DraftWriter, tools: tuple[Tool, ...]) -> None:
        self._context = context
        self._draft = draft
        self._tools = {tool.name: tool for tool in tools}
        self._results: dict[tuple[str, str], str] = {}

    async def run(self, calls: tuple[ToolCall, ...]) -> list[JSON]:
        """Return the messages that tell the model the results of its calls."""
        asked: JSON = {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in calls
            ],
        }
        results = [
            {"role": "tool", "tool_call_id": call.id, "content": await self._result(call)}
            for call in calls
        ]
        return [asked, *results]

    async def _result(self, call: ToolCall) -> str:
        key = (call.name, call.arguments)
        if key not in self._results:
            self._results[key] = await self._run(call)
        return self._results[key]

    async def _run(self, call: ToolCall) -> str:
        """Return the result as JSON in which no text can pass for anything but a text."""
        tool = self._tools.get(call.name)
        if tool is not None:
            await self._draft.tool(ToolStarted(tool.name, tool.label))
        used = await use(tool, call.arguments, self._context)
        result, sources = taken_from(used)
        self._draft.guard.facts.add_result(result)
        self._draft.cite(sources)
        return json.dumps(result, ensure_ascii=False).replace("<", "\\u003c")


def _check_overload(session_id: str, message_id: str) -> None:
    """Refuse a question that could not be answered in time, unless it is under way already.

    Raises:
        Overloaded:
    """
    queue = QUEUES.get().get(session_id)
    ahead = queue.questions if queue is not None else ()
    if message_id not in ahead:
        OVERLOAD.get().check(len(ahead), settings.ENV.chat_timeout_s)


def _queue_of(session_id: str) -> TurnQueue:
    queues = QUEUES.get()
    queue = queues.get(session_id)
    if queue is None:
        leave = partial(queues.pop, session_id, None)
        queue = queues[session_id] = TurnQueue(session_id, STORE.get(), answer_waiting, leave)
    return queue


async def let_begin() -> None:
    """Let a turn that was just taken come to where its model is asked."""
    await yield_to_loop(STEPS_TO_ASK)


async def stop_turn(session_id: str, owner: str) -> bool:
    """Stop the answer being written in this session, wherever. Return whether there was one."""
    queue = QUEUES.get().get(session_id)
    if queue is not None and queue.stop():
        return True
    asked = await STORE.get().stop(session_id, owner)
    if asked:
        await PUBSUB.get().send_command(session_id, Command.STOP)
    return asked


async def hand_over_turns() -> None:
    """Leave every answer that is being written here to other processes."""
    await asyncio.gather(*(queue.hand_over() for queue in list(QUEUES.get().values())))


class Orphans:
    """Answers the questions whose worker died or never began them."""

    def __init__(self) -> None:
        self._seen: Collection[str] = ()

    async def take_up(self) -> None:
        """Take up those that are for this worker now. Every second.

        Raises:
            StoreUnavailable:
        """
        left = await STORE.get().orphans()
        again = [queue.again for queue in QUEUES.get().values() if queue.again is not None]
        now = asyncio.get_running_loop().time()
        for session_id in choose(left, self._seen, again, now):
            _queue_of(session_id).take_up(left[session_id])
        self._seen = left.keys()
