"""Dialogue that fills in a ticket draft: questions, recap and announcement. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat.core.json import JSON
from chat.shop.tickets.draft import ASKS, TicketDraft
from chat.shop.tickets.links import follow_path
from chat.shop.tickets.phrases import full_moment
from chat.shop.tickets.problems import Problem, danger_in, problem_in

if TYPE_CHECKING:
    from chat.shop.tickets.models import Ticket

#: Safety advice, sent first in case of danger.
SAFETY = (
    "Pour votre sécurité, n'utilisez plus ce meuble et tenez-en tout le monde éloigné ; si "
    "quelqu'un est blessé ou en cas de feu, appelez le 112."
)
#: Text for a complete draft; it promises only what the page shows.
READY = (
    "Le récapitulatif de votre demande est affiché dans cette page. Relisez-le : seuls ses boutons "
    "« Valider », « Modifier » et « Abandonner » décident, rien n'est enregistré avant."
)
_MAX_WORDS_CHARS = 4000
#: Id prefix and pattern of the message that announces a ticket.
_MESSAGE_ID = "ticket-"
_NUMBER = re.compile(r"SAV-\d{4}-\d{5,}")


def decode_draft(stored: JSON | None) -> TicketDraft | None:
    """Decode the draft of a session; None if there is none, or it is unreadable."""
    return TicketDraft.from_json(stored) if stored is not None and "id" in stored else None


def new_draft(last_version: int) -> TicketDraft:
    """Return a blank draft with a version above ``last_version``."""
    return replace(TicketDraft.new(), version=last_version + 1)


def with_values(draft: TicketDraft, given: Mapping[str, Any]) -> TicketDraft:
    """Return the draft with the customer's values. In case of danger, no order is asked for.

    Raises:
        BadField: as ``TicketDraft.with_fields``.
    """
    words = given.get("words")
    is_urgent = danger_in(words if isinstance(words, str) else draft.words)
    has_order = draft.order_number or draft.delivered_on
    urgent = {"no_order": True} if is_urgent and not has_order else {}
    return draft.with_fields({**given, **urgent})


def names_problem(text: str) -> bool:
    """Return whether a text describes a problem."""
    return bool(danger_in(text)) or problem_in(text) is not Problem.UNKNOWN


def append_details(words: str, said: str) -> str:
    """Append further details to the description, unless it already contains them."""
    if not words:
        return said[:_MAX_WORDS_CHARS]
    longer = f"{words}\n{said}"
    is_news = names_problem(said) and said not in words
    return longer if is_news and len(longer) <= _MAX_WORDS_CHARS else words


def next_text(before: TicketDraft, draft: TicketDraft) -> str:
    """Return the next text for the customer: one question, or a pointer to the recap.

    Safety advice comes first if the change introduces danger.
    """
    is_new_danger = danger_in(draft.words) and not danger_in(before.words)
    following = READY if draft.is_complete else ASKS[draft.step]
    return f"{SAFETY} {following}" if is_new_danger else following


def note_for_model(draft: TicketDraft) -> str:
    """Return the model's instructions about the draft for the next question."""
    if draft.is_complete:
        return (
            "Une demande de service après-vente est prête ; son récapitulatif est affiché avec "
            "les boutons « Valider », « Modifier » et « Abandonner ». Elle n'est pas enregistrée : "
            "seuls ces boutons décident, aucun message ne le peut. Appelle prepare_ticket si le "
            "client ajoute ou corrige quelque chose."
        )
    return (
        "Une demande de service après-vente est en préparation. Il manque : "
        f"{draft.step}. Question posée au client : « {ASKS[draft.step]} » Appelle prepare_ticket "
        "avec ce qu'il répond."
    )


def announced_number(message_id: str, text: str) -> str:
    """Return the ticket number that a message of the application announces, or ""."""
    number = _NUMBER.search(text) if message_id.startswith(_MESSAGE_ID) else None
    return number[0] if number is not None else ""


def draft_payload(draft: TicketDraft | None) -> JSON | None:
    """Encode the draft for pages (``docs/protocol.md``)."""
    if draft is None:
        return None
    return {
        "id": draft.id,
        "version": draft.version,
        "step": draft.step.value,
        "complete": draft.is_complete,
        "rows": [[row.field, row.label, row.value, row.shown] for row in draft.recap()],
    }


def message_id_of(form_id: str) -> str:
    """Return the id of the message that announces the ticket of a draft."""
    return f"{_MESSAGE_ID}{form_id}"


def announcement(ticket: Ticket, photos: int) -> str:
    """Return the announcement of a created ticket, in Markdown."""
    joined = {0: "", 1: " Votre photo y est jointe."}.get(
        photos, f" Vos {photos} photos y sont jointes."
    )
    return (
        f"Votre demande **{ticket.number}** est enregistrée.{joined} Le magasin vous répond au "
        f"plus tard {full_moment(ticket.first_answer_due_at)}.\n\n"
        f"Un e-mail de confirmation part à l'adresse {masked(ticket.email)}. "
        f"[Suivre ma demande]({follow_path(ticket)})"
    )


def masked(email: str) -> str:
    """Mask an e-mail address: ``"c•••@example.fr"``."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}"
