from __future__ import annotations

from dataclasses import replace

import pytest

from devtools.evaluation.checks import checks_of
from devtools.evaluation.matching import phrase
from devtools.evaluation.observed import Call, ObservedTurn
from tests.devtools.evaluation.builders import call, expecting

SEEN = ObservedTurn(
    end="done",
    answer="Le canapé OSLO coûte 1 290 €, garanti jusqu'au 12 mars 2027.",
    announced=("Un conseiller a été prévenu.",),
    calls=(
        call(query="canapé bleu", max_price_eur=1500, colour=None, exact=True),
        call("ask_for_human"),
    ),
    asked=True,
    rows={"tickets": 1, "contacts": 0, "mails": 2},
    priority="P0",
    sources=("product",),
    form={"step": "email", "words": "Le pied est cassé", "email": ""},
)


def failed(expected, observed=SEEN, never=()):
    return [check.kind for check in checks_of(expected, observed, never) if not check.holds]


@pytest.mark.parametrize(
    "expectations",
    [
        "tools: [search_products]",
        "tools: [search_products: {query: CANAPE, max_price_eur: 1500, colour: null}]",
        "tools: [search_products: {exact: true}]",
        "no_tools: [find_order]",
        "rows: {tickets: 1, contacts: 0, mails: 2}",
        "priority: P0",
        "asked: true",
        "says: [oslo, [lisbonne, 'co[uû]te']]",
        "announces: [conseiller]",
        "amounts: ['1290']",
        "dates: [2027-03-12]",
        "never: [remise]",
        "language: fr",
        "sources: [product]",
        "form: {step: email, words: cassé}",
        "min_chars: 10",
        "max_chars: 100",
    ],
)
def test_what_is_true_holds(tmp_path, expectations):
    assert failed(expecting(tmp_path, expectations)) == []


@pytest.mark.parametrize(
    "expectations, kind",
    [
        ("tools: [find_order]", "tools"),
        ("tools: [search_products: {query: lit}]", "tools"),
        ("tools: [search_products: {max_price_eur: 1501}]", "tools"),
        ("tools: [search_products: {max_price_eur: '1500'}]", "tools"),  # a text is no number
        ("tools: [search_products: {exact: 1}]", "tools"),  # nor is true
        ("tools: [search_products: {query: null}]", "tools"),
        ("no_tools: [search_products]", "no_tools"),
        ("no_tools: all", "no_tools"),
        ("rows: {tickets: 0}", "rows"),
        ("priority: P1", "priority"),
        ("asked: false", "asked"),
        ("says: [lisbonne]", "says"),
        ("says: [[lisbonne, rivage]]", "says"),
        ("says: [prévenu]", "says"),  # said by the application, not by the assistant
        ("announces: [oslo]", "announces"),
        ("amounts: ['1291']", "amounts"),
        ("dates: [2027-03-13]", "dates"),
        ("never: [oslo]", "never"),
        ("never: [prévenu]", "never"),
        ("language: en", "language"),
        ("sources: [law]", "sources"),
        ("form: {step: recap}", "form"),
        ("form: {words: fissuré}", "form"),
        ("form: {email: '@'}", "form"),
        ("form: none", "form"),
        ("min_chars: 1000", "min_chars"),
        ("max_chars: 5", "max_chars"),
        ("interrupted: true", "end"),
        ("error: assistant_timeout", "end"),
    ],
)
def test_what_is_not_true_fails_and_says_why(tmp_path, expectations, kind):
    expected = expecting(tmp_path, expectations)

    assert failed(expected) == [kind]
    assert all(check.wanted for check in checks_of(expected, SEEN))


@pytest.mark.parametrize(
    "observed",
    [
        replace(SEEN, interrupted=True),
        replace(SEEN, end="interrupted", interrupted=True, error="assistant_timeout"),
        replace(SEEN, end="failed", answer="", error="assistant_unavailable"),
        replace(SEEN, end="taken_over"),
    ],
)
def test_answer_that_did_not_end_well_fails_without_being_asked_for(tmp_path, observed):
    assert failed(expecting(tmp_path, "asked: true"), observed) == ["end"]


def test_bad_end_may_be_expected(tmp_path):
    cut = replace(SEEN, end="stopped", interrupted=True)
    lost = replace(SEEN, end="failed", answer="", error="assistant_timeout")

    assert failed(expecting(tmp_path, "interrupted: true"), cut) == []
    assert failed(expecting(tmp_path, "error: assistant_timeout"), lost) == []


def test_form_that_is_not_there_fails_where_one_is_expected(tmp_path):
    without = replace(SEEN, form=None)

    assert failed(expecting(tmp_path, "form: none"), without) == []
    assert failed(expecting(tmp_path, "form: {step: email, words: '.'}"), without) == ["form"] * 2


def test_conversation_forbids_in_each_of_its_turns(tmp_path):
    assert failed(expecting(tmp_path, "asked: true"), never=[phrase("oslo")]) == ["never"]


def test_arguments_that_are_no_object_match_nothing(tmp_path):
    observed = replace(SEEN, calls=(Call("call-1", "search_products", None),))
    expected = expecting(tmp_path, "tools: [search_products: {query: null}]")

    assert failed(expected, observed) == ["tools"]
