"""E-mail addresses that customers leave to be called back."""

from __future__ import annotations

from datetime import datetime

from channels.db import database_sync_to_async
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from chat.conversations.handover.models import ContactRequest
from chat.core.errors import InvalidMessage
from chat.core.ids import ref_of

MAX_EMAIL_CHARS = 254
MAX_SUBJECT_CHARS = 500


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


def record_contact(
    session_id: str, email: str, subject: str, lives_until: datetime | None = None
) -> bool:
    """Keep the request. False when this conversation left this address before.

    ``lives_until``: as in ``ContactRequest``.
    """
    _, is_new = ContactRequest.objects.get_or_create(
        session_ref=ref_of(session_id),
        email=email,
        defaults={"subject": subject, "lives_until": lives_until},
    )
    return is_new


# A thread of its own: a database that hangs holds up no other customer.
arecord_contact = database_sync_to_async(record_contact, thread_sensitive=False)
