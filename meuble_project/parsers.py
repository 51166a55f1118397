"""From the text of an environment variable to a value: one pure function per kind.

Each raises ``ValueError`` with what it expected, and never repeats what it was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import SplitResult, urlsplit

import dj_database_url
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

#: Up to 999,999,999: more overflows somewhere (a TTL in Redis, a timer of the event loop).
_WHOLE = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
#: A name, an IPv4 address or an IPv6 address in brackets.
_NAME = r"([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])"
_HOST = re.compile(rf"\*|\.?{_NAME}")
_SENTINEL = re.compile(rf"{_NAME}:[0-9]{{1,5}}")
_ORIGIN = re.compile(rf"https?://(\*\.)?{_NAME}(:[0-9]{{1,5}})?", re.IGNORECASE)


def flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("expected 0 or 1")
    return text == "1"


def whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError("expected a whole number, 0 or more, of at most 9 digits")
    return int(text)


def positive(text: str) -> int:
    if not _WHOLE.fullmatch(text) or int(text) == 0:
        raise ValueError("expected a whole number, 1 or more, of at most 9 digits")
    return int(text)


def seconds(text: str) -> float:
    """``30`` or ``0.5``; more than 0."""
    if not _DECIMAL.fullmatch(text) or float(text) == 0:
        raise ValueError("expected a number of seconds above 0, like 30 or 0.5")
    return float(text)


def euros(text: str) -> Decimal:
    """``2`` or ``0.15``; 0 for not known."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError("expected a number of euros, like 2 or 0.15")
    return Decimal(text)


def level(text: str) -> str:
    if text.upper() not in LEVELS:
        raise ValueError(f"expected one of {', '.join(LEVELS)}")
    return text.upper()


def effort(text: str) -> str:
    """A reasoning effort, or "" for ``unset``: the request does not mention it."""
    if text not in (*EFFORTS, "unset"):
        raise ValueError(f"expected one of {', '.join(EFFORTS)}, or unset")
    return "" if text == "unset" else text


def vision(text: str) -> str:
    if text not in ("auto", "on", "off"):
        raise ValueError("expected auto, on or off")
    return text


def header(text: str) -> str:
    """A word that travels in an HTTP request: visible ASCII without spaces."""
    if not all("!" <= char <= "~" for char in text):
        raise ValueError("expected visible ASCII characters, without spaces")
    return text


def hosts(text: str) -> tuple[str, ...]:
    """``shop.example,.example.fr``: names without scheme, port or path.

    A leading dot means the subdomains too, ``*`` means any name, as Django reads them.
    """
    return _each(text, _host)


def origins(text: str) -> tuple[str, ...]:
    """``https://shop.example:8443``: scheme, host and perhaps port; no path.

    ``https://*.shop.example`` means the subdomains, as Django reads it.
    """
    return _each(text, _origin)


def http_url(text: str) -> str:
    """An ``http`` or ``https`` address without the slash at its end, or "" for none."""
    if not text:
        return text
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ValueError("expected http://host[:port]/path or https://host[:port]/path")
    return text.rstrip("/")


def email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError as error:
        raise ValueError("expected an e-mail address") from error
    return text


def emails(text: str) -> tuple[str, ...]:
    """``claire@example.fr,karim@example.fr``."""
    try:
        return _each(text, email)
    except ValueError as error:
        raise ValueError("expected e-mail addresses separated by commas") from error


def email_url(text: str) -> str:
    """The server that sends e-mails, or ``console://`` to show them instead."""
    parts = _split(text)
    server_given = parts.scheme in ("smtp", "smtp+tls", "smtps") and bool(parts.hostname)
    if (text != "console://" and not server_given) or parts.path or parts.query:
        raise ValueError("expected smtp://, smtp+tls:// or smtps://user:password@host:port")
    return text


def redis_url(text: str) -> str:
    """An address that redis-py takes, or ``memory://``."""
    parts = _split(text)
    match parts.scheme:
        case "memory":
            good = text == "memory://"
        case "redis" | "rediss":
            good = bool(parts.hostname) and re.fullmatch(r"/?[0-9]{0,4}", parts.path) is not None
        case "unix":
            good = len(parts.path) > 1
        case _:
            good = False
    if not good:
        raise ValueError(
            "expected redis://host:port/0, rediss://host:port/0, unix:///path or memory://"
        )
    return text


def redis_urls(text: str) -> tuple[str, ...]:
    """``redis://:password@a:6379,redis://:password@b:6379``: servers, each as ``redis_url``."""
    try:
        return _each(text, _redis_server)
    except ValueError as error:
        raise ValueError(
            "expected redis://host:port, rediss://host:port or unix:///path separated by commas; "
            "a comma in a password is written %2C"
        ) from error


def sentinels(text: str) -> tuple[str, ...]:
    """``10.0.0.1:26379,10.0.0.2:26379``: where Redis Sentinels listen."""
    return _each(text, _sentinel)


def database_url(text: str) -> str:
    """An address of SQLite (a file) or PostgreSQL that dj-database-url takes."""
    expected = "expected sqlite:///file or postgres://user:password@host:port/name"
    if text == "sqlite://:memory:":
        return text
    parts = _split(text)
    # "sqlite://db.sqlite3" would be read as a database in memory, gone at the next start.
    file_given = parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1
    server_given = parts.scheme in ("postgres", "postgresql") and len(parts.path) > 1
    if not file_given and not server_given:
        raise ValueError(expected)
    try:
        dj_database_url.parse(text)
    except ValueError as error:
        raise ValueError(expected) from error
    return text


def _each(text: str, check: Callable[[str], str]) -> tuple[str, ...]:
    items = (item.strip() for item in text.split(","))
    return tuple(check(item) for item in items if item)


def _redis_server(text: str) -> str:
    if text.startswith("memory:"):
        raise ValueError("expected the address of a server")
    return redis_url(text)


def _sentinel(text: str) -> str:
    port = text.rpartition(":")[2]
    if not _SENTINEL.fullmatch(text) or not 0 < int(port) < 65_536:
        raise ValueError("expected host:port separated by commas")
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("expected names separated by commas, without scheme, port or path")
    return text.lower()


def _origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise ValueError("expected scheme://host[:port] separated by commas, without path")
    return text.lower()


def _split(text: str) -> SplitResult:
    """``urlsplit`` that also checks the port, with a message that repeats nothing."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ValueError("expected an address, like scheme://host:port") from error
    if any(char.isspace() for char in text):
        raise ValueError("expected an address without spaces")
    return parts
