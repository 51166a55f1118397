"""Playing conversations: each through ``take_turn``, as a customer's page does.

The store, the database and the model are those of the process: see ``stage``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from channels.db import database_sync_to_async

from chat.assistant import escalating, ticket_form
from chat.assistant.attempt import TurnEnd
from chat.assistant.turn import stop_turn, take_turn
from chat.catalog.models import Product
from chat.errors import ChatError, SessionNotFound
from chat.evaluation.checks import checks_of
from chat.evaluation.recording import Notes, notes
from chat.evaluation.results import Played, PlayedTurn
from chat.evaluation.seen import Call, Seen
from chat.evaluation.stage import playing_at
from chat.evaluation.types import Conversation, CustomerTurn
from chat.orders.models import Order
from chat.sessions.store import WEB_OWNER, default_store
from chat.sessions.types import Author, End, Message, Outcome, new_id, ref_of
from chat.takeover.asides import settle
from chat.takeover.models import ContactRequest
from chat.tickets.guide import form_of
from chat.tickets.models import OutgoingMail, Ticket

#: Called with how many conversations are over, and how many there are.
Tell = Callable[[int, int], None]


class MissingData(Exception):
    """Conversations need products or orders that the database does not have."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``together``: conversations played at once. ``timeout_s``: of one, all turns included."""

    together: int = 4
    timeout_s: float = 120.0


async def play(
    conversations: Sequence[Conversation],
    plan: Plan,
    tell: Tell = lambda _done, _total: None,
) -> list[Played]:
    """Play all and return what came of each, in the given order. None is tried twice.

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
    await settle()
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
    await escalating.settle()
    seen = await _seen(session_id, end, messages, tuple(noted.calls[calls:]))
    checks = checks_of(turn.expected, seen, conversation.never)
    return PlayedTurn(turn.told, seen, tuple(checks))


async def _messages(session_id: str) -> tuple[Message, ...]:
    try:
        return (await default_store().load(session_id, WEB_OWNER)).messages
    except SessionNotFound:  # nothing was said yet
        return ()


async def _write(text: str, session_id: str) -> TurnEnd:
    taken = await take_turn(session_id, owner=WEB_OWNER, message_id=new_id(), text=text)
    return await taken.ended()


async def _use_recap(turn: CustomerTurn, session_id: str) -> TurnEnd:
    """Press a button, or fill in the fields, of the recap that the page shows now."""
    session = await default_store().load(session_id, WEB_OWNER)
    form = form_of(session.form)
    shown = (form.id, form.version) if form else ("none", 0)
    try:
        if turn.edits:
            await ticket_form.edit(session_id, WEB_OWNER, *shown, turn.edits)
        elif turn.press == "drop":
            await ticket_form.drop(session_id, WEB_OWNER, *shown)
        else:
            await ticket_form.confirm(session_id, WEB_OWNER, *shown)
    except ChatError as error:
        return TurnEnd(Outcome(end=End.FAILED, code=error.code), None)
    return TurnEnd(Outcome(end=End.DONE), None)


async def _seen(session_id: str, end: TurnEnd, before: int, calls: tuple[Call, ...]) -> Seen:
    """Return what is there now. ``before``: how many messages there were."""
    session = await default_store().load(session_id, WEB_OWNER)
    rows, priority = await database_sync_to_async(_rows)(ref_of(session_id))
    form, answer = form_of(session.form), end.answer
    return Seen(
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
