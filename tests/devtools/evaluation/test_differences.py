from __future__ import annotations

from devtools.evaluation.differences import Changed, Last, compared, keep_run, read_last
from tests.devtools.evaluation.builders import played

OSLO = "Le canapé OSLO"


def test_run_is_compared_with_the_last_one(tmp_path):
    path = tmp_path / "keep" / "last.json"
    before = [
        played("breaks", OSLO, says="oslo"),
        played("heals", "Rien", says="oslo"),
        played("talks", "Bonjour"),
        played("same", "Bonjour"),
        played("left-out", "Bonjour"),
    ]
    keep_run(path, "m", before, "22/11/2026 10:00")
    now = [
        played("breaks", "Rien", says="oslo"),
        played("heals", OSLO, says="oslo"),
        played("talks", "Bonsoir"),
        played("same", "Bonjour"),
        played("fresh", "Bonjour"),
    ]

    last = read_last(path, "m")

    assert last is not None
    assert last.made_at == "22/11/2026 10:00"
    assert compared(now, last) == Changed(
        newly_failing=("breaks",),
        newly_passing=("heals",),
        texts={"breaks": (1,), "heals": (1,), "talks": (1,)},
        new=("fresh",),
    )
    assert not compared(before, last).any


def test_number_of_a_ticket_is_no_difference(tmp_path):
    path = tmp_path / "last.json"
    keep_run(path, "m", [played("one", "Demande SAV-2026-00002")], "lundi")

    last = read_last(path, "m")

    assert last is not None
    assert not compared([played("one", "Demande SAV-2026-00003")], last).any
    assert compared([played("one", "Demande CMD-2026-00003")], last).any


def test_partial_run_keeps_what_it_did_not_play(tmp_path):
    path = tmp_path / "last.json"
    keep_run(path, "m", [played("one"), played("two")], "lundi")
    keep_run(path, "m", [played("two", "Bonsoir")], "mardi")

    last = read_last(path, "m")

    assert last is not None
    assert {name: one["answers"] for name, one in last.results.items()} == {
        "one": ["Bonjour"],
        "two": ["Bonsoir"],
    }


def test_each_model_has_its_own_last_run(tmp_path):
    path = tmp_path / "last.json"
    keep_run(path, "m", [played("one")], "lundi")
    keep_run(path, "other", [played("two")], "mardi")

    assert read_last(path, "m") == Last("lundi", {"one": {"passed": True, "answers": ["Bonjour"]}})
    assert read_last(path, "none") is None


def test_file_of_another_kind_is_no_run(tmp_path):
    path = tmp_path / "last.json"
    for text in ("", "[]", '{"models": {"m": []}}', '{"models": {"m": {"results": {"a": 1}}}}'):
        path.write_text(text)
        assert read_last(path, "m") is None

    keep_run(path, "m", [played("one")], "lundi")
    assert read_last(path, "m") is not None
