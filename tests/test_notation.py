from __future__ import annotations

import pytest

from tests.notation import BadNotation, Name, misfits, parse

SHAPES = {
    "PRICE": parse('{"euros": 5, "old"?: 6 | null}'),
    "sofa": parse('{"name", "kind": "sofa" | "bed", "at": "<street>" | "", "is_new": bool}'),
    "offer": parse('{…all of sofa…, "price": PRICE, "rows": [["a", 1]…]}'),
}
OFFER = {
    "name": "OSLO",
    "kind": "bed",
    "at": "Rennes",
    "is_new": True,
    "price": {"euros": 899, "old": None},
    "rows": [["b", 2], ["c", 3]],
}


def test_statement_is_read():
    assert parse('{"a": [X…] | null, "b"?}') == (
        {"a": ([(Name("X"),), Name("…")], Name("null")), "b?": ()},
    )


@pytest.mark.parametrize(
    "text",
    ["", "{", "{}", '{"a" "b"}', '{"a", "a"}', '{"a": }', "[1", '{"a"} "b"', '{"a": -1}', "{a}"],
)
def test_what_is_no_statement_is_refused(text):
    with pytest.raises(BadNotation):
        parse(text)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({}, None),
        ({"rows": []}, None),
        ({"price": {"euros": 5}}, None),
        ({"kind": "table"}, "offer.kind"),
        ({"is_new": 1}, "offer.is_new"),
        ({"price": {"euros": "5"}}, "offer.price.euros"),
        ({"price": {"euros": 5, "old": "6"}}, "offer.price.old"),
        ({"price": {}}, "offer.price.euros is documented"),
        ({"price": None}, "offer.price"),
        ({"rows": [["b", 2, 3]]}, "offer.rows[]"),
        ({"rows": {}}, "offer.rows"),
        ({"more": 1}, "offer.more is sent"),
    ],
)
def test_value_that_is_not_as_documented_is_told(changed, problem):
    found = list(misfits(SHAPES["offer"], OFFER | changed, SHAPES, "offer"))

    assert bool(found) == bool(problem)
    assert all(one.startswith(str(problem)) for one in found)


def test_field_of_the_base_may_not_be_missing():
    [problem] = misfits(
        SHAPES["offer"], {k: v for k, v in OFFER.items() if k != "name"}, SHAPES, "offer"
    )

    assert problem == "offer.name is documented, not sent"
