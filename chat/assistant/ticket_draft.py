"""The buttons of the recap: they alone open a ticket, change the form, or drop it.

What is done is told to every tab of the customer and to the advisers who watch.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from chat.conversations.handover.staff_notes import add_staff_note
from chat.conversations.realtime.events import FormChanged, MessageDone
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind
from chat.conversations.store.protocol import STORE
from chat.conversations.types import Author, Message, Session
from chat.core.errors import (
    AssistantUnavailable,
    ChatError,
    InvalidForm,
    RateLimited,
    SessionGone,
    StaleForm,
)
from chat.core.ids import ref_of
from chat.core.lookups import look_up
from chat.core.stats.counters import count
from chat.core.supervisor import DRAIN
from chat.shop.photos.queries import of_ticket
from chat.shop.photos.services import attach
from chat.shop.tickets.draft import ASKS, BadField, TicketDraft
from chat.shop.tickets.draft_dialogue import (
    announcement,
    decode_draft,
    draft_payload,
    message_id_of,
)
from chat.shop.tickets.models import Ticket
from chat.shop.tickets.opening import Incomplete, TooManyTickets, open_ticket

logger = logging.getLogger(__name__)

#: A database that takes longer counts as away; what it does in the end has one effect all the same.
LONGEST_S = 10.0
_TOO_MANY_WAIT_S = 3600


class TicketsAway(AssistantUnavailable):
    """The database does not answer. The form is kept."""

    message = (
        "Votre demande n'est pas encore enregistrée : le service est momentanément indisponible. "
        "Le récapitulatif est gardé, validez-le de nouveau dans un instant."
    )

    def __init__(self) -> None:
        super().__init__(retry_after_s=5)


async def keep(session: Session, form: TicketDraft | None) -> bool:
    """Put the form in place of the session's and show it. False: that one changed meanwhile.

    Raises:
        SessionNotFound, SessionGone, StoreUnavailable, PayloadTooLarge:
    """
    version = session.form["version"] if session.form is not None else 0
    data = form.to_json() if form is not None else None
    if not await STORE.get().put_form(session.id, session.owner, data, expected_version=version):
        return False
    await PUBSUB.get().publish(session.id, FormChanged(draft_payload(form)))
    return True


async def shown_now(session_id: str, owner: str) -> FormChanged:
    """Return the form as it stands, for a page that shows another one.

    Raises:
        SessionNotFound, SessionGone, StoreUnavailable:
    """
    session = await STORE.get().load(session_id, owner)
    return FormChanged(draft_payload(decode_draft(session.form)))


async def confirm(
    session_id: str, owner: str, form_id: str, version: int, *, longest_s: float = LONGEST_S
) -> None:
    """Open the ticket of this form and announce it: once, however often and from wherever.

    ``longest_s``: how long each answer of the database is waited for.

    Raises:
        StaleForm: the customer saw another version.
        InvalidForm: something is lacking.
        RateLimited: too many tickets with this address today.
        TicketsAway: the form is kept: try again.
        SessionNotFound, SessionGone, StoreUnavailable:
    """
    with DRAIN.get().busy():
        session = await _living(session_id, owner)
        form = decode_draft(session.form)
        if form is None or form.id != form_id:
            ticket = await _query(_find, form_id, ref_of(session_id), longest_s=longest_s)
            if ticket is None:
                raise StaleForm
        else:
            _check_version(form, version)
            ticket, is_new = await _query(_open, form, ref_of(session_id), longest_s=longest_s)
            if is_new:
                count("tickets.opened")
        await _announce(session_id, form_id, ticket)
        await _remove(session_id, owner, form_id)


async def edit(
    session_id: str, owner: str, form_id: str, version: int, given: Mapping[str, Any]
) -> TicketDraft:
    """Put what the customer wrote in the fields of the recap; return the form as it is then.

    Raises:
        StaleForm: it changed meanwhile.
        InvalidForm: with what is wrong in each field; nothing was changed.
        SessionNotFound, SessionGone, StoreUnavailable, PayloadTooLarge:
    """
    session = await _living(session_id, owner)
    form = _checked(session, form_id, version)
    wrong = {name: why for name in given if (why := _wrong(form, name, given[name]))}
    if wrong:
        raise InvalidForm(wrong)
    edited = form.with_edits(given)
    if edited is not form and not await keep(session, edited):
        raise StaleForm
    return edited


async def drop(session_id: str, owner: str, form_id: str, version: int) -> None:
    """Forget the form; again without effect.

    Raises:
        StaleForm: it changed meanwhile.
        SessionNotFound, SessionGone, StoreUnavailable:
    """
    session = await _living(session_id, owner)
    if session.form is None:
        return
    _checked(session, form_id, version)
    if not await keep(session, None):
        raise StaleForm


async def _living(session_id: str, owner: str) -> Session:
    session = await STORE.get().load(session_id, owner)
    if session.ended:
        raise SessionGone("ended")
    return session


def _checked(session: Session, form_id: str, version: int) -> TicketDraft:
    form = decode_draft(session.form)
    if form is None or form.id != form_id:
        raise StaleForm
    _check_version(form, version)
    return form


def _check_version(form: TicketDraft, version: int) -> None:
    if form.version != version:
        raise StaleForm


def _wrong(form: TicketDraft, name: str, value: Any) -> str:
    try:
        form.with_edits({name: value})
    except BadField as error:
        return str(error)
    return ""


async def _query(work: Any, *arguments: Any, longest_s: float = LONGEST_S) -> Any:
    """Return what the database answers.

    Raises:
        TicketsAway: it does not.
        ChatError: what is wrong with the form.
    """
    try:
        return await look_up(work, *arguments, longest_s=longest_s)
    except Incomplete as error:
        raise InvalidForm({error.step.value: ASKS[error.step]}) from error
    except TooManyTickets as error:
        raise RateLimited(str(error), retry_after_s=_TOO_MANY_WAIT_S) from error
    except Exception as error:
        logger.warning("a ticket could not be opened: %s", type(error).__name__)
        raise TicketsAway from error


def _open(form: TicketDraft, session_ref: str) -> tuple[Ticket, bool]:
    ticket, is_new = open_ticket(form, session_ref)
    attach(session_ref, ticket.number or "")
    return ticket, is_new


def _find(form_id: str, session_ref: str) -> Ticket | None:
    return Ticket.objects.filter(form_id=form_id, session_ref=session_ref).first()


def _photos(ticket: Ticket) -> int:
    return len(of_ticket(ticket.number or ""))


async def _announce(session_id: str, form_id: str, ticket: Ticket) -> None:
    """Say that the ticket exists, from its row, to the customer and to the advisers: each once."""
    text = announcement(ticket, await _query(_photos, ticket))
    message = Message(author=Author.SYSTEM, id=message_id_of(form_id), text=text)
    if await STORE.get().announce(session_id, message):
        await PUBSUB.get().publish(session_id, MessageDone(message))
        staff_note = StaffNote(
            id=message.id,
            kind=StaffNoteKind.EVENT,
            text=f"Ticket {ticket.number} ouvert ({ticket.priority}).",
            data={"ticket": ticket.number},
        )
        try:
            await add_staff_note(session_id, staff_note)
        except ChatError as error:
            logger.warning("the staff note of a ticket was not kept: %s", error.code)


async def _remove(session_id: str, owner: str, form_id: str) -> None:
    """Take the form away, whatever another tab made of it meanwhile: its ticket exists."""
    while True:
        session = await STORE.get().load(session_id, owner)
        if session.form is None or session.form["id"] != form_id:
            await PUBSUB.get().publish(
                session_id, FormChanged(draft_payload(decode_draft(session.form)))
            )
            return
        if await keep(session, None):
            return
