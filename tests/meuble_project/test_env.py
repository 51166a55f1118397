from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import dotenv
import pytest
from django.core.exceptions import ImproperlyConfigured

from meuble_project.env import DEVELOPMENT_SECRET_KEY, ROOT, Env, load_env, read_env
from tests.documents import read_page

PRODUCTION = {
    "SECRET_KEY": "not-to-be-seen-1-and-long-enough-to-sign-with",
    "ALLOWED_HOSTS": "chat.meuble.example",
    "OPENAI_API_KEY": "sk-not-to-be-seen-2",
}


def blamed(error: BaseException) -> list[str]:
    return re.findall(r"^  ([A-Z_]+)", str(error), re.MULTILINE)


def test_env_names_every_problem_at_once():
    with pytest.raises(ImproperlyConfigured) as caught:
        read_env({"DEBUG": "yes", "SESSION_TTL_S": "1d", "REDIS_URL": "mysql://"})

    assert blamed(caught.value) == [
        "DEBUG",
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "REDIS_URL",
        "OPENAI_API_KEY",
        "SESSION_TTL_S",
    ]


def test_env_needs_nothing_in_development():
    read = read_env({"DEBUG": "1"})

    assert read.session_ttl_s == 86_400
    assert read.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert not read.cookie_secure
    assert read.api_rate_per_minute == 0


def test_env_is_strict_in_production():
    read = read_env(PRODUCTION)

    assert not read.debug
    assert read.cookie_secure
    assert read.api_rate_per_minute == 600
    assert read.csrf_trusted_origins == ()


@pytest.mark.parametrize("name", PRODUCTION)
def test_env_required_variable_may_not_be_empty_in_production(name):
    with pytest.raises(ImproperlyConfigured) as caught:
        read_env(PRODUCTION | {name: "  "})

    assert blamed(caught.value) == [name]


def test_env_refuses_the_published_key_in_production():
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY: that one is public") as refused:
        read_env(PRODUCTION | {"SECRET_KEY": DEVELOPMENT_SECRET_KEY})
    assert DEVELOPMENT_SECRET_KEY not in str(refused.value)


@pytest.mark.parametrize(
    "key, why",
    [
        ("not-to-be-seen-but-31-chars-lon", "32 random characters"),
        ("changeme", "32 random characters"),
        ("abcabc" * 10, "32 random characters"),
        ("django-insecure-not-to-be-seen-however-long-it-is-0123456789", "public"),
    ],
)
def test_env_refuses_a_weak_key_in_production(key, why):
    with pytest.raises(ImproperlyConfigured, match=why) as refused:
        read_env(PRODUCTION | {"SECRET_KEY": key})

    assert blamed(refused.value) == ["SECRET_KEY"]
    assert key not in str(refused.value)
    assert read_env({"DEBUG": "1", "SECRET_KEY": key}).secret_key == key


def test_env_empty_variable_means_its_default():
    empty = {field.name.upper(): " " for field in fields(Env)}

    assert read_env(empty | {"DEBUG": "1"}) == read_env({"DEBUG": "1"})


def test_env_never_repeats_a_secret():
    secrets = {
        "SECRET_KEY": "s3cr",
        "REDIS_URL": "foo://:s3cr@h",
        "CHANNEL_LAYER_URLS": "redis://:s3cr,comma@h",
        "DATABASE_URL": "mysql://u:s3cr@h/n",
        "OPENAI_API_KEY": "sk s3cr",
        "OPENAI_BASE_URL": "ftp://u:s3cr@h",
        "LOG_LEVEL": "sk-proj-s3cr-pasted-into-the-wrong-line",
    }
    with pytest.raises(ImproperlyConfigured) as caught:
        read_env(secrets)
    good = secrets | PRODUCTION | {"REDIS_URL": "redis://:s3cr@h", "LOG_LEVEL": ""}
    good |= {"CHANNEL_LAYER_URLS": "redis://:s3cr@h"}
    good |= {"DATABASE_URL": "postgres://u:s3cr@h/n", "OPENAI_BASE_URL": "http://u:s3cr@h"}

    assert "s3cr" not in str(caught.value)
    assert "s3cr" not in repr(caught.value.__cause__)
    assert not re.search("s3cr|not-to-be-seen", repr(read_env(good)))


def test_env_repeats_a_short_plain_value():
    with pytest.raises(ImproperlyConfigured, match=re.escape("CHAT_TIMEOUT_S='30s': expected")):
        read_env({"DEBUG": "1", "CHAT_TIMEOUT_S": "30s"})


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("CHAT_TIMEOUT_S", "0.5", 0.5),
        ("CHAT_TIMEOUT_S", " 30 ", 30.0),
        ("OPENAI_MAX_RETRIES", "0", 0),
        ("CHAT_RATE_PER_MINUTE", "0", 0),
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("OPENAI_REASONING_EFFORT", "unset", ""),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1/", "http://127.0.0.1:9/v1"),
        (
            "ALLOWED_HOSTS",
            "a.example, .B.example,,[::1],*",
            ("a.example", ".b.example", "[::1]", "*"),
        ),
        ("CSRF_TRUSTED_ORIGINS", "https://A.example:8443", ("https://a.example:8443",)),
        ("CSRF_TRUSTED_ORIGINS", "https://*.a.example", ("https://*.a.example",)),
        (
            "REDIS_URL",
            "rediss://:pa,ss@redis.example:6380/2",
            "rediss://:pa,ss@redis.example:6380/2",
        ),
        ("REDIS_URL", "unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=1"),
        ("CHANNEL_LAYER_URLS", " ,", ()),
        ("REDIS_SENTINELS", "", ()),
        ("DATABASE_URL", "postgresql://u:p@h:5432/n", "postgresql://u:p@h:5432/n"),
        ("DATABASE_URL", "sqlite:////srv/chat.sqlite3", "sqlite:////srv/chat.sqlite3"),
        ("DATABASE_URL", "sqlite://:memory:", "sqlite://:memory:"),
    ],
)
def test_env_takes(name, text, value):
    assert getattr(read_env({"DEBUG": "1", name: text}), name.lower()) == value


@pytest.mark.parametrize(
    "name, texts",
    [
        (
            "CHAT_TIMEOUT_S",
            ["0", "0.0", "-1", "nan", "inf", "1e3", "1_0", "٣", "0,5", "+1", "9" * 10],
        ),
        ("SESSION_TTL_S", ["0", "-1", "1.5", "1_0", "٣", "²", "9" * 5000]),
        ("OPENAI_MAX_RETRIES", ["-1", "two", "1.0"]),
        ("LOG_JSON", ["true", "yes", "2"]),
        ("LOG_LEVEL", ["VERBOSE", "10"]),
        ("OPENAI_API_KEY", ["sk-é", "sk-a b", "sk-a\r\nX: y"]),
        ("OPENAI_REASONING_EFFORT", ["huge"]),
        (
            "OPENAI_BASE_URL",
            ["localhost:8000", "ftp://h", "http://", "http://h:port", "http://h/?k=1"],
        ),
        ("ALLOWED_HOSTS", ["https://a.example", "a.example:443", "a b", "a/b"]),
        (
            "CSRF_TRUSTED_ORIGINS",
            ["a.example", "//a.example", "https://a.example/", "https://u@a.example"],
        ),
        (
            "CSRF_TRUSTED_ORIGINS",
            ["https://a.example/x", "ftp://a.example", "https://a.example?x", "null"],
        ),
        (
            "REDIS_URL",
            ["redis", "redis://", "redis://h:x/0", "redis://h/name", "unix://", "memory://x"],
        ),
        (
            "CHANNEL_LAYER_URLS",
            ["memory://", "redis://a,b", "redis://:a,b@h", "redis://a redis://b", "redis://h:x"],
        ),
        (
            "REDIS_SENTINELS",
            ["a", "a:", ":26379", "a:0", "a:65536", "redis://a:26379", "a:1 b:1", "a:1,b", "::1:1"],
        ),
        (
            "DATABASE_URL",
            [
                "db.sqlite3",
                "sqlite://db.sqlite3",
                "sqlite://srv/db.sqlite3",
                "mysql://h/n",
                "postgres://h",
            ],
        ),
        ("DATABASE_URL", ["postgres://u:p@h:port/n", "postgres://u:p@h:99999/n"]),
    ],
)
def test_env_refuses(name, texts):
    for text in texts:
        with pytest.raises(ImproperlyConfigured) as caught:
            read_env({"DEBUG": "1", name: text})
        assert blamed(caught.value) == [name], text


def test_env_takes_servers_that_work_together():
    read = read_env(
        {
            "DEBUG": "1",
            "REDIS_URL": "rediss://:p%2C@LaBoutique/1",
            "REDIS_SENTINELS": "10.0.0.1:26379, sentinel.example:26380,,[fd00::3]:26379",
            "CHANNEL_LAYER_URLS": "redis://:a%2Cb@one:6379, rediss://other/1,unix:///run/r.sock",
        }
    )

    assert read.redis_sentinels == (
        "10.0.0.1:26379",
        "sentinel.example:26380",
        "[fd00::3]:26379",
    )
    assert read.channel_layer_urls == (
        "redis://:a%2Cb@one:6379",
        "rediss://other/1",
        "unix:///run/r.sock",
    )


@pytest.mark.parametrize(
    "redis_url, layer_urls, sentinels, blames",
    [
        ("memory://", "redis://a", "", ["CHANNEL_LAYER_URLS"]),
        ("", "redis://a", "a:26379", ["CHANNEL_LAYER_URLS", "REDIS_SENTINELS"]),
        ("unix:///run/redis.sock", "redis://a", "a:26379", ["REDIS_SENTINELS"]),
        ("redis://10.0.0.1:6379/0", "", "a:26379", ["REDIS_URL"]),
        ("mysql://", "redis://a", "a:26379", ["REDIS_URL"]),
        ("redis://name/0", "redis://a", "a:26379", []),
        ("redis://h:6379/0", "redis://a", "", []),
    ],
)
def test_env_refuses_servers_that_do_not_go_together(redis_url, layer_urls, sentinels, blames):
    environ = {
        "DEBUG": "1",
        "REDIS_URL": redis_url,
        "CHANNEL_LAYER_URLS": layer_urls,
        "REDIS_SENTINELS": sentinels,
    }
    if not blames:
        read_env(environ)
        return
    with pytest.raises(ImproperlyConfigured) as caught:
        read_env(environ | {"LOG_JSON": "2"})

    assert sorted(blamed(caught.value)) == sorted([*blames, "LOG_JSON"])


def test_env_prompt_holds_one_message():
    with pytest.raises(ImproperlyConfigured) as caught:
        read_env({"DEBUG": "1", "PROMPT_MAX_CHARS": "3999"})

    assert blamed(caught.value) == ["PROMPT_MAX_CHARS"]


@pytest.mark.parametrize(
    "environ, local",
    [
        ({"DEBUG": "1"}, True),
        ({"DEBUG": "1", "OPENAI_API_KEY": "sk-1"}, False),
        ({"DEBUG": "1", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, False),
        (PRODUCTION, False),
    ],
)
def test_local_assistant_answers_only_without_a_model_of_ones_own(environ, local):
    assert read_env(environ).uses_local_assistant is local


@pytest.mark.parametrize(
    "environ, url",
    [
        ({}, "https://chat.meuble.example"),
        ({"SITE_URL": "https://a.example:8443/sav/"}, "https://a.example:8443/sav"),
        ({"ALLOWED_HOSTS": ".b.example,c.example"}, "https://c.example"),
        (
            {
                "ALLOWED_HOSTS": "*",
                "CSRF_TRUSTED_ORIGINS": "https://*.a.example,https://b.example:444",
            },
            "https://b.example:444",
        ),
        ({"ALLOWED_HOSTS": "*"}, None),
        ({"ALLOWED_HOSTS": ".a.example"}, None),
        ({"SITE_URL": "a.example"}, None),
        ({"DEBUG": "1", "ALLOWED_HOSTS": "a.example"}, "http://127.0.0.1:8000"),
    ],
)
def test_links_in_emails_lead_to_the_site(environ, url):
    if url is not None:
        assert read_env(PRODUCTION | environ).site_url == url
        return
    with pytest.raises(ImproperlyConfigured) as caught:
        read_env(PRODUCTION | environ)
    assert blamed(caught.value) == ["SITE_URL"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the project's, while no variable of ours is set."""
    for field in fields(Env):
        monkeypatch.delenv(field.name.upper(), raising=False)
    return tmp_path


def test_load_env_lets_the_real_environment_win(root, monkeypatch):
    (root / ".env").write_text("DEBUG=1\nSHOP_NAME='Chez ${HOME}'\nSHOP_PHONE=01\nLOG_JSON\n")
    monkeypatch.setenv("SHOP_PHONE", "02")

    read = load_env(root)

    assert (read.debug, read.shop_name, read.shop_phone) == (True, "Chez ${HOME}", "02")


def test_load_env_refuses_a_file_that_is_not_text(root):
    (root / ".env").write_bytes(b"DEBUG=1\nSHOP_NAME=\xff\xfe\n")

    with pytest.raises(ImproperlyConfigured, match="UTF-8"):
        load_env(root)


def test_each_line_of_the_example_file_is_a_variable_or_the_comment_above_it():
    """A line that is neither is left out by ``dotenv`` with a warning in the log."""
    head, variables, of_containers = (ROOT / ".env.example").read_text().split("\n\n")
    lines = variables.splitlines()
    names = [line.partition("=")[0] for line in lines[1::2]]
    variable = re.compile(r"[A-Z_]+=(\S*|\"[^\"]*\")")
    comment, *commented = of_containers.splitlines()

    assert [line for line in (*head.splitlines(), comment) if not line.startswith("# ")] == []
    assert [line for line in lines[::2] if not re.fullmatch("# .+", line)] == []
    assert [line for line in lines[1::2] if not variable.fullmatch(line)] == []
    assert names == [field.name.upper() for field in fields(Env)]
    assert [line for line in commented if not re.fullmatch("#[A-Z_]+=", line)] == []


def test_example_file_shows_every_variable_with_its_default():
    shown = dotenv.dotenv_values(ROOT / ".env.example", interpolate=False)

    assert list(shown) == [field.name.upper() for field in fields(Env)]
    given = {name: value for name, value in shown.items() if value is not None}
    assert given == shown
    assert read_env(given | PRODUCTION) == read_env(PRODUCTION)
    # What differs in development is left empty there, so the file also fits DEBUG=1.
    assert read_env(given | {"DEBUG": "1"}) == read_env({"DEBUG": "1"})


def test_example_file_shows_the_defaults_that_it_can():
    example = dotenv.dotenv_values(ROOT / ".env.example", interpolate=False)

    for field in fields(Env):
        defaults = field.metadata["defaults"]
        if defaults[False] == defaults[True]:
            assert example[field.name.upper()] == defaults[False], field.name


def test_operations_page_lists_every_variable_with_its_default():
    rows = read_page(ROOT / "docs" / "operations.md").rows("variable", "default", "meaning")
    shown = {name: default for name, default, _meaning in rows}

    assert [name for name, _default, _meaning in rows] == [
        f"`{field.name.upper()}`" for field in fields(Env)
    ]
    assert [name for name, _default, meaning in rows if not meaning] == []
    for field in fields(Env):
        defaults = field.metadata["defaults"]
        if defaults[False] == defaults[True] != "":
            assert shown[f"`{field.name.upper()}`"] == f"`{defaults[False]}`", field.name
