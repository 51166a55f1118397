from __future__ import annotations

import csv
import io

import pytest
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from chat.core.reporting.tables import HTMLTable, csv_table, markdown_table, safe_cell, text_table


def test_text_table_of_nothing_is_nothing():
    assert list(text_table([], [])) == []
    assert list(text_table(["a", "b"], [("long", "1")])) == ["a     b", "long  1"]


def test_bars_of_a_text_table_begin_in_one_column():
    rows = [("a", "1", "██"), ("b", "10", "█")]
    assert list(text_table([], rows)) == ["a   1  ██", "b  10  █"]


def test_cell_cannot_end_a_column_of_markdown():
    assert list(markdown_table(["", "x|y"], [("a|b", "1")])) == [
        "|  | x/y |",
        "| --- | ---: |",
        "| a/b | 1 |",
        "",
    ]


def test_csv_is_read_back_as_it_was_but_for_formulas():
    text = csv_table(("name", "value"), [("a,b", "line\nline"), ('"', None), ("=1+1", -3)])
    assert text.splitlines()[0] == "name,value"
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["name", "value"],
        ["a,b", "line\nline"],
        ['"', ""],
        ["'=1+1", "-3"],
    ]


@pytest.mark.parametrize(
    "cell, safe",
    [
        *((f"{sign}1", f"'{sign}1") for sign in "=+-@\t\r\n＝"),
        (" =1", "' =1"),
        ("a=1", "a=1"),
        (-3, -3),
        (None, ""),
        (True, True),
    ],
)
def test_cells_are_never_formulas(cell, safe):
    assert safe_cell(cell) == safe


def test_html_cells_are_escaped_and_aligned():
    table = HTMLTable("A & B", ("", "n", "state"), [("<i>", mark_safe("<b>1</b>"), "ok")], {2})
    shown = render_to_string("reporting/_table.html", {"table": table})
    assert 'aria-label="A &amp; B"' in shown
    assert (
        '<th scope="col"></th><th scope="col" class="n">n</th><th scope="col">state</th>' in shown
    )
    assert '<th scope="row">&lt;i&gt;</th><td class="n"><b>1</b></td><td>ok</td>' in shown
