from __future__ import annotations

import asyncio
import threading
import uuid

import pytest
from channels.db import database_sync_to_async
from django.db import IntegrityError, OperationalError

from chat.conversations.handover.models import ContactRequest
from tests import database

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = ContactRequest._meta.db_table


def leave() -> None:
    address = f"camille-{uuid.uuid4().hex[:8]}@example.test"
    ContactRequest.objects.create(session_ref="1", email=address)


def count() -> int:
    return ContactRequest.objects.count()


def in_thread_of_its_own(function):
    return database_sync_to_async(function, thread_sensitive=False)()


def in_django_s_thread(function):
    return database_sync_to_async(function)()


@pytest.mark.parametrize("ask", [in_thread_of_its_own, in_django_s_thread])
async def test_statements_of_every_thread_are_refused_and_then_run_again(ask):
    await ask(leave)
    with database.refusing(f'INSERT INTO "{TABLE}"'):
        with pytest.raises(OperationalError):
            await ask(leave)
        assert await ask(count) == 1
    await ask(leave)
    assert await ask(count) == 2


def test_statements_of_the_test_are_refused_with_the_error_it_names():
    count()  # connected
    with database.refusing(TABLE, IntegrityError("twice")), pytest.raises(IntegrityError):
        count()
    assert count() == 0


async def test_statement_hangs_until_it_is_freed():
    freed = threading.Event()
    with database.hanging(TABLE, freed) as waits:
        asking = asyncio.create_task(in_thread_of_its_own(count))
        await asyncio.to_thread(waits.wait, database.LONGEST_S)
        assert not asking.done()
        freed.set()
        assert await asking == 0


async def test_statement_that_hangs_is_freed_at_the_end_of_the_block():
    with database.hanging(TABLE) as waits:
        asking = asyncio.create_task(in_thread_of_its_own(count))
        await asyncio.to_thread(waits.wait, database.LONGEST_S)
        assert not asking.done()
    assert await asking == 0


async def test_act_comes_once_before_the_statement():
    with database.before("SELECT COUNT(*)", leave):
        assert [await in_thread_of_its_own(count) for _ in range(2)] == [1, 1]
    assert await in_thread_of_its_own(count) == 1


def test_acting_on_the_database_is_not_intercepted_itself():
    seen = []

    def note(sql: str) -> None:
        seen.append(sql)
        leave()

    count()
    with database.intercepting(note):
        count()
    assert len(seen) == 1
