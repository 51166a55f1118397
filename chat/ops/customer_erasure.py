"""Everything of one customer, known by their e-mail address: counted, then erased on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from chat.conversations.handover.models import ContactRequest
from chat.shop.photos.models import Photo
from chat.shop.photos.services import forget
from chat.shop.tickets.erasure import (
    Extent,
    erase_tickets,
    extent_of,
    log_deletions,
    remove_files_soon,
)
from chat.shop.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Holdings:
    """What SQL has of a customer. ``session_refs``: conversations in which they left it.

    ``loose_photos``: photos of these conversations that no ticket has.
    """

    tickets: Extent
    contacts: int
    loose_photos: int
    session_refs: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.tickets.numbers or self.contacts or self.loose_photos)


def holdings_of(email: str) -> Holdings:
    """Return what there is of this address, in upper or lower case. Changes nothing.

    Raises:
        django.db.Error:
    """
    tickets, contacts = _tickets_of(email), _contacts_of(email)
    found = {ticket.session_ref for ticket in tickets} | {one.session_ref for one in contacts}
    refs = sorted(found - {""})
    return Holdings(
        extent_of(tickets),
        len(contacts),
        Photo.objects.filter(session_ref__in=refs, ticket_number="").count(),
        tuple(refs),
    )


def erase_customer(email: str, *, user_id: int) -> Holdings:
    """Erase all of it or nothing, open tickets too; return what was erased.

    The admin's log keeps numbers of tickets and when requests were left, not the address.

    Raises:
        django.db.Error: nothing was erased.
    """
    names: list[str] = []
    with transaction.atomic():
        holdings = holdings_of(email)
        contacts = _contacts_of(email)
        log_deletions(contacts, user_id, "Effacée à la demande du client.")
        ContactRequest.objects.filter(pk__in=[contact.pk for contact in contacts]).delete()
        for ref in holdings.session_refs:
            names += forget(ref)
        erase_tickets(
            [ticket.pk for ticket in _tickets_of(email)],
            user_id=user_id,
            reason="Effacé à la demande du client, avec photos, e-mails et notes.",
        )
        transaction.on_commit(lambda: remove_files_soon(names))
    return holdings


def _tickets_of(email: str) -> Sequence[Ticket]:
    return list(Ticket.objects.filter(email__iexact=email).order_by("pk"))


def _contacts_of(email: str) -> Sequence[ContactRequest]:
    return list(ContactRequest.objects.filter(email__iexact=email).order_by("pk"))
