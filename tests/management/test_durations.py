from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError

from chat.management.durations import moment_of, seconds_of
from chat.management.files import write_whole

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # noon in Paris


@pytest.mark.parametrize(
    "text, seconds",
    [("45s", 45), ("30m", 1800), ("24h", 86_400), ("7d", 604_800), ("2 J", 172_800)],
)
def test_times_are_read(text: str, seconds: float):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "24", "1w", "-1h", "1h30", "hier"])
def test_other_times_are_refused(text: str):
    with pytest.raises(ValueError, match="durée"):
        seconds_of(text)


@pytest.mark.parametrize(
    "text, moment",
    [
        ("24h", NOON - timedelta(hours=24)),
        ("2026-11-22", datetime(2026, 11, 21, 23, 0, tzinfo=UTC)),  # midnight in Paris
        ("2026-11-22T09:30", datetime(2026, 11, 22, 8, 30, tzinfo=UTC)),
        ("2026-11-22T09:30+00:00", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
        ("2026-11-22T09:30:00Z", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
    ],
)
def test_moments_are_read_in_the_time_of_the_shop(text: str, moment: datetime):
    assert moment_of(text, NOON) == moment


@pytest.mark.parametrize("text, why", [("demain", "date"), ("2026-11-24", "à venir")])
def test_other_moments_are_refused(text: str, why: str):
    with pytest.raises(ValueError, match=why):
        moment_of(text, NOON)


def test_file_replaces_another_and_is_its_owners_alone(tmp_path):
    path = tmp_path / "rapport.csv"
    path.write_text("vieux")

    write_whole(path, "neuf")

    assert path.read_text() == "neuf"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CommandError, match="Impossible d'écrire") as caught:
        write_whole(tmp_path / "nulle" / "part", "texte")
    assert caught.value.returncode == 2
