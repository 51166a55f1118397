from __future__ import annotations

from dataclasses import replace

import pytest

from chat.assistant.prompt import notes_on_tickets
from chat.conversations.types import Author, Message
from chat.core.ids import is_id
from chat.shop.tickets.draft import ASKS, Step, TicketDraft
from chat.shop.tickets.draft_dialogue import (
    READY,
    SAFETY,
    announcement,
    append_details,
    decode_draft,
    draft_payload,
    masked,
    message_id_of,
    new_draft,
    next_text,
    note_for_model,
    with_values,
)
from chat.shop.tickets.models import TicketEntry
from tests.shop.tickets.builders import DANGER, complete, opened

BLANK = new_draft(0)
QUIET = "Le pied de ma table est fendu."


def test_a_form_is_the_same_after_it_was_kept():
    form = complete()

    assert decode_draft(form.to_json()) == form
    assert decode_draft(None) is None


def test_a_new_form_is_newer_than_all_before():
    one, two = new_draft(0), new_draft(7)

    assert (one.version, two.version) == (1, 8)
    assert one.id != two.id
    assert is_id(message_id_of(one.id))


@pytest.mark.parametrize(
    ("words", "given", "step", "no_order"),
    [
        (QUIET, {"product_name": "table"}, Step.ORDER, False),
        (DANGER, {"product_name": "canapé"}, Step.EMAIL, True),
        (DANGER, {}, Step.PRODUCT, True),
        (DANGER, {"product_name": "canapé", "order_number": "CMD-2025-54321"}, Step.EMAIL, False),
        (DANGER, {"product_name": "canapé", "email": "a@b.fr"}, Step.RECAP, True),
    ],
)
def test_where_there_is_danger_no_order_is_asked_for(words, given, step, no_order):
    form = with_values(BLANK, {"words": words, **given})

    assert (form.step, form.no_order, form.version) == (step, no_order, 2)


def test_a_number_given_later_is_taken_all_the_same():
    form = with_values(with_values(BLANK, {"words": DANGER}), {"order_number": "cmd 2025 54321"})

    assert (form.order_number, form.no_order) == ("CMD-2025-54321", False)


def test_safety_is_told_once_and_first():
    urgent = with_values(BLANK, {"words": DANGER})
    named = with_values(urgent, {"product_name": "canapé"})

    assert next_text(BLANK, urgent) == f"{SAFETY} {ASKS[Step.PRODUCT]}"
    assert next_text(urgent, named) == ASKS[Step.EMAIL]
    assert next_text(named, with_values(named, {"email": "a@b.fr"})) == READY
    assert next_text(BLANK, with_values(BLANK, {"words": QUIET})) == ASKS[Step.PRODUCT]


@pytest.mark.parametrize(
    ("words", "said", "expected"),
    [
        ("", "Il grince", "Il grince"),
        (QUIET, "Non, ce n'est pas correct", QUIET),
        (QUIET, QUIET, QUIET),
        (QUIET, "Le tissu est déchiré", f"{QUIET}\nLe tissu est déchiré"),
        (QUIET, "Je me suis blessé", f"{QUIET}\nJe me suis blessé"),
        ("x" * 3990, "Le tissu est déchiré", "x" * 3990),
        ("", "x" * 5000, "x" * 4000),
    ],
)
def test_more_of_the_problem_is_added(words, said, expected):
    assert append_details(words, said) == expected


def test_the_model_is_told_what_is_missing_then_that_buttons_decide():
    form = with_values(BLANK, {"words": QUIET})

    assert "Il manque : product" in note_for_model(form)
    assert "seuls ces boutons décident" in note_for_model(complete())


def test_pages_get_rows_with_values_and_how_they_are_read():
    form = replace(complete(), id="f1", version=4)

    told = draft_payload(form)

    assert told is not None
    assert (told["id"], told["version"], told["step"], told["complete"]) == ("f1", 4, "recap", True)
    assert ["delivered_on", "Date de livraison", "2026-09-01", "01/09/2026"] in told["rows"]
    assert draft_payload(None) is None
    blank = draft_payload(TicketDraft.new())
    assert blank is not None
    assert (blank["step"], blank["complete"]) == ("problem", False)


@pytest.mark.parametrize(
    ("email", "expected"),
    [("camille@example.fr", "c•••@example.fr"), ("a@b.fr", "a•••@b.fr"), ("", "•••@")],
)
def test_an_address_is_masked(email, expected):
    assert masked(email) == expected


@pytest.mark.django_db
def test_the_model_knows_which_tickets_were_opened_and_believes_no_customer():
    ticket = opened()
    text = announcement(ticket, 0)
    announced = Message(author=Author.SYSTEM, id=message_id_of("f1"), text=text)
    forged = Message(author=Author.CUSTOMER, id=message_id_of("f2"), text="SAV-2026-99999")
    other = Message(author=Author.SYSTEM, text="SAV-2026-99999")

    (note,) = notes_on_tickets([forged, announced, other])

    assert f"la demande {ticket.number} :" in note


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("photos", "told"),
    [(0, ""), (1, " Votre photo y est jointe."), (2, " Vos 2 photos y sont jointes.")],
)
def test_what_is_announced_comes_from_the_row(photos, told):
    ticket = opened(words=DANGER)

    text = announcement(ticket, photos)

    assert text.startswith(f"Votre demande **{ticket.number}** est enregistrée.{told} Le magasin")
    assert f"/suivi/{ticket.number}:" in text
    assert "c•••@example.test" in text
    assert "camille@" not in text
    assert ticket.priority not in text
    assert TicketEntry.objects.count() == 1
