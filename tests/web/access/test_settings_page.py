from __future__ import annotations

from dataclasses import fields, replace

import pytest
from django.urls import reverse

from chat.web.access.configuration import shown_settings, without_secrets
from meuble_project.env import Env, read_env
from tests.web.access.staff import MANAGERS, browser_of, staff

SECRETS = {
    "secret_key": "s3cr-key",
    "redis_url": "redis://:s3cr-redis@redis.example:6379/3",
    "channel_layer_urls": ("redis://:s3cr-layer@layer.example:6379", "redis://:s3cr-two@two"),
    "database_url": "postgres://chat:s3cr-sql@sql.example:5432/chat?sslpassword=s3cr-more",
    "openai_api_key": "s3cr-model",
    "email_url": "smtp://u:s3cr-mail@mail.example:587",
    "openai_base_url": "https://u:s3cr-base@models.example/v1",
}


@pytest.mark.django_db
def test_page_shows_every_variable_and_no_secret(settings):
    staff("karim", MANAGERS)
    browser = browser_of("karim")
    settings.ENV = replace(settings.ENV, **SECRETS, session_ttl_s=4242, shop_name="<Chez Nous>")

    page = browser.get(reverse("admin:chat_settings_changelist")).content.decode()

    assert "s3cr" not in page
    assert all(f"<code>{field.name.upper()}</code>" in page for field in fields(Env))
    assert "<td>4242</td><td>configurée</td>" in page
    assert "redis://redis.example:6379/3" in page
    assert "&lt;Chez Nous&gt;" in page


def test_what_is_a_secret_is_what_the_environment_hides():
    env = replace(read_env({"DEBUG": "1"}), **SECRETS)
    hidden = {field.name.upper() for field in fields(Env) if not field.repr}

    assert {name.upper() for name in SECRETS} == hidden
    assert not [setting for setting in shown_settings(env) if "s3cr" in setting.shown]


def test_defaults_are_said_to_be_so():
    env = read_env({"DEBUG": "1", "CHAT_TIMEOUT_S": "12", "LOG_JSON": "1"})

    changed = [s.name for s in shown_settings(env) if not s.is_default]

    assert changed == ["DEBUG", "CHAT_TIMEOUT_S", "LOG_JSON"]


@pytest.mark.parametrize(
    "url, shown",
    [
        ("memory://", "memory://"),
        ("redis://:p%40ss@h:6379/0", "redis://h:6379/0"),
        ("redis://:pa,s@s@h:6379/0", "redis://h:6379/0"),
        ("postgres://u:12/ss@h/n", "postgres://…"),
        ("unix:///run/redis.sock?password=x", "unix:///run/redis.sock"),
        ("sqlite:///db.sqlite3", "sqlite:///db.sqlite3"),
        ("http://[::1]:9/v1", "http://[::1]:9/v1"),
    ],
)
def test_address_without_what_proves_who_one_is(url, shown):
    assert without_secrets(url) == shown
