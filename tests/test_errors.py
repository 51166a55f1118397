from __future__ import annotations

import re
from pathlib import Path

from chat.errors import OF_PHOTOS, OF_THE_DESK, OF_TICKETS, ChatError
from chat.views.problems import ALL_BY_CODE

EVERY = {**ALL_BY_CODE, **OF_THE_DESK, **OF_PHOTOS, **OF_TICKETS}
DOCS = Path(__file__).parent.parent / "docs" / "errors.md"
ROW = re.compile(r"^\| `(\w+)` \| (\d+) \| (.+?) \| (.+) \|$", re.MULTILINE)


def test_docs_have_one_row_for_each_code():
    rows = {
        code: (int(status), said) for code, status, said, _when in ROW.findall(DOCS.read_text())
    }

    assert rows == {code: (error.status, error.message) for code, error in EVERY.items()}


def test_every_error_has_a_code_of_the_table():
    errors = [ChatError]
    for error in errors:
        errors += error.__subclasses__()

    assert {error.code for error in errors} == set(EVERY)
    assert {error.code: error.status for error in errors} == {
        code: error.status for code, error in EVERY.items()
    }
