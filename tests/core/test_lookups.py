"""Look-ups of answers run side by side, and one that hangs holds up nobody."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, connection

from chat.assistant.prompt import with_photos
from chat.assistant.tools import TOOLS, use
from chat.assistant.tools.types import Tool, ToolContext
from chat.core.lookups import look_up
from chat.core.threads import SIZES
from chat.shop.photos.models import Photo
from chat.shop.photos.processor import PHOTO_PROCESSOR
from chat.web.admission import PhotosAway, count_photo
from tests.assistant.tools.conftest import session_of
from tests.hanging import endless

MAX_THREADS = SIZES["lookup"]

pytestmark = pytest.mark.django_db(transaction=True)

#: It never ends by itself.
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
AWAY = {"error": "Cette recherche n'est pas possible pour le moment."}


def value_of(sql: str, before: Any = None) -> Any:
    with connection.cursor() as cursor:
        if before is not None:
            before()
        cursor.execute(sql)
        return cursor.fetchone()[0]


async def test_as_many_as_there_are_threads_run_at_once():
    all_there = threading.Barrier(MAX_THREADS, timeout=20)

    found = await asyncio.gather(
        *(
            look_up(value_of, f"SELECT {n}", all_there.wait, longest_s=20)
            for n in range(MAX_THREADS)
        )
    )

    assert found == list(range(MAX_THREADS))


async def test_reads_that_hang_are_given_up_and_their_threads_serve_others():
    hung = [look_up(value_of, ENDLESS, longest_s=0.2) for _ in range(MAX_THREADS)]

    failed = await asyncio.gather(*hung, return_exceptions=True)

    assert [type(error) for error in failed] == [TimeoutError] * MAX_THREADS
    assert await look_up(value_of, "SELECT 7", longest_s=20) == 7


async def test_read_that_nobody_waits_for_any_more_is_given_up():
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    reads = [
        asyncio.ensure_future(
            look_up(value_of, ENDLESS, lambda: loop.call_soon_threadsafe(begun.set), longest_s=20)
        )
        for _ in range(MAX_THREADS)
    ]
    await begun.wait()
    for read in reads:
        read.cancel()

    assert await look_up(value_of, "SELECT 7", longest_s=20) == 7


async def test_connections_are_closed_behind_a_read():
    def read() -> Any:
        value_of("SELECT 1")
        return connection

    used = await look_up(read)

    assert used.connection is None


async def question_with_photos(settings: Any) -> None:
    settings.ENV = replace(settings.ENV, openai_vision="on")
    session = session_of("Bonjour")
    prompt: list[Any] = [{"role": "user", "content": "Bonjour"}]
    assert await with_photos(prompt, session) == prompt


async def photo_that_comes(_settings: Any) -> None:
    with pytest.raises(PhotosAway):
        await count_photo("camille", "", 1)


@pytest.mark.parametrize("work", [question_with_photos, photo_that_comes])
async def test_work_whose_database_hangs_leaves_the_threads_of_the_worker_free(work, settings):
    many = (os.cpu_count() or 1) + 6  # more than asyncio has threads
    PHOTO_PROCESSOR.get().quota.forget()
    with endless(Photo):
        await asyncio.gather(*(work(settings) for _ in range(many)))

        other = asyncio.create_task(asyncio.to_thread(lambda: "served"))
        await asyncio.wait({other}, timeout=10)

        assert other.done(), "calls that hang took the threads of everybody else"


def tool_that(run: Any) -> Tool:
    return Tool(name="slow", label="…", description="…", parameters={}, run=run)


async def test_tool_that_hangs_says_so_and_the_log_names_it_without_arguments(caplog):
    async def hang(_arguments: Any, _session: Any) -> Any:
        await asyncio.Event().wait()

    told = await use(
        tool_that(hang),
        '{"q": "camille@example.fr"}',
        ToolContext(session_of(), ""),
        longest_s=0.05,
    )

    assert told == AWAY
    assert "tool slow failed" in caplog.text
    assert "camille" not in caplog.text


async def test_tool_whose_database_fails_repeats_nothing_in_the_log(caplog):
    async def fail(arguments: Any, _session: Any) -> Any:
        raise DatabaseError(f"no such row: {arguments['q']}")

    with caplog.at_level(logging.INFO):
        told = await use(
            tool_that(fail), '{"q": "camille@example.fr"}', ToolContext(session_of(), "")
        )

    assert told == AWAY
    assert "tool slow failed: DatabaseError" in caplog.text
    assert "camille" not in caplog.text


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_no_tool_reads_in_the_thread_that_all_share(tool: Tool):
    module = __import__(tool.run.__module__, fromlist=["_run"])

    assert not hasattr(module, "database_sync_to_async")
