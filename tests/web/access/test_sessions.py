from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import redis
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.urls import reverse
from django_redis.pool import ConnectionFactory

from chat.web.access import sessions
from chat.web.access.sessions import LoginsUnreachable, end_logins
from devtools.redis_server import RedisServer
from meuble_project import backends
from tests.web.access.staff import ADVISERS, MANAGERS, browser_of, is_in, staff

OWN = "admin:auth_user_own_logins"
USERS = "admin:auth_user_changelist"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def own_redis(tmp_path, redis_url, settings):
    """A Redis that this test may stop; it keeps the logins."""
    server = RedisServer(tmp_path)
    server.start()
    settings.CACHES = {**settings.CACHES, "logins": backends.login_cache_for(server.url)}
    yield server
    server.stop()
    settings.CACHES = {**settings.CACHES, "logins": backends.login_cache_for("memory://")}
    ConnectionFactory._pools.pop(server.url, None)


@pytest.fixture(params=["memory", "redis"])
def kept(request):
    """Where logins are kept, besides the database."""
    if request.param == "redis":
        request.getfixturevalue("own_redis")
    return request.param


def keys_in(server: RedisServer) -> Any:
    with redis.Redis.from_url(server.url) as client:
        return {key: client.ttl(key) for key in client.keys("django.contrib.sessions*")}


def test_login_lives_a_day_in_redis(own_redis):
    staff("claire")
    browser_of("claire")

    [ttl] = keys_in(own_redis).values()
    assert 24 * 3600 - 60 < ttl <= 24 * 3600


def test_one_logs_oneself_out_of_every_browser(kept):
    staff("claire", ADVISERS)
    staff("karim", ADVISERS)
    here, elsewhere, other = browser_of("claire"), browser_of("claire"), browser_of("karim")
    assert is_in(here)
    assert is_in(elsewhere)

    asked = here.get(reverse(OWN))
    done = here.post(reverse(OWN))

    assert "sur tous les appareils" in asked.content.decode()
    assert done.headers["Location"] == "/admin/login/"
    assert (is_in(here), is_in(elsewhere), is_in(other)) == (False, False, True)


def test_nothing_of_an_ended_login_is_left(own_redis):
    claire = staff("claire")
    for _ in range(3):
        browser_of("claire")
    staff("karim")
    browser_of("karim")

    assert end_logins(claire.pk) == 3
    assert len(keys_in(own_redis)) == Session.objects.count() == 1
    assert end_logins(claire.pk) == 0


def test_a_page_under_way_does_not_revive_a_login(own_redis):
    claire = staff("claire")
    browser = browser_of("claire")
    store = import_module("django.contrib.sessions.backends.cached_db").SessionStore
    page = store(browser.cookies["sessionid"].value)
    page["said"] = "something"
    end_logins(claire.pk)

    with pytest.raises(UpdateError):
        page.save()
    assert not is_in(browser)
    assert keys_in(own_redis) == {}


def test_manager_logs_others_out_by_button_and_by_action(kept):
    claire = staff("claire", ADVISERS)
    staff("karim", MANAGERS)
    manager, adviser = browser_of("karim"), browser_of("claire")
    change = reverse("admin:auth_user_change", args=[claire.pk])
    button = reverse("admin:auth_user_logins", args=[claire.pk])

    assert button in manager.get(change).content.decode()
    assert is_in(adviser)
    assert manager.get(button).status_code == 200
    assert is_in(adviser)
    assert manager.post(button).headers["Location"] == change
    assert not is_in(adviser)

    adviser = browser_of("claire")
    manager.post(reverse(USERS), {"action": "end_logins", "_selected_action": [claire.pk]})
    assert not is_in(adviser)
    assert is_in(manager)
    trace = LogEntry.objects.filter(object_id=str(claire.pk), user__username="karim")
    assert [entry.change_message for entry in trace] == ["Déconnecté partout."] * 2


def test_adviser_logs_nobody_else_out():
    claire = staff("claire", ADVISERS)
    staff("karim", ADVISERS)
    adviser, other = browser_of("karim"), browser_of("claire")

    assert adviser.post(reverse("admin:auth_user_logins", args=[claire.pk])).status_code == 403
    refused = adviser.post(
        reverse(USERS), {"action": "end_logins", "_selected_action": [claire.pk]}
    )
    assert refused.status_code == 403
    assert is_in(other)


def test_stranger_is_asked_to_log_in(client):
    assert client.post(reverse(OWN)).headers["Location"].startswith("/admin/login/")


def test_deactivated_account_is_out_at_once_and_for_good(kept):
    claire = staff("claire", ADVISERS)
    staff("admin", is_superuser=True)
    admin, browser = browser_of("admin"), browser_of("claire")
    form = {
        "username": "claire",
        "is_staff": "on",
        "date_joined_0": "01/01/2026",
        "date_joined_1": "10:00",
    }

    done = admin.post(reverse("admin:auth_user_change", args=[claire.pk]), form)
    out = not is_in(browser)
    claire.refresh_from_db()
    assert (done.status_code, claire.is_active, out) == (302, False, True)
    claire.is_active = True
    claire.save()

    assert not is_in(browser), "logins that were ended do not come back with the account"


def test_what_could_not_be_ended_is_said(own_redis):
    claire = staff("claire")
    staff("karim", MANAGERS)
    manager, browser = browser_of("karim"), browser_of("claire")
    button = reverse("admin:auth_user_logins", args=[claire.pk])
    own_redis.kill()

    page = manager.post(button, follow=True).content.decode()
    own_redis.start()
    again = manager.post(button, follow=True).content.decode()

    assert "Redis ne répond pas" in page
    assert "Connexions de claire fermées : 1." in again
    assert not is_in(browser)
    own_redis.kill()
    with pytest.raises(LoginsUnreachable):
        sessions.forget_cached(["any"])


def test_many_logins_are_read_in_parts(own_redis):
    claire = staff("claire")
    for _ in range(5):
        browser_of("claire")

    assert end_logins(claire.pk, chunk=2) == 5
    assert keys_in(own_redis) == {}
