from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from chat.assistant import attempt
from chat.catalog.models import Product
from chat.evaluation.stage import (
    answering,
    load_demonstration,
    own_memory,
    played_clock,
    playing_at,
)
from chat.evaluation.types import USUAL_MOMENT
from chat.sessions import store as stores
from chat.sessions.memory_store import MemoryStore
from chat.sessions.types import now
from tests.fakes import FakeLLM

MAY = datetime(2024, 5, 1, 8, tzinfo=UTC)
JUNE = datetime(2025, 6, 1, 8, tzinfo=UTC)


async def told(moment):
    playing_at.set(moment)
    await asyncio.sleep(0)
    here = await database_sync_to_async(timezone.now)()
    return now(), here


async def test_each_conversation_has_a_clock_of_its_own():
    with played_clock():
        clocks = await asyncio.gather(told(MAY), told(JUNE), told(None))

    assert clocks[:2] == [(MAY, MAY), (JUNE, JUNE)]
    assert all(moment > JUNE for moment in clocks[2])
    assert playing_at.get() is None


async def test_clock_is_the_real_one_afterwards():
    with played_clock():
        pass
    playing_at.set(MAY)

    assert now() > JUNE


def test_memory_is_apart_whatever_the_environment_says(settings):
    before = stores.default_store()

    with own_memory():
        inside = stores.default_store()
        assert isinstance(inside, MemoryStore)
        assert settings.ENV.redis_url == "memory://"
        assert inside is not before

    assert stores.default_store() is not inside


def test_model_is_given_back():
    llm, before = FakeLLM(), attempt.default_llm

    with answering(llm):
        assert attempt.default_llm() is llm

    assert attempt.default_llm is before


@pytest.mark.django_db(transaction=True)
def test_stocks_of_the_demonstration_were_counted_on_the_usual_day():
    with played_clock():
        token = playing_at.set(MAY)
        load_demonstration()
        playing_at.reset(token)

    assert {at.date() for at in Product.objects.values_list("stock_at", flat=True)} == {
        (USUAL_MOMENT.replace(hour=0)).astimezone(UTC).date()
    }
