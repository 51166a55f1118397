from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shop.tickets.draft import ASKS, BadField, Step, TicketDraft
from tests.shop.tickets.builders import COMPLETE, complete


def test_steps_follow_one_another_and_end_with_the_recap():
    form = TicketDraft.new()
    steps = [form.step]
    for field in ("words", "product_name", "delivered_on", "email"):
        form = form.with_fields({field: COMPLETE[field]})
        steps.append(form.step)

    assert steps == list(Step)
    assert form.is_complete
    assert set(ASKS) == set(Step) - {Step.RECAP}


@pytest.mark.parametrize(
    "given",
    [{"order_number": "cmd 2025 54321"}, {"delivered_on": "12/03/2026"}, {"no_order": True}],
)
def test_order_step_is_answered_by_a_number_a_date_or_a_no(given):
    form = TicketDraft.new().with_fields({"words": "x", "product_name": "y"})

    assert form.step is Step.ORDER
    assert form.with_fields(given).step is Step.EMAIL


def test_version_grows_with_every_change_and_only_then():
    form = complete()

    assert form.with_fields(COMPLETE) is form
    assert form.with_fields({"unknown": "x", "words": "  ", "no_order": False}) is form
    assert form.with_fields({"customer_name": "Jean"}).version == form.version + 1
    assert form.with_fields({"customer_name": "Jean"}).id == form.id


def test_a_number_takes_the_place_of_a_no():
    form = complete(delivered_on="", no_order=True)

    assert form.no_order
    assert not form.with_fields({"order_number": "CMD-2025-54321"}).no_order


@pytest.mark.parametrize(
    "field, texts",
    [
        ("email", ["camille", "a@b", "a@b.fr\nBcc: x@y.fr", "a b@c.fr", "a@b.fr,c@d.fr", "é@b.fr"]),
        ("order_number", ["54321", "CMD-25-1", "mon numéro"]),
        ("delivered_on", ["hier", "31/02/2026", "2026-13-01", "01/01/1890", "01/01/3000", "12/03"]),
        ("words", ["x" * 4001, "\x00\u202e"]),
        ("customer_name", ["x" * 201]),
        ("product_reference", ["x" * 21]),
    ],
)
def test_what_a_field_cannot_be_is_refused_by_name(field, texts):
    for text in texts:
        with pytest.raises(BadField) as refused:
            TicketDraft.new().with_fields({field: text})
        assert refused.value.field == field, text


def test_what_is_no_text_is_refused():
    for value in (12, ["x"], {"a": 1}):
        with pytest.raises(BadField):
            TicketDraft.new().with_fields({"words": value})


@pytest.mark.parametrize(
    "text", ["2026-03-12", "12/03/2026", "12.3.2026", "12-03-2026", "le 12 Mars 2026"]
)
def test_dates_are_read_as_they_are_usually_written(text):
    assert TicketDraft.new().with_fields({"delivered_on": text}).delivered_on == "2026-03-12"


def test_text_is_made_plain():
    form = TicketDraft.new().with_fields(
        {
            "words": " Un\r\nproblème\x00 \u202ecassé ",
            "customer_name": " Camille\n  Martin ",
            "email": " MAILTO:Camille@Example.TEST ",
        }
    )

    assert form.words == "Un\nproblème cassé"
    assert form.customer_name == "Camille Martin"
    assert form.email == "camille@example.test"


def test_a_bad_field_changes_nothing_at_all():
    form = complete()
    with pytest.raises(BadField):
        form.with_fields({"customer_name": "Jean", "email": "jean"})
    assert form == replace(form, customer_name="Camille Martin")


def test_edits_empty_what_may_be_empty():
    form = complete(order_number="CMD-2025-54321", product_reference="SAL-CAP-001")
    edited = form.with_edits({"order_number": "", "delivered_on": " ", "customer_name": ""})

    assert (edited.order_number, edited.delivered_on, edited.customer_name) == ("", "", "")
    assert edited.no_order
    assert edited.is_complete
    assert edited.version == form.version + 1
    assert edited.product_reference == "SAL-CAP-001"


def test_edits_of_the_product_drop_the_reference_of_another():
    form = complete(product_reference="SAL-CAP-001")

    assert form.with_edits({"product_name": "Table ODENSE"}).product_reference == ""
    assert form.with_edits({"product_name": "Canapé OSLO"}) is form


@pytest.mark.parametrize("field", ["words", "product_name", "email"])
def test_edits_cannot_empty_what_is_needed(field):
    with pytest.raises(BadField) as refused:
        complete().with_edits({field: " "})
    assert refused.value.field == field


def test_recap_shows_every_field_once_and_what_is_missing():
    form = complete(delivered_on="", no_order=True, customer_name="")
    rows = {row.field: row for row in form.recap()}

    assert list(rows) == [
        *("words", "product_name", "order_number", "delivered_on", "customer_name", "email")
    ]
    assert rows["order_number"].shown == "non précisée"
    assert rows["order_number"].value == ""
    assert complete().recap()[3].shown == "01/09/2026"


def test_recap_sent_back_as_it_was_shown_changes_nothing():
    form = complete(order_number="CMD-2025-54321", product_reference="SAL-CAP-001")

    assert form.with_edits({row.field: row.value for row in form.recap()}) is form
    bare = TicketDraft.new().with_fields(
        {**COMPLETE, "product_name": "", "product_reference": "SAL-CAP-001"}
    )
    assert bare.with_edits({row.field: row.value for row in bare.recap()}) is bare


def test_reading_tells_the_problem_and_how_grave_it_is():
    assert complete(words="Le canapé s'est effondré").reading() == {
        "problem": "structure",
        "severity": "danger",
    }


def test_json_goes_there_and_back_also_from_another_version():
    form = complete()
    written = json.loads(json.dumps(form.to_json()))

    assert TicketDraft.from_json(written) == form
    assert TicketDraft.from_json({**written, "of_tomorrow": 1}) == form


@given(
    st.dictionaries(
        st.sampled_from([*COMPLETE, "order_number", "no_order", "x"]),
        st.one_of(st.text(), st.booleans(), st.none(), st.integers()),
    )
)
def test_whatever_is_given_makes_a_form_that_can_be_stored_or_is_refused(fields):
    for fill in (TicketDraft.new().with_fields, complete().with_edits):
        try:
            form = fill(fields)
        except BadField:
            continue
        assert TicketDraft.from_json(json.loads(json.dumps(form.to_json()))) == form
        assert "\x00" not in json.dumps(form.to_json(), ensure_ascii=False)
        json.dumps(form.to_json(), ensure_ascii=False).encode()
        form.recap()
