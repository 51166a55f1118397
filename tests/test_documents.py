from __future__ import annotations

import re

import pytest

from meuble_project.env import ROOT
from tests.documents import Block, DamagedPage, Table, parse_page, read_page

PAGES = sorted(
    str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
)
SOUND = """# Shop

Sold by `sell`, see `buy`.

## Prices

| what | euros |
|---|---:|
| `chair` | 5 |
| a \\| b | 6 |

```json
{"chair": 5}
```
"""


@pytest.mark.parametrize("page", PAGES)
def test_no_page_of_ours_is_damaged(page):
    assert read_page(ROOT / page).name


def test_pages_are_found():
    assert {"README.md", "docs/errors.md", "docs/security.md", "docs/protocol.md"} <= set(PAGES)


def test_page_is_read():
    page = parse_page("shop.md", SOUND)

    assert page.tables == [
        Table("Prices", ("what", "euros"), (("`chair`", "5"), ("a \\| b", "6"))),
    ]
    assert page.blocks == [Block("Prices", "json", ('{"chair": 5}',))]
    assert page.quoted == ["sell", "buy", "chair"]
    assert page.rows("what", "euros") == [("`chair`", "5"), ("a \\| b", "6")]


@pytest.mark.parametrize(
    ("old", "new", "line", "why"),
    [
        ("| `chair` | 5 |", "| `chair` | 5", 9, "begins and ends with"),
        ("| `chair` | 5 |", "`chair` | 5 |", 9, "begins and ends with"),
        ("| `chair` | 5 |", "- `chair`: 5", 7, "a header"),
        ("| `chair` | 5 |", "| `chair` 5 |", 9, "1 cells"),
        ("| `chair` | 5 |", "| `chair` | 5 | 6 |", 9, "3 cells"),
        ("| `chair` | 5 |", "| `chair | 5 |", 9, "backtick"),
        ("| `chair` | 5 |\n", "| `chair` | 5 |\n\n", 11, "a header"),
        ("|---|---:|\n", "", 7, "a header"),
        ("|---|---:|", "|---|", 8, "columns"),
        ("| what | euros |\n", "", 7, "a header"),
        ("```json", "```json of it", 12, "no fence"),
        ("```json", "", 14, "no end"),
        ("}\n```\n", "}\n", 12, "no end"),
        ("}\n```\n", "}\n```json\n", 14, "inside of another"),
        ("see `buy`", "see `buy", 3, "backtick"),
    ],
)
def test_damaged_page_is_refused_with_its_line(old, new, line, why):
    assert SOUND.count(old) == 1

    with pytest.raises(DamagedPage, match=rf"^shop\.md:{line}: .*{re.escape(why)}"):
        parse_page("shop.md", SOUND.replace(old, new))


def test_table_that_is_gone_is_missed():
    page = parse_page("shop.md", SOUND)

    with pytest.raises(AssertionError, match=r"shop\.md has no table \('what', 'price'\)"):
        page.rows("what", "price")
