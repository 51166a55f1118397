from __future__ import annotations

import pytest
import redis

from chat.shop.orders import attempts
from chat.shop.orders.attempts import note_wrong
from devtools.redis_server import RedisServer
from tests.backends import use_redis

NUMBER = "CMD-2025-54321"


@pytest.fixture(params=["memory", "redis"])
def _backend(request, settings) -> None:
    if request.param == "redis":
        use_redis(settings, request.getfixturevalue("flushed_redis"))


async def guess(
    session_id: str, count: int, start: int = 0, number: str = NUMBER, address: str = ""
) -> None:
    guesses = [f"zoe-{number}@example.fr" for number in range(start, start + count)]
    await note_wrong(session_id, number, guesses, address)


async def wait_before_trying(
    session_id: str, number: str, guess: str = "camille@example.fr", address: str = ""
) -> int:
    return await attempts.wait_before_trying(session_id, number, [guess], address)


@pytest.mark.usefixtures("_backend")
async def test_new_cookies_and_new_numbers_give_no_new_guesses_from_an_address():
    for visitor in range(20):
        number = f"CMD-2025-{visitor:05}"
        await guess(f"zoe-{visitor}", 1, visitor, number, address="192.0.2.7")
    assert await wait_before_trying("zoe-new", "CMD-2025-99999", address="192.0.2.7") > 3600

    assert await wait_before_trying("camille", "CMD-2025-99999", address="192.0.2.8") == 0
    assert await wait_before_trying("camille", "CMD-2025-99999") == 0


@pytest.mark.usefixtures("_backend")
@pytest.mark.parametrize(
    "addresses, beside, elsewhere",
    [
        ([f"192.0.2.{host}" for host in range(4)], "192.0.2.99", "192.0.3.1"),
        ([f"2001:db8:1:{net}::1" for net in range(4)], "2001:db8:1:99::1", "2001:db8:2::1"),
    ],
)
async def test_many_addresses_of_one_network_share_a_limit(addresses, beside, elsewhere):
    for turn in range(60):
        number = f"CMD-2025-{turn:05}"
        await guess(f"zoe-{turn}", 1, turn, number, address=addresses[turn % 4])

    assert await wait_before_trying("zoe-new", "CMD-2025-99999", address=beside) > 3600
    assert await wait_before_trying("camille", "CMD-2025-99999", address=elsewhere) == 0


@pytest.mark.usefixtures("_backend")
async def test_one_proof_is_not_tried_with_all_numbers():
    """From as many addresses and conversations as it takes."""
    for turn in range(20):
        number, address = f"CMD-2025-{turn:05}", f"10.{turn}.0.1"
        await note_wrong(f"zoe-{turn}", number, ["camille@example.fr"], address)

    assert await wait_before_trying("zoe", "CMD-2025-99999", "camille@example.fr") > 3600
    assert await wait_before_trying("zoe", "CMD-2025-99999", "jean@example.fr") == 0


@pytest.mark.usefixtures("_backend")
async def test_many_wrong_postcodes_close_postcodes_and_no_e_mail():
    for turn in range(500):
        await note_wrong(f"zoe-{turn}", f"CMD-2025-{turn:05}", [f"{turn:05} martin"], "")

    assert await wait_before_trying("camille", NUMBER, "75011 martin") > 3600
    assert await wait_before_trying("camille", NUMBER, "camille@example.fr") == 0


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


async def test_workers_count_together(settings, flushed_redis, restart_worker):
    use_redis(settings, flushed_redis)
    await guess("camille", 3)
    restart_worker()
    await guess("camille", 2, start=3)
    restart_worker()

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
    guesses = ["camille@example.fr", "75011 martin"]
    await note_wrong("camille-session", NUMBER, guesses, "192.0.2.7")

    with redis.Redis.from_url(flushed_redis, decode_responses=True) as client:
        keys = client.keys()
        assert len(keys) == 9
        assert all(0 < client.ttl(key) <= 86_400 for key in keys)
    named = ("camille", "54321", "75011", "martin", "192.0.2")
    assert not [key for key in keys if any(name in key for name in named)]
    assert all(key.startswith("chat:rate:order-") for key in keys)
