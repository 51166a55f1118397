from __future__ import annotations

import csv
import io
import json
import re

import pytest

from chat.conversations.store.maintenance import Orphan
from chat.ops.reports.report import Bucket, quiet_label, size_label, spread, verdict, worker_lines
from chat.ops.reports.text import as_csv, as_text
from tests.ops.reports.samples import report, row

NOTHING = dict.fromkeys(Orphan, 0)


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(
    "values, counts",
    [
        ([], [0, 0, 0]),
        ([0, 9], [2, 0, 0]),
        ([10, 19, 20, 10**9], [0, 2, 2]),
    ],
)
def test_values_are_spread_between_edges(values: list[int], counts: list[int]):
    buckets = spread(values, (0, 10, 20))
    assert [bucket.count for bucket in buckets] == counts
    assert [(bucket.low, bucket.high) for bucket in buckets] == [(0, 10), (10, 20), (20, None)]


def test_buckets_have_names():
    named = [quiet_label(Bucket(*edges, 1)) for edges in ((0, 300), (300, 1800), (43_200, None))]
    assert [*map(plain, named)] == ["moins de 5 min", "5 min à 30 min", "plus de 12 h"]
    named = [size_label(Bucket(*edges, 1)) for edges in ((0, 2000), (2000, 9000), (9000, None))]
    assert [*map(plain, named)] == ["moins de 2 ko", "2 ko à 9 ko", "plus de 9 ko"]


@pytest.mark.parametrize(
    "changes, left, said",
    [
        ({"orphans": NOTHING}, 0, "rien d'orphelin"),
        ({}, 5, "5 restes orphelins à retirer"),
        ({"applied": True, "removed": {Orphan.INDEX: 5}}, 0, "tout a été retiré"),
    ],
)
def test_verdict_says_what_is_to_be_done(changes: dict[str, object], left: int, said: str):
    found = report(**changes)
    assert found.left == left
    assert said in verdict(found)


def test_memory_of_workers_is_said_to_be_unknown_or_what_they_say():
    assert "seuls les serveurs" in worker_lines(report())[0]
    told = report(workers={"http://web:8000": "en mémoire"})
    assert worker_lines(told) == ["http://web:8000 : en mémoire"]


def test_no_way_of_showing_a_report_tells_an_id_or_an_owner():
    found = report(biggest=(row(owner="key:42"),))
    for shown in (json.dumps(found.to_json()), as_text(found), as_csv(found)):
        assert "secret-" not in shown
        assert "key:42" not in shown
        assert found.biggest[0].ref in shown


def test_text_has_columns_and_no_line_that_ends_in_spaces():
    lines = as_text(report()).splitlines()
    assert all(line == line.rstrip() for line in lines)
    kinds = [line for line in lines if line.endswith(("  3        0", "  2        0"))]
    assert len(kinds) == 2
    assert "cleanup_report --apply" in lines[-1]


def test_csv_can_be_read_back():
    rows = list(csv.DictReader(io.StringIO(as_csv(report()))))
    values = {(one["section"], one["name"]): one["value"] for one in rows}
    assert values["report", "active"] == "1234"
    assert values["orphans", "index"] == "3"
    assert values["quiet_s", "43200-"] == "1"
    assert sum(one["section"] == "biggest" for one in rows) == 10


def test_text_tells_what_photos_take_and_what_is_left():
    text = as_text(report())

    assert re.search(r"Photos +2,5\sGo sur 10\sGo\n", text)
    assert re.search(r"Place libre +40\sGo, plancher 500\sMo\n", text)
    assert re.search(r"Photos +inconnu\n", as_text(report(photos=None)))
    assert ["photos", "used_bytes", "2500000000"] in [
        row[:3] for row in csv.reader(as_csv(report()).splitlines())
    ]
