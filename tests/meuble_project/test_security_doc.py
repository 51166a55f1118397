"""Every test that ``docs/security.md`` leans on exists, and every line of defence names one."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from meuble_project.env import ROOT
from tests.documents import read_page

PAGE = read_page(ROOT / "docs" / "security.md")
DEFENCES = PAGE.rows("line of defence", "held by")
TEST = re.compile(r"`(tests/[\w/]+/test_\w+\.py|tests/test_\w+\.py)::(test_\w+)`")
NAMED = sorted({match.groups() for _, held in DEFENCES if (match := TEST.fullmatch(held))})


def test_page_has_these_tables_and_no_others():
    assert {table.columns for table in PAGE.tables} == {
        ("attacker", "goal", "attack surface"),
        ("line of defence", "held by"),
        ("licence", "packages"),
    }


def test_every_line_of_defence_is_held_by_one_test():
    assert [(what, held) for what, held in DEFENCES if not what or not TEST.fullmatch(held)] == []
    assert len(NAMED) > 50


def test_whatever_is_quoted_as_a_test_has_the_form_of_one():
    named = [f"`{words}`" for words in PAGE.quoted if "::" in words or "/test_" in words]
    own = ["`tests/meuble_project/test_security_doc.py`"]

    assert [words for words in named if not TEST.fullmatch(words) and words not in own] == []


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_named_test_exists(path, name):
    assert name in functions_of(path)


@cache
def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
