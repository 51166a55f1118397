"""Runner that plays conversations through ``take_turn``, like a customer's page.

The store, the database and the model are those of the process: see ``sandbox``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from channels.db import database_sync_to_async

from chat.assistant import escalation, ticket_draft
from chat.conversations.handover.models import ContactRequest
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.conversations.types import Author, End, Message, Outcome
from chat.core.errors import ChatError, SessionNotFound
from chat.core.ids import new_id, ref_of
from chat.shop.catalog.models import Product
from chat.shop.orders.models import Order
from chat.shop.tickets.draft_dialogue import decode_draft
from chat.shop.tickets.models import OutgoingMail, Ticket
from chat.turns.outcome import TurnEnd
from chat.turns.turn import stop_turn, take_turn
from devtools.evaluation.checks import checks_of
from devtools.evaluation.observed import Call, ObservedTurn
from devtools.evaluation.recording import Notes, notes
from devtools.evaluation.results import Played, PlayedTurn
from devtools.evaluation.sandbox import playing_at
from devtools.evaluation.types import Conversation, CustomerTurn

#: Progress callback with (finished, total) conversations.
Tell = Callable[[int, int], None]


class MissingData(Exception):
    """Conversations require products or orders that are missing from the database."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``together``: concurrent conversations. ``timeout_s``: of one conversation with all turns."""

    together: int = 4
    timeout_s: float = 120.0


async def play(
    conversations: Sequence[Conversation],
    plan: Plan,
    tell: Tell = lambda _done, _total: None,
) -> list[Played]:
    """Play all conversations once; return their results in the given order.

    Raises:
        MissingData: before anything is played.
    """
    await database_sync_to_async(_check_setup)(conversations)
    places = asyncio.Semaphore(plan.together)
    done = 0

    async def play_in_turn(conversation: Conversation) -> Played:
        nonlocal done
        async with places:
            played = await _play_one(conversation, plan.timeout_s)
        done += 1
        tell(done, len(conversations))
        return played

    tell(0, len(conversations))
    async with asyncio.TaskGroup() as group:  # each in a context of its own
        tasks = [group.create_task(play_in_turn(one)) for one in conversations]
    await PUBSUB.get().settle()
    return [task.result() for task in tasks]


def _check_setup(conversations: Sequence[Conversation]) -> None:
    products = set(Product.objects.filter(is_active=True).values_list("reference", flat=True))
    orders = set(Order.objects.values_list("number", flat=True))
    for one in conversations:
        missing = {*one.products} - products | {*one.orders} - orders
        if missing:
            raise MissingData(f"{one.name} : {', '.join(sorted(missing))}")


async def _play_one(conversation: Conversation, timeout_s: float) -> Played:
    noted, session_id = Notes(), new_id()
    notes.set(noted)
    playing_at.set(conversation.at)
    began = time.perf_counter()
    turns: list[PlayedTurn] = []
    trouble = ""
    try:
        async with asyncio.timeout(timeout_s):
            for turn in conversation.turns:
                turns += [await _play_turn(conversation, turn, session_id, noted)]
    except TimeoutError:
        trouble = f"pas finie après {timeout_s:g} s"
        await stop_turn(session_id, WEB_OWNER)
    except ChatError as error:
        trouble = f"refusée : {error.code}"
    return Played(
        conversation=conversation,
        turns=tuple(turns),
        trouble=trouble,
        seconds=time.perf_counter() - began,
        asked=noted.asked,
        cached=noted.cached,
        prompt_tokens=noted.prompt_tokens,
        completion_tokens=noted.completion_tokens,
    )


async def _play_turn(
    conversation: Conversation, turn: CustomerTurn, session_id: str, noted: Notes
) -> PlayedTurn:
    calls, messages = len(noted.calls), len(await _messages(session_id))
    end = await (_write(turn.text, session_id) if turn.text else _use_recap(turn, session_id))
    await escalation.settle()
    observed = await _observed(session_id, end, messages, tuple(noted.calls[calls:]))
    checks = checks_of(turn.expected, observed, conversation.never)
    return PlayedTurn(turn.told, observed, tuple(checks))


async def _messages(session_id: str) -> tuple[Message, ...]:
    try:
        return (await STORE.get().load(session_id, WEB_OWNER)).messages
    except SessionNotFound:  # before the first message
        return ()


async def _write(text: str, session_id: str) -> TurnEnd:
    taken = await take_turn(session_id, owner=WEB_OWNER, message_id=new_id(), text=text)
    return await taken.ended()


async def _use_recap(turn: CustomerTurn, session_id: str) -> TurnEnd:
    """Press a button of the current recap, or fill in its fields."""
    session = await STORE.get().load(session_id, WEB_OWNER)
    form = decode_draft(session.form)
    shown = (form.id, form.version) if form else ("none", 0)
    try:
        if turn.edits:
            await ticket_draft.edit(session_id, WEB_OWNER, *shown, turn.edits)
        elif turn.press == "drop":
            await ticket_draft.drop(session_id, WEB_OWNER, *shown)
        else:
            await ticket_draft.confirm(session_id, WEB_OWNER, *shown)
    except ChatError as error:
        return TurnEnd(Outcome(end=End.FAILED, code=error.code), None)
    return TurnEnd(Outcome(end=End.DONE), None)


async def _observed(
    session_id: str, end: TurnEnd, before: int, calls: tuple[Call, ...]
) -> ObservedTurn:
    """Return the observed state. ``before``: number of messages before the turn."""
    session = await STORE.get().load(session_id, WEB_OWNER)
    rows, priority = await database_sync_to_async(_rows)(ref_of(session_id))
    form, answer = decode_draft(session.form), end.answer
    return ObservedTurn(
        end=end.outcome.end.value,
        error=end.outcome.code,
        answer=answer.text if answer else "",
        interrupted=bool(answer and answer.interrupted),
        announced=tuple(m.text for m in session.messages[before:] if m.author is Author.SYSTEM),
        calls=calls,
        asked=session.asked_at is not None,
        rows=rows,
        priority=priority,
        sources=tuple(str(source.get("kind", "")) for source in answer.sources) if answer else (),
        form={**form.to_json(), "step": form.step.value} if form else None,
    )


def _rows(session_ref: str) -> tuple[dict[str, int], str]:
    tickets = Ticket.objects.filter(session_ref=session_ref).order_by("-pk")
    newest = tickets.first()
    rows = {
        "tickets": tickets.count(),
        "contacts": ContactRequest.objects.filter(session_ref=session_ref).count(),
        "mails": OutgoingMail.objects.filter(ticket__session_ref=session_ref).count(),
    }
    return rows, newest.priority if newest else ""
