from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from asgiref.sync import sync_to_async

from chat.assistant.llm import LLM_CLIENT
from chat.core import runtime
from chat.core.clock import now
from chat.shop.catalog.models import Product
from devtools.evaluation.sandbox import (
    EVALUATED_LLM,
    NEVER_S,
    SHOP_EMAIL,
    SHOP_PHONE,
    answering,
    is_sandbox,
    load_demonstration,
    played_clock,
    playing_at,
    sandbox_variables,
)
from devtools.evaluation.types import USUAL_MOMENT
from meuble_project import backends
from meuble_project.env import ROOT, read_env
from tests.fakes import FakeLLM

MAY = datetime(2024, 5, 1, 8, tzinfo=UTC)
JUNE = datetime(2025, 6, 1, 8, tzinfo=UTC)


async def told(moment):
    playing_at.set(moment)
    await asyncio.sleep(0)
    in_a_thread = await sync_to_async(now)()
    return now(), in_a_thread


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


@pytest.mark.parametrize("name", ["evaluate-x1", "été 100 %?#"])
def test_data_is_apart_whatever_the_environment_says(tmp_path, name):
    folder = tmp_path / name
    shop = {
        "DEBUG": "1",
        "REDIS_URL": "redis://:secret@shop/0",
        "REDIS_SENTINELS": "sentinel.test:26379",
        "CHANNEL_LAYER_URLS": "redis://layer.test/0",
        "DATABASE_URL": "postgres://shop:secret@db.test/shop",
        "MEDIA_DIR": "/srv/media",
        "EMAIL_URL": "smtp://mail.test",
        "SESSION_TTL_S": "60",
    }
    env = read_env({**shop, **sandbox_variables(folder)})

    assert env.redis_url == "memory://"
    assert env.redis_sentinels == env.channel_layer_urls == ()
    assert backends.database_for(env.database_url, ROOT)["NAME"] == str(folder / "db.sqlite3")
    assert ROOT / env.media_dir == folder / "media"
    assert env.email_url == "console://"
    assert env.session_ttl_s == NEVER_S
    assert (env.shop_email, env.shop_phone) == (SHOP_EMAIL, SHOP_PHONE)


@pytest.mark.parametrize(
    "name, of_the_shop",
    [
        ("REDIS_URL", "redis://127.0.0.1:1/0"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "sqlite:////srv/db.sqlite3"),
        ("DATABASE_URL", "postgres://shop:secret@127.0.0.1:1/shop"),
        ("MEDIA_DIR", "/srv/media"),
        ("MEDIA_DIR", ""),
    ],
)
def test_data_of_the_shop_is_no_sandbox(tmp_path, name, of_the_shop):
    variables = {"DEBUG": "1", **sandbox_variables(tmp_path)}

    assert is_sandbox(read_env(variables), tmp_path)
    assert not is_sandbox(read_env({**variables, name: of_the_shop}), tmp_path)


async def test_turns_ask_the_model_that_notes_and_it_the_evaluated_one():
    llm = FakeLLM()

    with answering(llm):
        assert LLM_CLIENT.get() is llm
        assert EVALUATED_LLM.get() is not llm

    assert LLM_CLIENT.get() is not llm
    await runtime.current().aclose()


@pytest.mark.django_db(transaction=True)
def test_stocks_of_the_demonstration_were_counted_on_the_usual_day():
    with played_clock():
        token = playing_at.set(MAY)
        load_demonstration()
        playing_at.reset(token)

    assert {at.date() for at in Product.objects.values_list("stock_at", flat=True)} == {
        (USUAL_MOMENT.replace(hour=0)).astimezone(UTC).date()
    }
