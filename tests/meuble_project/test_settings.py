from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from meuble_project.env import ROOT

PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "meuble_project.settings",
    "DEBUG": "0",
    "SECRET_KEY": "a-key-that-is-long-enough-for-the-checks-of-django-0123456789",
    "ALLOWED_HOSTS": "chat.meuble.example",
    "OPENAI_API_KEY": "sk-test",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
SHOWN = [
    "ALLOWED_HOSTS",
    "CSRF_COOKIE_SECURE",
    "SECURE_HSTS_SECONDS",
    "SECURE_PROXY_SSL_HEADER",
    "SECURE_SSL_REDIRECT",
    "SESSION_COOKIE_AGE",
    "SESSION_COOKIE_SECURE",
]


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run Python in an environment that holds only ``environ``."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def production_settings(**environ: str) -> Any:
    script = f"""
import json
from django.conf import settings
print(json.dumps({{name: getattr(settings, name, None) for name in {SHOWN}}}))
"""
    done = run("-c", script, **(PRODUCTION | environ))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.django_db
def test_page_says_what_a_browser_may_load():
    policy = Client().get("/admin/login/").headers["Content-Security-Policy"]

    assert sorted(policy.split("; ")) == [
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self'",
        "manifest-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
    ]


@pytest.mark.django_db
def test_page_has_the_headers_of_a_careful_site():
    headers = Client().get("/admin/login/").headers

    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_static_file_is_served_without_touching_sessions():
    response = Client().get("/static/admin/css/base.css")

    assert response.status_code == 200
    assert "Vary" not in response.headers or "Cookie" not in response.headers["Vary"]


def test_production_keeps_cookies_to_https_and_answers_plain_http():
    assert production_settings() == {
        "ALLOWED_HOSTS": ["chat.meuble.example"],
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_SECURE": True,
        "SECURE_SSL_REDIRECT": False,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_PROXY_SSL_HEADER": None,
        "SESSION_COOKIE_AGE": 86_400,
    }


def test_production_believes_a_proxy_only_when_told():
    shown = production_settings(TRUSTED_PROXIES="1", COOKIE_SECURE="0", SECURE_SSL_REDIRECT="1")

    assert shown["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert shown["SECURE_SSL_REDIRECT"] is True
    assert shown["SESSION_COOKIE_SECURE"] is False


def test_production_passes_djangos_own_checks():
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert done.returncode == 0, done.stderr


def test_production_does_not_start_half_configured():
    done = run("manage.py", "check", **(PRODUCTION | {"OPENAI_API_KEY": "", "SESSION_TTL_S": "0"}))

    assert done.returncode != 0
    assert "OPENAI_API_KEY: required when DEBUG=0" in done.stderr
    assert "SESSION_TTL_S='0': expected" in done.stderr
    assert PRODUCTION["SECRET_KEY"] not in done.stderr


def test_settings_under_test_are_deaf_to_the_developer():
    script = "from tests.settings import ENV; print(ENV.shop_name, ENV.debug, ENV.openai_api_key)"
    done = run("-c", script, SHOP_NAME="Chez Zoé", OPENAI_API_KEY="sk-real", DEBUG="0")

    assert done.stdout == "Meuble de France True \n", done.stderr


def test_shop_is_french():
    assert (settings.LANGUAGE_CODE, settings.TIME_ZONE) == ("fr", "Europe/Paris")
