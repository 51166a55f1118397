"""What a line of the log must not hold, and what stands there instead. Pure.

Three things are taken out of every line, whoever wrote it: what opens something by itself (signed
links, cookies, keys, passwords), what somebody looked for (query strings), and e-mail addresses.
Paths of requests are cut by their route, which holds whatever the secret looks like; the shapes in
``_RULES`` are for text that others composed, such as tracebacks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

MARK = "…"
#: Shorter ones would be found in words that are nobody's secret.
MIN_SECRET_CHARS = 6
#: Deeper values are not shown.
MAX_DEPTH = 6

#: How many segments of a path may be shown, by the first one. Others: that one alone.
_SHOWN = {"admin": 3, "api": 2, "static": 9}
#: A segment that is a word of ours; ids, tokens and what a stranger types are not.
_WORD = re.compile(r"[a-z][a-z_.-]{0,29}")
_FILE = re.compile(r"[\w.-]{1,30}")

#: No rule below matches without one of these: most values are passed by after one look.
_SUSPECT = re.compile(r"[:=@/?%]|sk-|mdf_|[Bb]earer|BEARER|[A-Za-z0-9_-]{32}")


def _keep_groups(text: str, match: re.Match[str]) -> str:
    return "".join(match.groups()) + text


#: Every repetition is bounded or begins at a fixed sign: the time is linear in the text.
#: What the groups of a pattern hold stays, the text stands for the rest. No templates like ``\1``:
#: they import a module at each use, which fails while Python shuts down.
_RULES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    (re.compile(pattern, re.IGNORECASE if is_any_case else 0), partial(_keep_groups, text))
    for pattern, text, is_any_case in (
        # Query strings: of an address, of an ASGI scope, of META.
        (r"(?<=[\w/…])\?(?=[\w%&=])[^\s\"'<>]*", f"?{MARK}", False),
        (r"(query_string['\"]?\W{1,4}?b?['\"])[^'\"]*", MARK, True),
        # What Django says of a page that it refuses a form from: the header as it came. Browsers
        # send no path in an Origin; others send what they like, so the host alone is shown.
        (
            r"((?:Origin|Referer) checking failed - "
            r"(?:null\b|https?://[^\s/?#@\\]{1,255}(?![^\s/?#]))?).*",
            MARK,
            True,
        ),
        # Routes that end in a secret.
        (r"(/suivi/+)[^\s\"'<>]+", MARK, True),
        (r"(/api/chat/+)(?!sessions/count)[^\s\"'<>/?]+", MARK, True),
        # Headers, cookies, keys.
        (r"(authorization['\"]?\s?[:=,]\s?(?:b?['\"])?)[^'\"\r\n]+", MARK, True),
        (r"\b(bearer\s)[\w.~+/=-]+", MARK, True),
        (r"(cookie['\"]?\s?[:=,]\s?(?:b?['\"])?)[^'\"\r\n]+", MARK, True),
        (
            r"\b(chat_session|sessionid|csrftoken|csrfmiddlewaretoken)"
            r"(['\"]?\s?[:=,]\s?\[?b?['\"]?)[^\s;,&'\"]+",
            MARK,
            True,
        ),
        (r"\b(sk-|mdf_)[\w*-]{6,}", MARK, False),
        # The part before the host of an address: a user and a password.
        (r"(?<=://)[^\s\"'<>]{1,300}@", f"{MARK}@", False),
        (r"(?<![\w.+-])[\w.+-]{1,64}@(?=[\w-]{1,63}\.)", f"{MARK}@", False),
        # Ids of conversations in keys of Redis.
        (r"\b((?:session|chat:[a-z]{1,12}):)[\w-]{8,}", MARK, False),
        # A signature after its value; any other long run of random signs.
        (r"(?:(?<=:)|(?<=%3a)|(?<=%253a))[A-Za-z0-9_-]{43,}", MARK, True),
        (
            r"(?<![A-Za-z0-9_-])(?=[A-Za-z0-9_-]*[0-9])(?=[A-Za-z0-9_-]*[a-z])"
            r"(?=[A-Za-z0-9_-]*[A-Z])[A-Za-z0-9_-]{32,}",
            MARK,
            False,
        ),
    )
]


def public_path(path: str) -> str:
    """Return what of a request's path may be written: ``/suivi/SAV-1:abc/`` is ``/suivi/…``.

    A path is cut after its first segment, after a few where those are ours (the admin, static
    files), and before the first that does not look like a name that we gave.
    """
    segments = path.partition("?")[0].split("/")[1:]
    shown = 0
    if segments:
        pattern = _FILE if segments[0] == "static" else _WORD
        limit = _SHOWN.get(segments[0], 1)
        while shown < min(limit, len(segments)) and pattern.fullmatch(segments[shown]):
            shown += 1
    rest = [part for part in segments[shown:] if part]
    if not rest:
        return "/" + "/".join(segments)
    return "/".join(["", *segments[:shown], MARK])


def without_path(text: str, path: str) -> str:
    """Return a text about a request with its path as ``public_path`` shows it.

    Django escapes paths before it logs them, so both spellings are looked for.
    """
    shown = public_path(path)
    for spelling in (path, path.encode("unicode_escape").decode("ascii")):
        if len(spelling) > 1:
            text = text.replace(spelling, shown)
    return text


def redacted(text: str) -> str:
    """Return a text without secrets, query strings and e-mail addresses."""
    if _SUSPECT.search(text) is None:
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


class Redaction:
    """``redacted``, and the very secrets that this process was given."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= MIN_SECRET_CHARS}
        longest_first = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def text(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(partial(_keep_groups, MARK), text)
        return redacted(text)

    def value(self, value: Any, depth: int = 0) -> Any:
        """Return a value with its texts redacted; what is no plain value becomes its text."""
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, str):
            return self.text(value)
        if depth < MAX_DEPTH and isinstance(value, (list, tuple)):
            return [self.value(item, depth + 1) for item in value]
        if depth < MAX_DEPTH and isinstance(value, dict):
            return {self.text(str(key)): self.value(item, depth + 1) for key, item in value.items()}
        return self.text(repr(value))


def secrets_in_url(url: str) -> tuple[str, ...]:
    """Return the password of an address, as it is written there and as it is meant."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return ()
    return (password, unquote(password)) if password else ()
