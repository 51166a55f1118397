"""Every test that ``docs/security.md`` leans on exists, and every line of defence names one."""

from __future__ import annotations

import ast
import re

import pytest

from meuble_project.env import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def test_page_names_tests():
    assert len(NAMED) > 50


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_named_test_exists(path, name):
    tree = ast.parse((ROOT / path).read_text())
    functions = [
        node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    assert name in {function.name for function in functions}


def test_every_line_of_defence_is_held():
    rows = re.findall(r"^\| (.+?) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    heads = [n for n, row in enumerate(rows) if row == ("line of defence", "held by")]
    licences = rows.index(("licence", "packages"))

    for what, held_by in rows[heads[0] : licences]:
        if (what, held_by) != ("line of defence", "held by") and "---" not in what:
            assert re.fullmatch(r"`tests/[\w/]+\.py::\w+`", held_by), what
