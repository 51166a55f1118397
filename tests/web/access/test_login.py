from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http import HTTPStatus

import pytest
import redis
from asgiref.sync import sync_to_async
from django.contrib.auth import aauthenticate, authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import caches
from django.test import AsyncClient, Client, RequestFactory
from django_redis.pool import ConnectionFactory

from chat.web.access.login import LOCKED_S, LOGIN_RULES, TRIES, LoginLocked, LoginRules, LoginTries
from devtools.redis_server import RedisServer
from meuble_project import backends
from tests.web.access.staff import PASSWORD, is_in, log_in, staff

FOUND, LOCKED = HTTPStatus.FOUND, HTTPStatus.TOO_MANY_REQUESTS


@pytest.fixture(params=["memory", "redis"])
def counted(request, settings):
    """Where tries are counted."""
    if request.param == "redis":
        url = request.getfixturevalue("flushed_redis")
        settings.CACHES = {**settings.CACHES, "default": backends.cache_for(url)}
    return request.param


def fail(browser: Client, times: int, username: str = "claire", **headers: str) -> list[int]:
    return [log_in(browser, username, "faux", **headers).status_code for _ in range(times)]


@pytest.mark.django_db
def test_sixth_try_is_refused_even_with_the_right_password(counted):
    staff("claire")
    browser = Client()

    tries = fail(browser, TRIES)
    sixth = log_in(browser, "claire")

    assert tries == [HTTPStatus.OK] * TRIES
    assert sixth.status_code == LOCKED
    assert "Trop d’essais de connexion. Réessayez dans 15 minutes." in sixth.content.decode()
    assert sixth.headers["Retry-After"] == "900"
    assert not is_in(browser)


class CountingHasher(MD5PasswordHasher):
    """Counts the passwords that were looked at."""

    algorithm = "counting"
    looked_at = 0

    def verify(self, password: str, encoded: str) -> bool:
        type(self).looked_at += 1
        return super().verify(password, encoded)


@pytest.mark.django_db
def test_password_is_not_looked_at_once_locked(settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    staff("claire")
    CountingHasher.looked_at = 0
    fail(Client(), TRIES + 3)

    assert CountingHasher.looked_at == TRIES


@pytest.mark.django_db
def test_name_is_the_same_however_it_is_written(counted):
    staff("claire")
    browser = Client()
    fail(browser, 3, " Claire")
    fail(browser, 2, "CLAIRE")

    assert log_in(browser, "claire").status_code == LOCKED


@pytest.mark.django_db
def test_others_and_other_addresses_are_not_locked(counted):
    staff("claire")
    staff("karim")
    fail(Client(REMOTE_ADDR="192.0.2.7"), TRIES + 1)

    assert log_in(Client(REMOTE_ADDR="192.0.2.7"), "karim").status_code == FOUND
    assert log_in(Client(REMOTE_ADDR="192.0.2.8"), "claire").status_code == FOUND


@pytest.mark.django_db
def test_right_password_forgives_the_tries_before(counted):
    staff("claire")
    browser = Client()
    fail(browser, TRIES - 1)

    assert log_in(browser, "claire").status_code == FOUND
    assert fail(browser, TRIES) == [HTTPStatus.OK] * TRIES


@pytest.mark.django_db
@pytest.mark.parametrize("proxies", [0, 1])
def test_forged_address_helps_nobody(settings, proxies):
    settings.ENV = replace(settings.ENV, trusted_proxies=proxies)
    staff("claire")
    browser = Client(REMOTE_ADDR="192.0.2.7")
    for n in range(TRIES):
        fail(browser, 1, X_Forwarded_For=f"198.51.100.{n}, 203.0.113.5")

    again = log_in(browser, "claire", X_Forwarded_For="198.51.100.99, 203.0.113.5")
    elsewhere = log_in(browser, "claire", X_Forwarded_For="203.0.113.6")

    assert again.status_code == LOCKED
    # Behind a proxy that is trusted, the last address is the client's; without one it is ignored.
    assert elsewhere.status_code == (FOUND if proxies else LOCKED)


@pytest.mark.django_db
def test_one_address_has_a_limit_whatever_the_names(replace_parts):
    replace_parts(LOGIN_RULES.to(LoginRules(tries_of_address=8)))
    staff("claire")
    browser = Client()
    tries = [fail(browser, 1, f"somebody-{n}")[0] for n in range(9)]

    assert tries == [HTTPStatus.OK] * 8 + [LOCKED]
    assert log_in(browser, "claire").status_code == LOCKED


@pytest.mark.django_db
def test_a_busy_shop_does_not_lock_itself(replace_parts):
    replace_parts(LOGIN_RULES.to(LoginRules(tries_of_address=4)))
    staff("claire")

    assert {log_in(Client(), "claire").status_code for _ in range(12)} == {FOUND}


@pytest.mark.django_db(transaction=True)
async def test_lock_holds_for_asynchronous_callers():
    await sync_to_async(staff)("claire")
    browser = AsyncClient()
    form = {"username": "claire", "password": "faux"}
    for _ in range(TRIES):
        await browser.post("/admin/login/", form)
    page = await browser.post("/admin/login/", {**form, "password": PASSWORD})
    request = RequestFactory().post("/", REMOTE_ADDR="127.0.0.1")

    assert page.status_code == LOCKED
    with pytest.raises(LoginLocked):
        await aauthenticate(request, username="claire", password=PASSWORD)


@pytest.mark.django_db
def test_a_program_without_a_request_is_not_counted():
    staff("claire")
    wrong = [authenticate(username="claire", password="faux") for _ in range(TRIES + 1)]

    assert set(wrong) == {None}
    assert authenticate(username="claire", password=PASSWORD) is not None


def test_tries_together_are_not_let_pass_together(flushed_redis, settings):
    """Each is counted before the password is looked at."""
    settings.CACHES = {**settings.CACHES, "default": backends.cache_for(flushed_redis)}

    def passes(_: int) -> bool:
        try:
            LoginTries("claire", "192.0.2.7").begin()
        except LoginLocked:
            return False
        finally:
            caches["default"].close()
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(passes, range(64))) == TRIES


def test_lock_begins_with_the_last_try_and_is_not_prolonged(flushed_redis, settings):
    settings.CACHES = {**settings.CACHES, "default": backends.cache_for(flushed_redis)}
    tries = LoginTries("claire@shop.example", "192.0.2.7")
    with redis.Redis.from_url(flushed_redis) as client:

        def age() -> list[int]:
            """Let time pass: return how long keys lived, and leave them 100 s."""
            names = client.keys()
            left = [client.ttl(name) for name in names]
            for name in names:
                client.expire(name, 100)
            return left

        lives = []
        for _ in range(TRIES):
            tries.begin()
            lives.append(max(age()))
        with pytest.raises(LoginLocked):
            tries.begin()
        lives.append(max(age()))
        names = client.keys()
        kept = [*names, *map(client.get, names)]

    assert lives == [LOCKED_S, 100, 100, 100, LOCKED_S, 100]
    assert not any(b"claire" in text or b"192.0.2" in text for text in kept)
    assert all(key.startswith(b"chat:login:") for key in kept[:2])


@pytest.fixture
def own_redis(tmp_path, redis_url, settings):
    """A Redis that this test may stop; it counts the tries."""
    server = RedisServer(tmp_path)
    server.start()
    settings.CACHES = {**settings.CACHES, "default": backends.cache_for(server.url)}
    yield server
    server.stop()
    settings.CACHES = {**settings.CACHES, "default": backends.cache_for("memory://")}
    ConnectionFactory._pools.pop(server.url, None)


@pytest.mark.parametrize("how", ["kill", "freeze"])
@pytest.mark.django_db
def test_worker_counts_alone_while_redis_is_away(own_redis, how):
    staff("claire")
    staff("karim")
    getattr(own_redis, how)()
    browser = Client(REMOTE_ADDR="192.0.2.7")

    assert fail(browser, TRIES) == [HTTPStatus.OK] * TRIES
    assert log_in(browser, "claire").status_code == LOCKED
    assert log_in(browser, "karim").status_code == FOUND
