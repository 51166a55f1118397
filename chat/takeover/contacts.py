"""E-mail addresses that customers leave to be called back."""

from __future__ import annotations

import asyncio
import logging

from channels.db import database_sync_to_async
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from chat.errors import InvalidMessage
from chat.sessions.types import ref_of
from chat.takeover.models import ContactRequest

logger = logging.getLogger(__name__)

MAX_EMAIL_CHARS = 254
MAX_SUBJECT_CHARS = 500
#: An erasure waits no longer for the database.
LONGEST_DELETION_S = 2.0
MAX_LEFT = 1000


def checked_email(text: str) -> str:
    """Return the address, trimmed, in lower case.

    Raises:
        InvalidMessage: it is none.
    """
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidMessage("Cette adresse e-mail n'est pas valide.") from error
    if len(email) > MAX_EMAIL_CHARS:
        raise InvalidMessage("Cette adresse e-mail est trop longue.")
    return email


def checked_subject(text: str) -> str:
    """Return what it is about, trimmed; it may be empty.

    Raises:
        InvalidMessage: over ``MAX_SUBJECT_CHARS``.
    """
    subject = " ".join(text.replace("\x00", "").split())
    if len(subject) > MAX_SUBJECT_CHARS:
        raise InvalidMessage(f"Votre demande est trop longue ({MAX_SUBJECT_CHARS} caractères).")
    return subject


def record_contact(session_id: str, email: str, subject: str) -> bool:
    """Keep the request. False when this conversation left this address before."""
    _, is_new = ContactRequest.objects.get_or_create(
        session_ref=ref_of(session_id), email=email, defaults={"subject": subject}
    )
    return is_new


def forget_contacts(session_id: str) -> int:
    """Delete what an erased conversation left. Return how many requests there were."""
    count, _ = ContactRequest.objects.filter(session_ref=ref_of(session_id)).delete()
    return count


# Threads of their own: a database that hangs holds up no other customer.
arecord_contact = database_sync_to_async(record_contact, thread_sensitive=False)
_aforget_contacts = database_sync_to_async(forget_contacts, thread_sensitive=False)

#: Erased conversations whose requests the database would not delete yet.
_left: dict[str, None] = {}


async def aforget_contacts(session_id: str) -> None:
    """Delete what an erased conversation left; while the database is away, later."""
    try:
        async with asyncio.timeout(LONGEST_DELETION_S):
            await _aforget_contacts(session_id)
    except Exception as error:  # noqa: BLE001 - no trouble of the database may undo an erasure
        if session_id not in _left:
            logger.warning("requests of an erased session stay for now: %s", type(error).__name__)
        _left.pop(session_id, None)
        _left[session_id] = None  # last: the others get their turn
        while len(_left) > MAX_LEFT:
            del _left[next(iter(_left))]
    else:
        _left.pop(session_id, None)


async def forget_left_contacts() -> None:
    """Try again, with one of them, what the database refused."""
    if _left:
        await aforget_contacts(next(iter(_left)))
