from __future__ import annotations

import pytest

from devtools.bench.report import as_document, as_page, as_text, cells, figure_text
from tests.devtools.bench.builders import a_row, a_run

FULL = a_row(
    name="turns per second, 500 conversations",
    ours=(250.0, 270.0),
    floor=(100.0, 100.0),
    before=(10.0,),
    target="≥ 2.2 × floor",
    criterion=True,
    note="offered <500>/s",
)
MISSED = a_row(part="memory", name="idle socket", unit="kB", ours=(50.0,), target="≤ 45 kB")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "ms", "–"),
        (0.0, "", "0"),
        (0.0456, "ms", "0.046 ms"),
        (1.234, "ms", "1.23 ms"),
        (12.34, "ms", "12.3 ms"),
        (123.4, "/s", "123 /s"),
        (1234567.0, "", "1\u202f234\u202f567"),
        (-0.5, "kB", "-0.50 kB"),
    ],
)
def test_numbers_show_the_digits_that_count(value, unit, expected):
    assert figure_text(value, unit) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (FULL, ["turns per second, 500 conversations *", "260 /s", "100", "10", "2.60", "±4%",
                "≥ 2.2 × floor", "holds"]),
        (MISSED, ["idle socket", "50 kB", "", "", "", "", "≤ 45 kB", "MISSED"]),
        (a_row(ours=(), floor=()), ["turns per second", "–", "", "", "", "", "", ""]),
        (a_row(target="≥ 2 /s", unjudged="two cores"),
         ["turns per second", "1 /s", "", "", "", "", "≥ 2 /s", "not judged: two cores"]),
    ],
)  # fmt: skip
def test_cells_say_all_of_a_row(row, expected):
    assert cells(row) == expected


def test_text_holds_every_row_under_its_part():
    lines = as_text(a_run(FULL, MISSED, remarks=["Two cores."])).splitlines()
    names = [line.split("  ")[0] for line in lines]
    places = [names.index(name) for name in ("TURNS", f"{FULL.name} *", "MEMORY", "idle socket")]
    assert places == sorted(places)
    assert "Two cores." in lines
    assert lines[-1] == "1 target holds, 1 missed: idle socket."


def test_page_draws_what_has_a_floor_and_escapes_notes():
    page = as_page(a_run(FULL, MISSED))
    assert page.count("<svg class=") == 1
    assert "ours : 260 /s, floor : 100 /s, before : 10.0 /s" in page.replace("10 /s", "10.0 /s")
    assert "offered &lt;500&gt;/s" in page
    assert "verdict--open" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_document_has_a_table_for_each_part_and_the_profile():
    document = as_document(a_run(FULL, MISSED, profile={"openai": 0.25, "json": 0.001}))
    assert "## Turns" in document
    assert "| idle socket | 50 kB |" in document
    assert "| openai | 25.0% |" in document
    assert "json" not in document.split("## Where")[1]


def test_document_lists_notes_under_their_table():
    document = as_document(a_run(FULL, MISSED))
    assert (
        "| holds |\n\n- turns per second, 500 conversations: offered <500>/s\n\n## Memory"
        in document
    )
    assert "turns per second, 500 conversations \\* | 260 /s" in document


def test_document_says_when_nothing_was_profiled():
    assert "add `--profile`" in as_document(a_run(FULL))
