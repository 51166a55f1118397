"""The pure parts of the desk: words, addresses of the list, charts, the order of a timeline."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from chat.conversations.store.adviser_store import (
    ConversationState,
    Listing,
    Row,
    SortOrder,
    StaffNote,
    StaffNoteKind,
)
from chat.conversations.types import Author, Message, Session
from chat.web.desk import labels
from chat.web.desk.charts import HEIGHT, WIDTH, chart
from chat.web.desk.filters import ListFilter
from chat.web.desk.timeline import timeline

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "à l’instant"),
        (1, "à l’instant"),
        (59, "il y a 59 s"),
        (60, "il y a 1 min"),
        (3599, "il y a 59 min"),
        (3600, "il y a 1 h"),
        (7500, "il y a 2 h 05"),
        (2 * 86_400, "il y a 2 j"),
    ],
)
def test_how_long_ago(seconds, words):
    assert labels.ago(NOW - timedelta(seconds=seconds), NOW) == words


def test_time_left_and_sizes():
    assert labels.left(NOW, NOW) == "expirée"
    assert labels.left(NOW + timedelta(hours=23, minutes=12), NOW) == "23 h 12"
    assert [labels.size(n) for n in (0, 999, 1234, 3_400_000)] == [
        "0 o",
        "999 o",
        "1,2 ko",
        "3,4 Mo",
    ]
    assert [labels.milliseconds(n) for n in (None, 340, 2100)] == ["—", "340 ms", "2,1 s"]
    assert [labels.language(code) for code in ("fr", "", "xx")] == ["français", "inconnue", "xx"]


def row(
    ref: str, state: ConversationState = ConversationState.IDLE, *, ago_s: int = 0, **more
) -> Row:
    last_at = NOW - timedelta(seconds=ago_s)
    return Row(
        id=ref,
        ref=ref,
        owner="web",
        began_at=more.pop("began_at", last_at),
        last_at=last_at,
        expires_at=last_at + timedelta(days=1),
        messages=1,
        bytes=1,
        language="fr",
        state=state,
        storage="memory",
        **more,
    )


def test_badges():
    asked = row("a", ConversationState.ASKED, asked_at=NOW - timedelta(seconds=125))

    assert labels.badge(asked, NOW) == "attend un conseiller depuis 2 min"
    assert (
        labels.badge(row("b", ConversationState.HELD, adviser="Claire"), NOW) == "tenue par Claire"
    )
    assert labels.badge(row("c", ConversationState.ANSWERING), NOW) == "répond"


def test_address_of_a_list_is_read_back_as_it_was_written():
    list_filter = ListFilter(
        words="un canapé & co",
        state=ConversationState.ASKED,
        speaker="assistant",
        age="1h",
        storage="redis",
        order=SortOrder.BEGAN,
        page=3,
    )
    address = list_filter.query(page=3)

    assert ListFilter.of(dict(parse_qsl(address[1:]))) == list_filter
    assert ListFilter.of(dict(parse_qsl(list_filter.query()[1:]))).page == 1
    assert ListFilter().query() == "?"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"p": "0"},
        {"p": "-1"},
        {"p": "²"},
        {"p": "9" * 5000},
        {"state": "x", "o": "random", "age": "1", "speaker": "Claire", "storage": "disk"},
    ],
)
def test_nonsense_in_an_address_is_as_if_it_were_not_there(params):
    assert ListFilter.of(params) == ListFilter()


def test_listing_asks_for_its_page_alone():
    list_filter = ListFilter(state=ConversationState.HELD, speaker="adviser", age="5min", page=3)

    assert list_filter.listing() == Listing(
        state=ConversationState.HELD, speaker="adviser", quiet_s=(0, 300), offset=100, limit=50
    )


def test_what_a_search_found_is_sifted_and_sorted():
    rows = [
        row("a", ago_s=10, began_at=NOW - timedelta(hours=1)),
        row(
            "b",
            ConversationState.HELD,
            ago_s=500,
            adviser="Claire",
            began_at=NOW - timedelta(hours=3),
        ),
        row("c", ago_s=5000, began_at=NOW - timedelta(hours=2)),
    ]

    def found(**list_filter):
        return "".join(found.ref for found in ListFilter(**list_filter).sifted(rows, NOW))

    assert found() == "abc"
    assert found(order=SortOrder.OLDEST) == "cba"
    assert found(order=SortOrder.BEGAN) == "acb"
    assert found(order=SortOrder.BEGAN_FIRST) == "bca"
    assert found(state=ConversationState.HELD) == found(speaker="adviser") == "b"
    assert found(speaker="assistant", age="5min") == "a"
    assert found(storage="redis") == ""


def test_chart_keeps_within_its_frame_and_shows_what_is_not_zero():
    days = [date(2026, 11, 10) + timedelta(days=n) for n in range(14)]
    values = [None, 0, 1, 1000, *[5] * 10]

    drawn = chart("turns", "Réponses", list(zip(days, values, strict=True)), str)

    assert [bar.height for bar in drawn.bars[:5]] == [0, 0, 2, HEIGHT, 2]
    assert [bar.text for bar in drawn.bars[:3]] == ["", "0", "1"]
    assert drawn.most == "1000"
    assert all(bar.y >= 0 and bar.y + bar.height == HEIGHT for bar in drawn.bars)
    assert max(bar.x + bar.width for bar in drawn.bars) <= WIDTH


def test_chart_without_a_number_has_no_highest():
    drawn = chart("turns", "Réponses", [(NOW.date(), 0), (NOW.date(), None)], str)

    assert (drawn.most, [bar.height for bar in drawn.bars]) == ("", [0, 0])


def said(id_: str, minutes: int, author: Author = Author.CUSTOMER) -> Message:
    return Message(author=author, id=id_, text=id_, sent_at=NOW + timedelta(minutes=minutes))


def test_what_was_noted_stands_at_its_hour_and_each_day_is_named():
    session = Session(
        id="s",
        owner="web",
        epoch="e",
        created_at=NOW,
        expires_at=NOW,
        messages=(said("q1", 0), said("a1", 10, Author.ASSISTANT), said("q2", 24 * 60)),
    )
    staff_notes = [
        StaffNote(kind=StaffNoteKind.NOTE, id="n1", at=NOW + timedelta(minutes=5)),
        StaffNote(kind=StaffNoteKind.TURN, data={"answer_id": "a1", "total_ms": 5}, at=NOW),
        StaffNote(kind=StaffNoteKind.EVENT, id="e1", at=NOW + timedelta(minutes=20)),
        StaffNote(kind=StaffNoteKind.EVENT, id="e2", at=NOW + timedelta(days=2)),
    ]

    entries = timeline(session, staff_notes)

    shown = [entry.id or entry.kind for entry in entries]
    assert shown == ["day", "q1", "n1", "a1", "e1", "day", "q2", "day", "e2"]
    assert [entry.numbers for entry in entries if entry.numbers] == ["en tout 5 ms"]
