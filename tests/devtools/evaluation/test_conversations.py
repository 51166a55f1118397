"""The whole set, against the local assistant: what ``manage.py evaluate`` plays without a key."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from channels.db import database_sync_to_async

from chat.assistant.llm import MODEL_URL
from chat.core import runtime
from devtools.evaluation.cache import AnswerCache
from devtools.evaluation.reading import read_conversations
from devtools.evaluation.recording import RecordingLLM
from devtools.evaluation.runner import MissingData, Plan, play
from devtools.evaluation.sandbox import (
    EVALUATED_LLM,
    NEVER_S,
    SHOP_EMAIL,
    SHOP_PHONE,
    answering,
    load_demonstration,
    played_clock,
)
from devtools.evaluation.types import CATEGORIES
from devtools.local_assistant.server import INSTANT, start
from tests.backends import use_redis
from tests.devtools.evaluation.builders import one_in
from tests.runtime import started_worker

USUAL = Plan()


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """A line for each turn would bury what a conversation failed of."""
    caplog.set_level(logging.ERROR, logger="chat")


@pytest.fixture(autouse=True)
def _sandbox(settings: Any) -> None:
    """What the environment of the sandbox says, but for the database and the files."""
    use_redis(settings, "memory://")
    settings.ENV = replace(
        settings.ENV, session_ttl_s=NEVER_S, shop_email=SHOP_EMAIL, shop_phone=SHOP_PHONE
    )


async def played_here(
    conversations: list[Any],
    plan: Plan = USUAL,
    cache: AnswerCache | None = None,
) -> list[Any]:
    """Play them against the local assistant, in a worker of this process."""
    await database_sync_to_async(load_demonstration)()
    async with AsyncExitStack() as stage:
        server = await start(pace=INSTANT)
        stage.push_async_callback(server.close)
        at_server = runtime.override(MODEL_URL.to(server.url))
        for part in (started_worker(), at_server, played_clock()):
            stage.enter_context(part)
        stage.enter_context(answering(RecordingLLM(EVALUATED_LLM.get, "local", cache)))
        stage.push_async_callback(runtime.current().aclose)
        return await play(conversations, plan)


@pytest.mark.django_db(transaction=True)
async def test_local_assistant_holds_every_conversation():
    conversations = read_conversations()
    assert len(conversations) >= 60

    played = await played_here(conversations)

    failures = [f"{one.name}, {reason}" for one in played for reason in one.failures]
    assert not failures, "\n".join(failures)
    assert [one.name for one in played] == [one.name for one in conversations]


def test_every_category_has_conversations():
    counted = Counter(one.category for one in read_conversations())

    assert {name for name in CATEGORIES if counted[name] < 2} == set()


@pytest.mark.django_db(transaction=True)
async def test_second_run_is_answered_from_the_cache(tmp_path):
    """Nothing in a prompt may differ from one run to the next: no id, no moment."""
    by_category = {one.category: one for one in read_conversations()}
    some = list(by_category.values())

    first, second = [
        await played_here(some, cache=AnswerCache(tmp_path / "answers.jsonl")) for _ in range(2)
    ]

    assert sum(one.asked for one in first) > len(some)
    # The number of a ticket is the database's, and goes on.
    asked = [one for one in second if "ticket" not in one.name]
    assert {one.name: one.asked for one in asked if one.asked} == {}
    assert [one.answers for one in asked] == [
        one.answers for one in first if "ticket" not in one.name
    ]


@pytest.mark.django_db(transaction=True)
async def test_conversation_that_does_not_hold_says_why(tmp_path):
    text = """
- name: one
  category: human
  today: 2026-11-22T15:00
  turns:
    - customer: "Je veux parler à un conseiller"
      expect: {asked: false, announces: ["samedi"], rows: {tickets: 1}, tools: [find_order]}
"""
    (played,) = await played_here([one_in(tmp_path, text)])

    assert not played.passed
    told = "\n".join(played.failures)
    assert "appelle find_order() — appels : ask_for_human" in told
    assert "tickets : 1 — il y en a 0" in told
    assert "aucun conseiller demandé — c'est le contraire" in told
    assert "l'application annonce /samedi/" in told
    assert "lundi 23 novembre" in told  # it was played on a Sunday


@pytest.mark.django_db(transaction=True)
async def test_conversation_that_does_not_end_is_given_up(tmp_path):
    text = (
        "- name: one\n  category: advice\n  turns:\n    - customer: '[[panne:silence]] Bonjour'\n"
    )

    (played,) = await played_here([one_in(tmp_path, text)], Plan(timeout_s=0.2))

    assert not played.passed
    assert played.trouble == "pas finie après 0.2 s"


@pytest.mark.django_db(transaction=True)
async def test_data_that_is_missing_is_said_before_anything_is_played(tmp_path):
    text = (
        "- name: one\n  category: advice\n  setup: {products: [SAL-CAP-999]}\n"
        "  turns:\n    - customer: Bonjour\n"
    )

    with pytest.raises(MissingData, match="SAL-CAP-999"):
        await played_here([one_in(tmp_path, text)])
