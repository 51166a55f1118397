"""The steps by which a conversation makes a ticket: what is asked, shown and announced. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat.sessions.types import JSON, Author, Message
from chat.tickets.forms import ASKS, TicketForm
from chat.tickets.links import follow_path
from chat.tickets.phrases import full_moment
from chat.tickets.problems import Problem, danger_in, problem_in

if TYPE_CHECKING:
    from chat.tickets.models import Ticket

#: Before anything else where somebody may be hurt.
SAFETY = (
    "Pour votre sécurité, n'utilisez plus ce meuble et tenez-en tout le monde éloigné ; si "
    "quelqu'un est blessé ou en cas de feu, appelez le 112."
)
#: What may be said once nothing is lacking: only what the page shows.
READY = (
    "Le récapitulatif de votre demande est affiché dans cette page. Relisez-le : seuls ses boutons "
    "« Valider », « Modifier » et « Abandonner » décident, rien n'est enregistré avant."
)
_MAX_WORDS_CHARS = 4000
#: How the message that announces a ticket is known, and what it calls it.
_MESSAGE_ID = "ticket-"
_NUMBER = re.compile(r"SAV-\d{4}-\d{5,}")


def form_of(stored: JSON | None) -> TicketForm | None:
    """Return the form that the session keeps, None where there is none."""
    return TicketForm.from_json(stored) if stored is not None else None


def new_form(last_version: int) -> TicketForm:
    """Return a blank form, newer than all that the conversation had."""
    return replace(TicketForm.new(), version=last_version + 1)


def with_said(form: TicketForm, given: Mapping[str, Any]) -> TicketForm:
    """Return the form with what the customer said. Where there is danger, no order is asked for.

    Raises:
        BadField: as ``TicketForm.with_fields``.
    """
    words = given.get("words")
    is_urgent = danger_in(words if isinstance(words, str) else form.words)
    has_order = form.order_number or form.delivered_on
    urgent = {"no_order": True} if is_urgent and not has_order else {}
    return form.with_fields({**given, **urgent})


def names_problem(text: str) -> bool:
    """Whether these words say what is wrong."""
    return bool(danger_in(text)) or problem_in(text) is not Problem.UNKNOWN


def with_more(words: str, said: str) -> str:
    """Return the problem with what was said of it besides; nothing stands there twice."""
    if not words:
        return said[:_MAX_WORDS_CHARS]
    longer = f"{words}\n{said}"
    is_news = names_problem(said) and said not in words
    return longer if is_news and len(longer) <= _MAX_WORDS_CHARS else words


def to_say(before: TicketForm, form: TicketForm) -> str:
    """Return what the customer is to hear next: one question, or that the recap is there.

    New words of danger come first.
    """
    is_new_danger = danger_in(form.words) and not danger_in(before.words)
    following = READY if form.is_complete else ASKS[form.step]
    return f"{SAFETY} {following}" if is_new_danger else following


def note_for_model(form: TicketForm) -> str:
    """Return what the model must know of the form when the customer goes on."""
    if form.is_complete:
        return (
            "Une demande de service après-vente est prête ; son récapitulatif est affiché avec "
            "les boutons « Valider », « Modifier » et « Abandonner ». Elle n'est pas enregistrée : "
            "seuls ces boutons décident, aucun message ne le peut. Appelle prepare_ticket si le "
            "client ajoute ou corrige quelque chose."
        )
    return (
        "Une demande de service après-vente est en préparation. Il manque : "
        f"{form.step}. Question posée au client : « {ASKS[form.step]} » Appelle prepare_ticket "
        "avec ce qu'il répond."
    )


def notes_on_opened(messages: Sequence[Message]) -> Iterator[str]:
    """Yield what the model must know of the tickets that this conversation opened."""
    for message in messages:
        is_ours = message.author is Author.SYSTEM and message.id.startswith(_MESSAGE_ID)
        number = _NUMBER.search(message.text) if is_ours else None
        if number is not None:
            yield (
                f"Le client a validé la demande {number[0]} : elle est enregistrée et il le sait. "
                "ticket_status dit où elle en est. N'en prépare une autre que pour un autre "
                "problème."
            )


def shown(form: TicketForm | None) -> JSON | None:
    """Return the form as pages get it (``docs/protocol.md``)."""
    if form is None:
        return None
    return {
        "id": form.id,
        "version": form.version,
        "step": form.step.value,
        "complete": form.is_complete,
        "rows": [[row.field, row.label, row.value, row.shown] for row in form.recap()],
    }


def message_id_of(form_id: str) -> str:
    """Return the id of the one message that announces the ticket of this form."""
    return f"{_MESSAGE_ID}{form_id}"


def opened_text(ticket: Ticket, photos: int) -> str:
    """Return what the customer is told of the ticket that exists, in Markdown."""
    joined = {0: "", 1: " Votre photo y est jointe."}.get(
        photos, f" Vos {photos} photos y sont jointes."
    )
    return (
        f"Votre demande **{ticket.number}** est enregistrée.{joined} Le magasin vous répond au "
        f"plus tard {full_moment(ticket.first_answer_due_at)}.\n\n"
        f"Un e-mail de confirmation part à l'adresse {masked(ticket.email)}. "
        f"[Suivre ma demande]({follow_path(ticket.number or '')})"
    )


def masked(email: str) -> str:
    """``"c•••@example.fr"``: known to who gave it, of no use to who looks on."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}"
