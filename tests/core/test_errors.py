from __future__ import annotations

import json

from chat.core.errors import ChatError
from chat.web.api.problems import problem
from meuble_project.env import ROOT
from tests.documents import read_page


def every_error() -> list[type[ChatError]]:
    """Return the errors of the product, each before those that are derived from it."""
    errors: list[type[ChatError]] = [ChatError]
    for error in errors:
        errors += (one for one in error.__subclasses__() if not one.__module__.startswith("tests"))
    return errors


#: By code, the error whose sentence documents it: a derived one may have another sentence.
EVERY = {error.code: error for error in reversed(every_error())}
PAGE = read_page(ROOT / "docs" / "errors.md")


def test_docs_have_one_row_for_each_code():
    rows = [row[:3] for row in PAGE.rows("code", "HTTP", "sentence for the user", "when")]
    expected = {(f"`{code}`", str(error.status), error.message) for code, error in EVERY.items()}

    assert set(rows) - expected == set(), "documented, not in the code"
    assert expected - set(rows) == set(), "in the code, not documented"
    assert len(rows) == len(expected)


def test_docs_say_when_each_error_occurs():
    whens = {row[0]: row[-1] for row in PAGE.rows("code", "HTTP", "sentence for the user", "when")}

    assert [code for code, when in whens.items() if not when] == []


def test_docs_show_a_problem_as_the_api_answers_with_it():
    [example] = [block for block in PAGE.blocks if block.language == "json"]
    shown = json.loads("\n".join(example.lines))

    assert shown == json.loads(problem(EVERY[shown["code"]]()).content)


def test_errors_of_one_code_have_one_status():
    assert [error for error in every_error() if error.status != EVERY[error.code].status] == []
