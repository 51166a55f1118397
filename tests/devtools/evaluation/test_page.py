from __future__ import annotations

import re
from datetime import UTC, datetime

from devtools.evaluation.differences import Last
from devtools.evaluation.page import as_page
from devtools.evaluation.run import Run
from devtools.evaluation.text import as_text
from tests.devtools.evaluation.builders import played

MADE_AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def run_of(*shown, last=None):
    return Run(played=shown, model="m", made_at=MADE_AT, seconds=12.0, last=last)


def page_of(*shown, last=None):
    return as_page(run_of(*shown, last=last), "Meuble de France")


def test_page_refers_to_nothing_outside():
    page = page_of(played("one"), played("two", "Rien", says="oslo"))

    assert not re.search(r"(?:src|href|action)=|@import|url\(|https?:|<script|<link", page)


def test_page_shows_each_conversation_and_why_it_failed():
    page = page_of(played("fine"), played("broken", "Rien", says="oslo"))

    assert page.count('<details class="panel talk"') == 2
    assert "1 conversation échoue." in page
    assert "✗ dit /oslo/ — « Rien »" in page
    assert "search_products()" in page
    assert page.index("broken") < page.index("✓ fine")  # failures stand first


def test_words_of_a_conversation_are_no_markup():
    page = page_of(played("one", "<img src=x onerror=alert(1)>"))

    assert "<img" not in page
    assert "&lt;img src=x" in page


def test_page_tells_what_changed():
    last = Last("lundi", {"one": {"passed": True, "answers": ["Le canapé OSLO"]}})
    page = page_of(played("one", "Rien", says="oslo"), last=last)

    assert "Depuis l&#x27;exécution du lundi" in page
    assert "échouent désormais : one" in page
    assert "échoue désormais · réponse changée" in page


def test_table_counts_by_category():
    shown = [
        played("one"),
        played("two", "Rien", says="oslo"),
        played("three", category="law"),
    ]

    text = as_text(run_of(*shown))

    rows = [re.split(r"  +", line) for line in text.splitlines()[:4]]
    assert rows[1:] == [
        ["Conseil", "2", "1", "1", "3"],
        ["Droits légaux", "1", "1", "0", "1"],
        ["Total", "3", "2", "1", "4"],
    ]
    assert "ÉCHEC two" in text
    assert "message 1 : dit /oslo/ — « Rien »" in text
    assert "Première exécution" in text
