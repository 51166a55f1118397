from __future__ import annotations

import pytest

from chat.core.reporting.french import lasting, number, plural, size


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(
    "value, shown",
    [
        (0, "0 o"),
        (999, "999 o"),
        (1000, "1 ko"),
        (1449, "1,4 ko"),
        (9_960, "10 ko"),
        (12_400, "12 ko"),
        (3_400_000, "3,4 Mo"),
        (2_000_000_000_000, "2000 Go"),
    ],
)
def test_size_is_short(value: int, shown: str):
    assert plain(size(value)) == shown


@pytest.mark.parametrize(
    "seconds, shown",
    [
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (3900, "1 h 05"),
        (86_400, "1 j"),
        (187_200, "2 j 4 h"),
    ],
)
def test_time_is_short(seconds: float, shown: str):
    assert plain(lasting(seconds)) == shown


def test_numbers_are_french():
    assert plain(number(1_234_567)) == "1 234 567"
    assert plural(1, "reste", "restes") == "1 reste"
    assert plural(2, "reste", "restes") == "2 restes"
