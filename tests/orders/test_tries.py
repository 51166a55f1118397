from __future__ import annotations

import pytest
import redis

from chat import limits
from chat.orders import tries
from chat.orders.tries import note_wrong, wait_before_trying
from tests.backends import use_redis
from tests.redis_server import RedisServer

NUMBER = "CMD-2025-54321"


def another_worker() -> None:
    """Forget what a process counts by itself, as one that was just started."""
    limits.default_counter.cache_clear()
    tries.own_counter.cache_clear()


@pytest.fixture(params=["memory", "redis"])
def _backend(request, settings) -> None:
    if request.param == "redis":
        use_redis(settings, request.getfixturevalue("flushed_redis"))


async def guess(session_id: str, count: int, start: int = 0, number: str = NUMBER) -> None:
    await note_wrong(session_id, number, [f"{guess:05}" for guess in range(start, start + count)])


@pytest.mark.usefixtures("_backend")
async def test_five_wrong_proofs_close_a_conversation_for_an_hour():
    await guess("camille", 4)
    assert await wait_before_trying("camille", NUMBER) == 0

    await guess("camille", 1, start=4)

    assert 3500 < await wait_before_trying("camille", NUMBER) <= 3600
    assert await wait_before_trying("camille", "CMD-2026-10001") > 0
    assert await wait_before_trying("zoe", NUMBER) == 0


@pytest.mark.usefixtures("_backend")
async def test_asking_counts_nothing():
    for _ in range(20):
        assert await wait_before_trying("camille", NUMBER) == 0


@pytest.mark.usefixtures("_backend")
async def test_the_same_guess_again_is_counted_once():
    for _ in range(9):
        await guess("camille", 1)

    assert await wait_before_trying("camille", NUMBER) == 0
    await guess("camille", 4, start=1)
    assert await wait_before_trying("camille", NUMBER) > 0


@pytest.mark.usefixtures("_backend")
async def test_new_cookies_give_no_new_guesses_for_a_number():
    for visitor in range(5):
        await guess(f"zoe-{visitor}", 4, start=visitor * 4)

    assert await wait_before_trying("zoe-9", NUMBER) > 3600
    assert await wait_before_trying("zoe-9", "CMD-2026-10001") == 0


async def test_workers_count_together(settings, flushed_redis):
    use_redis(settings, flushed_redis)
    await guess("camille", 3)
    another_worker()
    await guess("camille", 2, start=3)
    another_worker()

    assert await wait_before_trying("camille", NUMBER) > 0


async def test_a_worker_counts_by_itself_while_redis_is_away(settings, tmp_path):
    server = RedisServer(tmp_path)
    server.start()
    use_redis(settings, server.url)
    await guess("camille", 3)
    server.kill()

    await guess("camille", 2, start=3)

    assert await wait_before_trying("camille", NUMBER) > 0
    assert await wait_before_trying("zoe", NUMBER) == 0


async def test_nothing_in_redis_names_anybody(settings, flushed_redis):
    use_redis(settings, flushed_redis)
    await note_wrong("camille-session", NUMBER, ["camille@example.fr"])

    with redis.Redis.from_url(flushed_redis, decode_responses=True) as client:
        keys = client.keys()
        assert len(keys) == 3
        assert all(0 < client.ttl(key) <= 86_400 for key in keys)
    assert not [key for key in keys if "camille" in key or "54321" in key]
    assert all(key.startswith("chat:rate:order-") for key in keys)
