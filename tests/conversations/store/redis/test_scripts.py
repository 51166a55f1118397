"""What each Lua script is made of: Redis makes every function in it anew each time it runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chat.conversations.store.redis import scripts as redis_scripts
from chat.conversations.store.redis.scripts import scripts

COMMON = Path(redis_scripts.__file__).with_name("lua") / "common.lua"
FUNCTION = re.compile(r"^local function (\w+)", re.MULTILINE)
SHARED = FUNCTION.findall(COMMON.read_text())


def _code(source: str) -> str:
    return re.sub(r"--.*", "", source)


@pytest.mark.parametrize("sha", sorted(scripts()))
def test_a_script_has_each_shared_function_that_it_names_and_no_other(sha):
    source = _code(scripts()[sha])
    has = [name for name in FUNCTION.findall(source) if name in SHARED]

    assert has == sorted(set(has), key=SHARED.index), "once each, in the order of common.lua"
    for name in SHARED:
        first = re.search(rf"\b{name}\b", source)
        told = f"{name}: named {first.start() if first else 'nowhere'} in {source[-300:]}"
        assert (first is not None) == (name in has), told
        if first is not None:
            assert source[: first.start()].endswith("local function "), f"used before: {name}"
            assert len(re.findall(rf"\b{name}\b", source)) > 1, f"used by nothing: {name}"


def test_what_each_piece_of_an_answer_runs_has_next_to_nothing_of_what_is_shared():
    (write,) = [source for source in scripts().values() if "SETRANGE', DRAFT" in source]

    assert len(FUNCTION.findall(write)) < len(SHARED) / 5
