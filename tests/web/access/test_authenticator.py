from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from asgiref.sync import sync_to_async

from chat.core.errors import AssistantUnavailable, Unauthorized
from chat.web.access import authenticator
from chat.web.access.authenticator import ApiKeyAuthenticator
from chat.web.access.keys import NewKey, new_key
from chat.web.access.models import ApiKey
from chat.web.access.queries import KnownKey
from chat.web.access.services import create_key, revoke_keys
from tests.hanging import endless

acreate_key = sync_to_async(create_key)
arevoke_keys = sync_to_async(revoke_keys)


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class KeyTable:
    """API keys of a database that fails and hangs when told."""

    rows: dict[str, KnownKey] = field(default_factory=dict)
    asked: int = 0
    error: Exception | None = None
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    def add(self) -> NewKey:
        key = new_key()
        id_ = len(self.rows) + 1
        self.rows[key.prefix] = KnownKey(id_, f"key:{id_}", key.secret_hash)
        return key

    async def find(self, prefix: str) -> KnownKey | None:
        self.asked += 1
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        return self.rows.get(prefix)

    async def note(self, key_id: int) -> None:
        if self.error is not None:
            raise self.error


@pytest.fixture
def table() -> KeyTable:
    return KeyTable()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api_keys(table: KeyTable, clock: Clock) -> ApiKeyAuthenticator:
    return ApiKeyAuthenticator(table.find, table.note, clock)


@pytest.mark.django_db(transaction=True)
async def test_gate_reads_the_database_and_notes_the_use():
    row, text = await acreate_key("site web")
    api_keys = ApiKeyAuthenticator()

    assert await api_keys.owner_of(text) == f"key:{row.pk}"
    await api_keys.settle()
    first = (await ApiKey.objects.aget(pk=row.pk)).last_used_at
    await api_keys.owner_of(text)
    await api_keys.settle()

    assert first is not None
    assert (await ApiKey.objects.aget(pk=row.pk)).last_used_at == first


@pytest.mark.django_db(transaction=True)
async def test_a_revoked_key_is_refused_by_a_worker_that_knew_it(clock):
    row, text = await acreate_key("site web")
    api_keys = ApiKeyAuthenticator(clock=clock)
    await api_keys.owner_of(text)

    await arevoke_keys([row.pk])
    clock.now_s = authenticator.FRESH_S

    with pytest.raises(Unauthorized):
        await api_keys.owner_of(text)
    with pytest.raises(Unauthorized):
        await api_keys.owner_of(text)
    await api_keys.settle()


async def test_another_secret_is_refused_and_the_right_one_goes_on(api_keys, table):
    key = table.add()
    wrong = f"mdf_{key.prefix}_{'a' * 43}"
    await api_keys.owner_of(key.text)

    for text in (wrong, "nonsense", "", f"mdf_{'0' * 12}_{'a' * 43}"):
        with pytest.raises(Unauthorized):
            await api_keys.owner_of(text)

    assert not api_keys.knows(wrong)
    assert api_keys.knows(key.text)
    assert await api_keys.owner_of(key.text) == "key:1"


async def test_the_database_is_asked_once_in_a_while(api_keys, table, clock):
    key = table.add()

    for clock.now_s in (0, 0.2, 0.4, 1.5, 1.6, 1.9, 2.5):
        await api_keys.owner_of(key.text)

    assert table.asked == 3


async def test_who_asks_often_never_waits_for_the_database(api_keys, table, clock):
    key = table.add()
    await api_keys.owner_of(key.text)
    table.answers.clear()

    for clock.now_s in (0.6, 0.8, 1.0):
        assert await api_keys.owner_of(key.text) == "key:1"
    table.answers.set()
    await api_keys.settle()

    assert table.asked == 2, "one asks for all"


async def test_key_revoked_meanwhile_is_refused_as_soon_as_the_database_says_so(
    api_keys, table, clock
):
    key = table.add()
    await api_keys.owner_of(key.text)
    del table.rows[key.prefix]
    clock.now_s = 0.6

    await api_keys.owner_of(key.text)
    await api_keys.settle()

    with pytest.raises(Unauthorized):
        await api_keys.owner_of(key.text)


async def test_one_asks_again_while_the_others_go_on(api_keys, table, clock):
    key = table.add()
    await api_keys.owner_of(key.text)
    clock.now_s = authenticator.FRESH_S
    table.answers.clear()

    asking = asyncio.create_task(api_keys.owner_of(key.text))
    await asyncio.sleep(0)
    others = [await api_keys.owner_of(key.text) for _ in range(10)]
    table.answers.set()

    assert others == ["key:1"] * 10
    assert await asking == "key:1"
    assert table.asked == 2


async def test_known_keys_outlive_an_outage_for_a_while(api_keys, table, clock):
    key, unseen = table.add(), table.add()
    await api_keys.owner_of(key.text)
    table.error = ConnectionError("down")

    for clock.now_s in (6, 100, 300):
        assert await api_keys.owner_of(key.text) == "key:1"
    with pytest.raises(AssistantUnavailable) as refused:
        await api_keys.owner_of(unseen.text)
    clock.now_s = 307
    with pytest.raises(AssistantUnavailable):
        await api_keys.owner_of(key.text)
    table.error = None

    assert refused.value.retry_after_s == authenticator.RETRY_AFTER_S
    assert await api_keys.owner_of(key.text) == "key:1"


async def test_a_database_that_hangs_is_away(table, clock):
    api_keys = ApiKeyAuthenticator(table.find, table.note, clock, longest_query_s=0.05)
    key = table.add()
    await api_keys.owner_of(key.text)
    clock.now_s = authenticator.FRESH_S
    table.answers.clear()

    assert await api_keys.owner_of(key.text) == "key:1"
    table.answers.set()


@pytest.mark.django_db(transaction=True)
async def test_queries_that_hang_are_given_up_and_their_threads_serve_others():
    row, text = await acreate_key("site web")
    with endless(ApiKey):
        hung = [ApiKeyAuthenticator(longest_query_s=0.2).owner_of(text) for _ in range(4)]
        failed = await asyncio.gather(*hung, return_exceptions=True)

    assert [type(error) for error in failed] == [AssistantUnavailable] * 4
    api_keys = ApiKeyAuthenticator(longest_query_s=20)
    assert await api_keys.owner_of(text) == f"key:{row.pk}"
    await api_keys.settle()
