"""A human takes a conversation over, speaks in it, and hands it back.

Each act is stored first, atomically, then told to everybody who listens, in any process.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from django.conf import settings

from chat.conversations.handover import announcements
from chat.conversations.handover.pause import pause_assistant
from chat.conversations.handover.staff_notes import add_event, add_staff_note
from chat.conversations.realtime.events import (
    AdviserAsked,
    MessageDone,
    SpeakerChanged,
)
from chat.conversations.realtime.frames import checked_text
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.rendering import state_of
from chat.conversations.store.adviser_store import Adviser, StaffNote, StaffNoteKind
from chat.conversations.store.failover.store import FailoverStore
from chat.conversations.store.protocol import ANY_OWNER, STORE, WEB_OWNER, Store
from chat.conversations.types import Author, Message, Session
from chat.core.clock import now
from chat.core.errors import (
    ChatError,
    DeskUnavailable,
    InvalidMessage,
    SessionNotFound,
    StoreUnavailable,
)
from chat.core.ids import is_id, ref_of

logger = logging.getLogger(__name__)

#: What an adviser may tell the assistant when handing back.
MAX_INSTRUCTION_CHARS = 1000
#: How long a writer that did not hear us may still speak to viewers of its own process.
DEAF_S = 0.5


async def take_over(session_id: str, adviser: Adviser) -> Session:
    """Have this adviser answer from now on; when it returns, the model has fallen silent.

    What it was writing is kept, marked interrupted, and every open question has its end. Who
    has it already only renews the assignment.

    Raises:
        AssignedToAnother: with their name.
        SessionNotFound, SessionGone:
        DeskUnavailable: another worker may let the model go on. Nothing was taken, unless Redis
            went at that very moment.
    """
    store = STORE.get()
    await store.check_confirmable(session_id)
    is_quiet = await pause_assistant(store, await store.load(session_id, ANY_OWNER))
    announcement = _announcement(announcements.taken(adviser.name))
    try:
        session, is_new = await store.take_over(session_id, adviser, announcement)
    except DeskUnavailable:
        if not await _undo(store, session_id, adviser, announcement):
            await _tell_as_it_is(session_id)
        raise
    except ChatError:
        await _tell_as_it_is(session_id)
        raise
    if not is_quiet:
        await asyncio.sleep(DEAF_S)
    await _tell_speaker(session, announcement if is_new else None)
    if is_new:
        await add_event(session_id, f"{adviser.name} a pris la main.", adviser.name)
    return session


async def hand_back(session_id: str, adviser: Adviser, instruction: str = "") -> bool:
    """Have the assistant answer again, from the customer's next message on.

    ``instruction``: for the assistant only. False when it is not assigned to this adviser.

    Raises:
        InvalidMessage: the instruction is no text, or over ``MAX_INSTRUCTION_CHARS``.
        SessionNotFound, SessionGone, StoreUnavailable:
    """
    if instruction:
        instruction = _checked_instruction(instruction)
    session = await STORE.get().load(session_id, ANY_OWNER)
    text = announcements.handed_back(session.messages)
    if not await _return(session_id, adviser.id, instruction, text):
        return False
    event = f"{adviser.name} a rendu la main à l'assistant."
    data = {"instruction": instruction} if instruction else {}
    await add_event(session_id, event, adviser.name, data)
    return True


async def say(session_id: str, adviser: Adviser, message_id: str, text: str) -> Message:
    """Store what the adviser says and show it; the same id again has no second effect.

    Raises:
        InvalidMessage: as for a customer's message.
        NotAssigned: it is not assigned to this adviser.
        IdConflict: the id is known with another text.
        SessionNotFound, SessionGone, StoreUnavailable:
    """
    if not is_id(message_id):
        raise InvalidMessage
    message = Message(author=Author.ADVISER, id=message_id, text=_checked(text), name=adviser.name)
    store = STORE.get()
    if not await store.say(session_id, adviser.id, message):
        session = await store.load(session_id, ANY_OWNER)
        message = next(known for known in session.messages if known.id == message_id)
    await PUBSUB.get().publish(session_id, MessageDone(message))
    return message


async def renew_assignment(session_id: str, adviser: Adviser) -> bool:
    """Note that the adviser is there. False when it is not assigned to them."""
    return await STORE.get().renew_assignment(session_id, adviser.id)


async def note(session_id: str, adviser: Adviser, text: str) -> StaffNote:
    """Keep an adviser's private words.

    Raises:
        InvalidMessage: as for a customer's message.
        SessionNotFound, SessionGone, StoreUnavailable:
    """
    staff_note = StaffNote(kind=StaffNoteKind.NOTE, text=_checked(text), author=adviser.name)
    await STORE.get().load(session_id, ANY_OWNER)
    await add_staff_note(session_id, staff_note)
    return staff_note


async def ask_for_adviser(session_id: str, owner: str, reason: str = "", lead: str = "") -> bool:
    """Note that the customer wants a human and tell them when one can come.

    ``lead``: what they are told first, in Markdown, when a rule calls the human.

    One effect however often: False when they asked before, or an adviser answers already.

    Raises:
        SessionNotFound, SessionGone, StoreUnavailable:
    """
    store = STORE.get()
    when = announcements.asked(now(), on_page=owner == WEB_OWNER)
    announcement = _announcement(f"{lead} {when}" if lead else when)
    if not await store.ask_for_adviser(session_id, owner, announcement):
        return False
    await PUBSUB.get().publish(session_id, AdviserAsked())
    await PUBSUB.get().publish(session_id, MessageDone(announcement))
    data = {"reason": reason} if reason else {}
    event = "Un conseiller est appelé." if lead else "Le client demande un conseiller."
    await add_event(session_id, event, data=data)
    return True


async def return_expired_assignments() -> None:
    """Give back to the assistant the conversations whose adviser has left without a word.

    Raises:
        StoreUnavailable:
    """
    store = STORE.get()
    for session_id in await store.expired_assignments():
        try:
            session = await store.load(session_id, ANY_OWNER)
            text = announcements.adviser_away(session.adviser, session.messages)
            if await _return(session_id, "", "", text):
                await add_event(session_id, f"{session.adviser} n'est plus là.", session.adviser)
        except SessionNotFound:
            logger.debug("session %s ended while it was given back", ref_of(session_id))
        except StoreUnavailable:
            raise
        except Exception:  # the others are not to wait for this one
            logger.exception("session %s could not be given back", ref_of(session_id))


async def _return(session_id: str, adviser_id: str, instruction: str, text: str) -> bool:
    store = STORE.get()
    announcement = _announcement(text)
    if not await store.hand_back(session_id, adviser_id, instruction, announcement):
        return False
    await _tell_speaker(await store.load(session_id, ANY_OWNER), announcement)
    return True


async def _tell_speaker(session: Session, announcement: Message | None) -> None:
    """Show everybody the whole conversation, since questions may have ended, then what changed."""
    await PUBSUB.get().publish(session.id, state_of(session, STORE.get().backend))
    speaker = "adviser" if session.has_adviser else "assistant"
    await PUBSUB.get().publish(session.id, SpeakerChanged(speaker, session.adviser))
    if announcement is not None:
        await PUBSUB.get().publish(session.id, MessageDone(announcement))


async def _undo(store: Store, session_id: str, adviser: Adviser, taken: Message) -> bool:
    """Hand back what the store has but no worker may count on; False when that is not needed."""
    if not isinstance(store, FailoverStore):
        return False
    try:
        session = await store.load(session_id, ANY_OWNER)
        undone = _announcement(announcements.adviser_away(adviser.name, session.messages))
        if not await store.undo_take_over(session_id, adviser, taken, undone):
            return False
        await _tell_speaker(await store.load(session_id, ANY_OWNER), undone)
        event = f"{adviser.name} n'a pas pu prendre la main : un serveur ne répond pas."
        await add_event(session_id, event, adviser.name)
    except ChatError as error:
        logger.warning("a take-over of %s could not be undone: %s", ref_of(session_id), error.code)
        return False
    return True


async def _tell_as_it_is(session_id: str) -> None:
    """Show an answer that was cut for nothing: nobody else tells its end."""
    store = STORE.get()
    with suppress(ChatError):
        session = await store.load(session_id, ANY_OWNER)
        await PUBSUB.get().publish(session_id, state_of(session, store.backend))


def _announcement(text: str) -> Message:
    return Message(author=Author.SYSTEM, text=text)


def _checked(text: str) -> str:
    return checked_text(text, settings.ENV.chat_max_message_chars)


def _checked_instruction(text: str) -> str:
    try:
        return checked_text(text, MAX_INSTRUCTION_CHARS)
    except InvalidMessage as error:
        raise InvalidMessage(
            f"La consigne est vide, illisible ou trop longue ({MAX_INSTRUCTION_CHARS} caractères)."
        ) from error
