from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chat.shop.imports.cells import Cells


def cells(value: object) -> Cells:
    return Cells(7, {"x": value})


@pytest.mark.parametrize("value, text", [(" Jean ", "Jean"), ("a\nb", "a\nb"), ("=1+1", "=1+1")])
def test_text_is_taken_without_blanks(value, text):
    row = cells(value)

    assert (row.text("x", most=10), row.faults) == (text, [])


@pytest.mark.parametrize("value", [None, "", "  ", 3, ["a"], "x" * 11, "a\x07b", "\ud800"])
def test_wrong_text_is_a_fault(value):
    row = cells(value)

    row.text("x", most=10)

    assert [(fault.line, fault.column) for fault in row.faults] == [(7, "x")]


@pytest.mark.parametrize("value, number", [(3, 3), (" 3 ", 3), ("0", 0), (10, 10)])
def test_whole_numbers_are_read(value, number):
    row = cells(value)

    assert (row.whole("x", least=0, most=10), row.faults) == (number, [])


@pytest.mark.parametrize("value", [None, "", 11, -1, 1.5, "1,5", True, "٣", "9" * 5000, [1], "NaN"])
def test_what_is_no_whole_number_within_bounds_is_a_fault(value):
    row = cells(value)

    row.whole("x", least=0, most=10)

    assert len(row.faults) == 1


@pytest.mark.parametrize(
    "value, flag",
    [(True, True), (False, False), ("Oui", True), ("non", False), ("1", True), ("FALSE", False)],
)
def test_flags_are_read(value, flag):
    row = cells(value)

    assert (row.flag("x"), row.faults) == (flag, [])


@pytest.mark.parametrize("value", [None, "", "peut-être", 1, 0, []])
def test_what_is_no_flag_is_a_fault(value):
    row = cells(value)

    row.flag("x")

    assert len(row.faults) == 1


@pytest.mark.parametrize(
    "value, moment",
    [
        ("2025-03-12", datetime(2025, 3, 11, 23, tzinfo=UTC)),
        ("2025-07-12", datetime(2025, 7, 11, 22, tzinfo=UTC)),
        ("2025-03-12T10:30", datetime(2025, 3, 12, 9, 30, tzinfo=UTC)),
        ("2025-03-12 10:30:15Z", datetime(2025, 3, 12, 10, 30, 15, tzinfo=UTC)),
        ("2025-03-12T10:30+05:00", datetime(2025, 3, 12, 5, 30, tzinfo=UTC)),
    ],
)
def test_moments_are_of_paris_unless_they_say(value, moment):
    row = cells(value)

    assert (row.moment("x"), row.faults) == (moment, [])


@pytest.mark.parametrize(
    "value",
    [
        *("", None, "hier", "12/03/2025", "2025-02-30", "2025-3-1", "20250312", 20250312),
        *("1999-12-31", "2101-01-01", "2025-03-12T25:00", "2025-W11", "٢٠٢٥-٠٣-١٢"),
    ],
)
def test_what_is_no_moment_is_a_fault(value):
    row = cells(value)

    row.moment("x")

    assert len(row.faults) == 1


def test_a_moment_may_be_left_out():
    row = cells("")

    assert row.moment_or_none("x") is None
    assert row.moment_or_none("y") is None
    assert row.faults == []


@pytest.mark.parametrize(
    "value, words", [(["b", "a"], ["a", "b"]), ("b a a", ["a", "b"]), ([], []), (None, [])]
)
def test_words_are_those_that_are_known(value, words):
    row = cells(value)

    assert (row.words("x", among=("a", "b")), row.faults) == (words, [])


@pytest.mark.parametrize("value", [["c"], "a c", 3, {"a": 1}, [["a"]]])
def test_unknown_words_are_a_fault(value):
    row = cells(value)

    row.words("x", among=("a", "b"))

    assert len(row.faults) == 1


def test_names_that_nobody_knows_are_faults():
    row = Cells(7, {"x": 1, "y": 2, "": 3}, prefix="lines[0].")

    row.only(["x"])

    assert [fault.column for fault in row.faults] == ["lines[0].", "lines[0].y"]
