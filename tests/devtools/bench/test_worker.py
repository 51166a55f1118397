from __future__ import annotations

import pytest

from devtools.bench.worker import place_of


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/shop/.venv/lib/python3.11/site-packages/openai/_streaming.py", "openai"),
        ("/shop/.venv/lib/python3.11/site-packages/typing_extensions.py", "typing_extensions"),
        ("/shop/chat/assistant/guard/filter.py", "chat.assistant"),
        ("/shop/chat/tasks.py", "chat.tasks"),
        ("/shop/server/http.py", "server.http"),
        ("/usr/lib/python3.11/asyncio/events.py", "asyncio"),
        ("/usr/lib/python3.11/selectors.py", "selectors"),
        ("<frozen importlib._bootstrap>", "Python"),
    ],
)
def test_place_is_the_package_that_the_code_belongs_to(path, expected):
    assert place_of(path) == expected
