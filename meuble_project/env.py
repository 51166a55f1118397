"""The process environment, read once and checked once.

Nothing else in the project touches ``os.environ``. A new variable is a new field here and a
line in ``.env.example``; a test compares the two.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dotenv
from django.core.exceptions import ImproperlyConfigured

from meuble_project import parsers
from meuble_project.redaction import secrets_in_url

ROOT = Path(__file__).resolve().parent.parent

#: Signs cookies on a developer's machine, where nobody else is to be kept out.
DEVELOPMENT_SECRET_KEY = "insecure-development-key-never-for-production"  # noqa: S105 # nosec B105

HOW_TO_MAKE_A_KEY = 'python -c "import secrets; print(secrets.token_urlsafe(50))"'
#: HMAC-SHA256 has 256 bits: shorter keys are weaker than what they sign.
MIN_SECRET_KEY_CHARS = 32
#: Words typed again and again have fewer.
MIN_SECRET_KEY_SIGNS = 8

#: Longer values are not repeated in an error: a secret pasted into the wrong line stays unseen.
MAX_QUOTED_CHARS = 12


def variable(
    parse: Callable[[str], object],
    default: str = "",
    *,
    debug: str | None = None,
    required: bool = False,
) -> dict[str, Any]:
    """Say how a field is read. An absent and an empty variable both mean the default.

    ``debug``: the default when ``DEBUG=1``, if it is another one.
    ``required``: refuse to start without it when ``DEBUG=0``.
    """
    in_debug = default if debug is None else debug
    return {"parse": parse, "defaults": (default, in_debug), "required": required}


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """Typed settings. Field names are the variables' in lower case; units are in the names."""

    debug: bool = field(metadata=variable(parsers.flag, "0"))
    secret_key: str = field(
        repr=False, metadata=variable(str, debug=DEVELOPMENT_SECRET_KEY, required=True)
    )
    allowed_hosts: tuple[str, ...] = field(
        metadata=variable(parsers.hosts, debug="localhost,127.0.0.1,[::1]", required=True)
    )
    csrf_trusted_origins: tuple[str, ...] = field(
        metadata=variable(parsers.origins, debug="http://localhost,http://127.0.0.1,http://[::1]")
    )
    #: Where this site is, for links in e-mails; without one, as ``_site_of`` says.
    site_url: str = field(metadata=variable(parsers.http_url, debug="http://127.0.0.1:8000"))
    #: Cookies travel over HTTPS only.
    cookie_secure: bool = field(metadata=variable(parsers.flag, "1", debug="0"))
    #: Plain HTTP is answered with a redirect to HTTPS.
    secure_ssl_redirect: bool = field(metadata=variable(parsers.flag, "0"))
    #: How many proxies in front may set ``X-Forwarded-For``.
    trusted_proxies: int = field(metadata=variable(parsers.whole, "0"))

    redis_url: str = field(repr=False, metadata=variable(parsers.redis_url, "memory://"))
    #: Where Redis Sentinels listen, as "host:port": they say which server is the master whose
    #: name stands in ``redis_url`` in place of a host.
    redis_sentinels: tuple[str, ...] = field(metadata=variable(parsers.sentinels))
    #: Redis servers of the channel layer between workers; none: the one of ``redis_url``.
    channel_layer_urls: tuple[str, ...] = field(repr=False, metadata=variable(parsers.redis_urls))
    #: Least time between two rewrites of Redis's append-only file after erasures; 0 = never asked.
    aof_rewrite_pause_s: int = field(metadata=variable(parsers.whole, "600"))
    database_url: str = field(
        repr=False, metadata=variable(parsers.database_url, "sqlite:///db.sqlite3")
    )

    #: Where photos are kept, from the root of the project.
    media_dir: str = field(metadata=variable(str, "media"))

    openai_api_key: str = field(repr=False, metadata=variable(parsers.header, required=True))
    #: "" for OpenAI's own.
    openai_base_url: str = field(repr=False, metadata=variable(parsers.http_url))
    #: Source: developers.openai.com/api/docs/deprecations, which names it as the successor of
    #: the small models that close in 2026 and 2027.
    openai_model: str = field(metadata=variable(parsers.header, "gpt-6-luna"))
    #: "" when the field is not to be sent. GPT-6 Luna takes function tools in Chat Completions
    #: with "none" only. Source: developers.openai.com/api/docs/guides/deployment-checklist.
    openai_reasoning_effort: str = field(metadata=variable(parsers.effort, "none"))
    openai_max_retries: int = field(metadata=variable(parsers.whole, "2"))
    #: Euros for a million tokens, as the server bills them; 0 = not known.
    openai_price_prompt_eur_per_m: Decimal = field(metadata=variable(parsers.euros, "0"))
    openai_price_completion_eur_per_m: Decimal = field(metadata=variable(parsers.euros, "0"))
    #: One deadline for a whole turn: retries, tools and streaming included.
    chat_timeout_s: float = field(metadata=variable(parsers.seconds, "30"))
    prompt_max_chars: int = field(metadata=variable(parsers.positive, "24000"))
    #: Failures in a row after which the model is left alone for ``circuit_reset_s``.
    circuit_failures: int = field(metadata=variable(parsers.positive, "5"))
    circuit_reset_s: float = field(metadata=variable(parsers.seconds, "10"))

    #: Whether photos of customers are shown to the model: "auto", "on" or "off".
    openai_vision: str = field(metadata=variable(parsers.vision, "auto"))

    #: A complaint about so many euros calls an adviser; 0 = no amount does.
    escalation_amount_eur: int = field(metadata=variable(parsers.whole, "1000"))

    #: Sliding: a session lives this long after its last change.
    session_ttl_s: int = field(metadata=variable(parsers.positive, "86400"))
    chat_max_message_chars: int = field(metadata=variable(parsers.positive, "4000"))
    #: Messages a visitor may send; 0 = no limit.
    chat_rate_per_minute: int = field(metadata=variable(parsers.whole, "20"))
    #: Messages of all the visitors behind one address: who drops the cookie is a new visitor.
    chat_rate_per_address_per_minute: int = field(
        metadata=variable(parsers.whole, "120", debug="0")
    )
    #: Pages and states of conversations that one worker shows to one address; 0 = no limit.
    page_rate_per_address_per_minute: int = field(
        metadata=variable(parsers.whole, "600", debug="0")
    )
    #: Photos a visitor may send, those that are refused included; 0 = no limit.
    photo_rate_per_minute: int = field(metadata=variable(parsers.whole, "20"))
    #: What one address may send as photos within a day, in whole megabytes per photo; 0 = no limit.
    photo_mb_per_address_per_day: int = field(metadata=variable(parsers.whole, "300"))
    #: All photos together, and what must stay free where they are kept; beyond, none is taken.
    #: 0 = no limit.
    photos_max_total_mb: int = field(metadata=variable(parsers.whole, "10000"))
    photos_min_free_mb: int = field(metadata=variable(parsers.whole, "500"))
    #: Requests per API key, or per address where the API is open; 0 = no limit.
    api_rate_per_minute: int = field(metadata=variable(parsers.whole, "600", debug="0"))
    sockets_per_visitor: int = field(metadata=variable(parsers.positive, "10"))
    sockets_per_address: int = field(metadata=variable(parsers.positive, "100"))
    #: Conversations, and megabytes of them, that a worker's memory takes while Redis is away, or
    #: with ``memory://``.
    memory_max_sessions: int = field(metadata=variable(parsers.positive, "10000"))
    memory_max_mb: int = field(metadata=variable(parsers.positive, "200"))
    #: How long a worker told to stop may finish what it began.
    shutdown_grace_s: float = field(metadata=variable(parsers.seconds, "20"))

    #: Days for which closed tickets, callback requests and sent e-mails are kept; 0 = for ever.
    #: Five years: Code civil, art. 2224. The rest: well within the three years after the last
    #: contact of the CNIL's reference for the management of commercial activities.
    tickets_retention_days: int = field(metadata=variable(parsers.whole, "1825"))
    contacts_retention_days: int = field(metadata=variable(parsers.whole, "90"))
    mails_retention_days: int = field(metadata=variable(parsers.whole, "365"))
    #: Days for which a link to a ticket's page works after the last event on it; 0 = for ever.
    follow_link_days: int = field(metadata=variable(parsers.whole, "90"))

    shop_name: str = field(metadata=variable(str, "Meuble de France"))
    shop_phone: str = field(metadata=variable(str))
    shop_email: str = field(metadata=variable(str))

    #: Who gets what ``cleanup_report --email`` sends.
    admins: tuple[str, ...] = field(metadata=variable(parsers.emails))
    email_url: str = field(repr=False, metadata=variable(parsers.email_url, "console://"))
    #: From whom e-mails come.
    email_from: str = field(metadata=variable(parsers.email, "assistant@localhost"))

    log_level: str = field(metadata=variable(parsers.level, "INFO"))
    log_json: bool = field(metadata=variable(parsers.flag, "0"))

    @property
    def uses_local_assistant(self) -> bool:
        """Whether the simulator answers: development, no key, and no server of one's own."""
        return self.debug and not self.openai_api_key and not self.openai_base_url

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every password and key, for the log to leave out."""
        urls = (self.redis_url, *self.channel_layer_urls, self.database_url, self.email_url)
        passwords = (secret for url in urls for secret in secrets_in_url(url))
        return tuple(filter(None, (self.secret_key, self.openai_api_key, *passwords)))


def load_env(root: Path = ROOT) -> Env:
    """Read the real environment, completed by ``.env`` in ``root``, the project's folder.

    Raises:
        ImproperlyConfigured: as ``read_env``, or ``.env`` is not UTF-8 text.
    """
    try:
        written = dotenv.dotenv_values(root / ".env", interpolate=False)
    except UnicodeDecodeError as error:
        raise ImproperlyConfigured(".env: expected UTF-8 text") from error
    return read_env({name: value or "" for name, value in written.items()} | dict(os.environ))


def environment_with(changes: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of this process with other values, for a child process.

    "" means the default there, whatever ``.env`` says.
    """
    return {**os.environ, **changes}


def read_env(environ: Mapping[str, str]) -> Env:
    """Build an ``Env`` from raw variables.

    Raises:
        ImproperlyConfigured: listing every problem at once, and no secret.
    """
    debug = environ.get("DEBUG", "").strip() == "1"
    values: dict[str, Any] = {}
    problems: list[str] = []
    for item in fields(Env):
        name = item.name.upper()
        text = environ.get(name, "").strip()
        try:
            values[item.name] = _read(item, text, debug=debug)
        except ValueError as error:
            problems.append(f"{name}{_quoted(item, text)}: {error}")
    problems += _misfits(values)
    if not debug and (secret_key := values.get("secret_key")):
        problems += _weaknesses(secret_key)
    if not problems and values["prompt_max_chars"] < values["chat_max_message_chars"]:
        problems.append("PROMPT_MAX_CHARS: expected at least CHAT_MAX_MESSAGE_CHARS")
    if not problems and not values["site_url"]:
        values["site_url"] = _site_of(values["allowed_hosts"], values["csrf_trusted_origins"])
        if not values["site_url"]:
            problems.append("SITE_URL: required, as ALLOWED_HOSTS names no site in full")
    if problems:
        raise ImproperlyConfigured("Bad environment:\n  " + "\n  ".join(problems))
    return Env(**values)


def _weaknesses(secret_key: str) -> Iterator[str]:
    """What is wrong with the key that signs cookies, links and logins in production."""
    advice = f"make one of your own: {HOW_TO_MAKE_A_KEY}"
    # What Django's project template writes stands in many public repositories.
    if secret_key == DEVELOPMENT_SECRET_KEY or secret_key.startswith("django-insecure-"):
        yield f"SECRET_KEY: that one is public, {advice}"
    elif len(secret_key) < MIN_SECRET_KEY_CHARS or len(set(secret_key)) < MIN_SECRET_KEY_SIGNS:
        yield f"SECRET_KEY: expected {MIN_SECRET_KEY_CHARS} random characters or more, {advice}"


def _misfits(values: Mapping[str, Any]) -> Iterator[str]:
    """What the variables of Redis say that cannot be said together; of those that were read."""
    url = urlsplit(values.get("redis_url", ""))
    if url.scheme == "memory" and values.get("channel_layer_urls"):
        yield "CHANNEL_LAYER_URLS: of no use with REDIS_URL=memory://, which is one process"
    if not values.get("redis_sentinels") or not url.scheme:
        return
    if url.scheme not in ("redis", "rediss"):
        yield "REDIS_SENTINELS: of no use without REDIS_URL=redis://:password@master-name/0"
    elif url.port is not None:
        yield "REDIS_URL: with REDIS_SENTINELS, expected the master's name in place of host:port"


def _site_of(hosts: tuple[str, ...], origins: tuple[str, ...]) -> str:
    """The first name that this site answers to, over HTTPS; else the first whole origin, or ""."""
    names = (f"https://{host}" for host in hosts if not host.startswith((".", "*")))
    whole = (origin for origin in origins if "*" not in origin)
    return next(iter((*names, *whole)), "")


def _read(item: Field[Any], text: str, *, debug: bool) -> object:
    if not text and not debug and item.metadata["required"]:
        raise ValueError("required when DEBUG=0")
    return item.metadata["parse"](text or item.metadata["defaults"][debug])


def _quoted(item: Field[Any], text: str) -> str:
    """``='30s'`` for a short value; nothing for one that may be or hold a secret."""
    return f"={text!r}" if item.repr and 0 < len(text) <= MAX_QUOTED_CHARS else ""
