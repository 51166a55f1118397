from __future__ import annotations

from xml.etree import ElementTree

import pytest

from chat.catalog.drawings.draw import MAX_BYTES, draw
from chat.catalog.loader import DEMO_FILE, read_catalogue

ROWS = [row.values for row in read_catalogue(DEMO_FILE)]
SVG = "{http://www.w3.org/2000/svg}"
#: What a picture needs; no script, no style, no link, nothing from elsewhere.
SAFE = {f"{SVG}{name}" for name in ("svg", "title", "rect", "path", "ellipse")}


def picture(row) -> str:
    drawn = draw(row)
    assert drawn is not None
    return drawn


@pytest.mark.parametrize("row", ROWS, ids=[row["reference"] for row in ROWS])
def test_a_drawing_is_small_safe_and_named(row):
    text = picture(row)
    root = ElementTree.fromstring(text)  # noqa: S314 - made two lines above

    assert len(text.encode()) <= MAX_BYTES
    assert {element.tag for element in root.iter()} <= SAFE
    assert not any(
        name.startswith("on") or "href" in name for e in root.iter() for name in e.attrib
    )
    assert root.findtext(f"{SVG}title") == row["name"]
    assert len(list(root)) > 4


def test_no_two_products_look_alike():
    bodies = [picture(row).partition("</title>")[2] for row in ROWS]

    assert len(set(bodies)) == len(bodies)


def test_colour_and_size_change_the_drawing():
    row = next(row for row in ROWS if row["reference"] == "SAL-CAP-001")

    assert picture({**row, "colours": ["Rouge"]}) != picture(row)
    assert picture({**row, "width_mm": 1500}) != picture(row)


def test_a_name_cannot_bring_markup():
    text = picture({**ROWS[0], "name": "<script>&"})

    assert "<script>" not in text
    assert "<title>&lt;script>&amp;</title>" in text


@pytest.mark.parametrize("changes", [{"reference": "SAL-XXX-001"}, {"width_mm": None}])
def test_what_cannot_be_drawn_is_not(changes):
    assert draw({**ROWS[0], **changes}) is None
