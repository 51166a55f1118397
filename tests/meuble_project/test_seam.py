"""State of a worker is kept in its runtime only; patches and assigned settings are refused."""

from __future__ import annotations

import ast

import pytest

from tests.meuble_project.seam import OURS, Finding, Sources, assigned_settings, patches, state

#: What modules of the product keep all the same, and why.
STATE = {
    "chat.core.runtime: _slot": "where the runtime of the process is found",
    "chat.core.metrics": "Prometheus has one registry for each process, and its library reads it",
    "chat.conversations.markup: _markdown": (
        "a parser whose rules never change; a call keeps its state to itself"
    ),
}
#: Programs of tests that change the product on purpose, in a process that ends with them.
PLANTED = {"tests.faults.traps": "a worker that freezes or dies at a step of the store"}


@pytest.fixture(scope="module")
def sources() -> Sources:
    return Sources.below(*OURS, "tests")


def test_no_name_of_ours_is_patched(sources):
    found = [str(one) for one in patches(sources) if one.module not in PLANTED]
    assert not found, f"replace a part with `override(PART.to(…))`, or pass it in: {found}"


def test_no_module_of_the_product_keeps_state(sources):
    found = {one: _kept_as(one) for one in state(sources, "chat")}
    refused = [str(one) for one, kept in found.items() if not kept]
    assert not refused, f"declare a `Part` of chat/core/runtime.py instead: {refused}"
    assert set(found.values()) == set(STATE), "STATE names what is not there any more"


def _kept_as(found: Finding) -> str:
    names = (found.module, f"{found.module}: {found.what.partition(':')[0]}")
    return next((name for name in names if name in STATE), "")


def test_no_setting_is_assigned(sources):
    found = [str(one) for one in assigned_settings(sources)]
    assert not found, f"settings are read at the start; pass the value in: {found}"


# What is refused


def found_in(check, text: str, module: str = "chat.sample") -> list[str]:
    """Check one module that stands beside a few others of the product."""
    others = {
        "chat.live": "class Ear: ...\nKINDS = {}",
        "chat.values": "@dataclass(frozen=True)\nclass Time: ...\ndef table() -> dict[str, int]: 1",
    }
    trees = {name: ast.parse(source) for name, source in {**others, module: text}.items()}
    return [one.what for one in check(Sources(trees)) if one.module == module]


@pytest.mark.parametrize(
    "text",
    [
        'monkeypatch.setattr("chat.live.publish", None)',
        'monkeypatch.delattr("meuble_project.logs.redact")',
        'from chat import live\nmonkeypatch.setattr(live, "publish", None)',
        'from chat import live as l\nsetattr(l, "publish", None)',
        'from chat.live import Ear\nmonkeypatch.setattr(Ear, "close", None)',
        'from chat.live import EAR\nmonkeypatch.setattr(EAR.get(), "close", None)',
        'from chat import live\nmonkeypatch.setitem(live.KINDS, "a", 1)',
        'from devtools.bench import driver\nmonkeypatch.setattr(driver.Driver, "run", None)',
        'setattr(import_module(f"server.{name}"), "PING_S", 1)',
        "from chat import live\nlive.publish = None",
        "from chat.live import Ear\nEar.close, other = None, 1",
        "from chat import live\ndel live.publish",
        "from unittest import mock",
        "from unittest.mock import patch",
        "import pytest_mock",
    ],
)
def test_patch_is_found(text):
    assert len(found_in(patches, text, "tests.sample")) == 1


@pytest.mark.parametrize(
    "text",
    [
        'monkeypatch.setattr(socket, "getaddrinfo", None)',
        'monkeypatch.setenv("DEBUG", "1")',
        "from chat.live import Ear\near = Ear()\near.layer = None",
        "from chat.live import EAR\nwith override(EAR.to(None)): ...",
        "class Fake:\n    def __init__(self):\n        self.text = ''",
    ],
)
def test_other_replacements_are_left_alone(text):
    assert found_in(patches, text, "tests.sample") == []


@pytest.mark.parametrize(
    "text",
    [
        "_seen = {}",
        "_seen: list[str] = []",
        "_seen = set()",
        "_by_loop = {'a': {}}",
        "from weakref import WeakKeyDictionary\n_by_loop = WeakKeyDictionary()",
        "from threading import Lock\n_lock = Lock()",
        "from concurrent.futures import ThreadPoolExecutor\n_THREADS = ThreadPoolExecutor(2)",
        "from chat.live import Ear\n_ear = Ear()",
        "from chat import live\nPAIR = (1, live.Ear())",
        "def count():\n    global _count\n    _count = 1",
        "NAMES = {'a': 1}\ndef add(name):\n    NAMES[name] = 1",
        "NAMES = ['a']\ndef add(name):\n    NAMES.append(name)",
        "from chat.live import KINDS\ndef add():\n    KINDS.update(a=1)",
        "from functools import cache\n@cache\ndef store(): ...",
        "from functools import cache\n@cache\ndef stem(word): ...",
        "from functools import lru_cache\n@lru_cache\ndef store(): ...",
        "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef stem(word): ...",
        "stem.cache_clear()",
        "class Tab:\n    open = []",
    ],
)
def test_state_of_a_module_is_found(text):
    assert len(found_in(lambda sources: state(sources, "chat"), text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "LONGEST_S = 2.5\nNAMES = {'a': ['b']}\nKNOWN = frozenset(NAMES)",
        "from chat.core.runtime import Part\nSTORE: Part[int] = Part('store', dict)",
        "from chat.core.runtime import LoopPart\nLANES = LoopPart[dict]('lanes', dict)",
        "from chat.values import Time, table\nNOON, TABLE = Time(), table()",
        "from functools import lru_cache\n@lru_cache(maxsize=4)\ndef stem(word): ...",
        "NAMES = {'a': 1}\ndef copy(NAMES):\n    NAMES['b'] = 2",
        "import re, logging\nlogger = logging.getLogger(__name__)\n_WORD = re.compile('a')",
    ],
)
def test_constants_and_parts_are_left_alone(text):
    assert found_in(lambda sources: state(sources, "chat"), text) == []


@pytest.mark.parametrize(
    "text",
    [
        "from django.conf import settings\nsettings.DEBUG = True",
        "from django.conf import settings\nsettings.CACHES['default'] = {}",
        "from django.conf import settings\ndel settings.DEBUG",
        "from django.conf import settings as s\nsetattr(s, 'DEBUG', True)",
        "import django.conf\ndjango.conf.settings.DEBUG = True",
        "from django.test import override_settings",
        "from django.test.utils import override_settings",
    ],
)
def test_assigned_setting_is_found(text):
    assert len(found_in(assigned_settings, text)) == 1


def test_setting_that_is_read_is_left_alone():
    text = "from django.conf import settings\ndebug = settings.DEBUG\nself.settings = 1"
    assert found_in(assigned_settings, text) == []
