"""What a check says. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from chat.core.json import JSON


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """``what``: what was seen. ``fix``: the line to type or to write that puts it right."""

    name: str
    level: Level
    what: str
    fix: str = ""

    def to_json(self) -> JSON:
        return {"name": self.name, "level": self.level.value, "what": self.what, "mend": self.fix}


def ok(name: str, what: str) -> Finding:
    return Finding(name, Level.OK, what)


def warning(name: str, what: str, fix: str) -> Finding:
    return Finding(name, Level.WARNING, what, fix)


def wrong(name: str, what: str, fix: str) -> Finding:
    return Finding(name, Level.WRONG, what, fix)


def skipped(name: str, what: str) -> Finding:
    return Finding(name, Level.SKIPPED, what)


def masked(url: str) -> str:
    """``redis://:***@host:6379/0``: an address as it may be shown."""
    parts = urlsplit(url)
    if not parts.netloc:
        return f"{parts.scheme}://{parts.path}"
    host = parts.netloc.rpartition("@")[2]
    who = "***@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{who}{host}{parts.path}"


def secrets_in(urls: Iterable[str], words: Iterable[str]) -> tuple[str, ...]:
    """Return what must never be shown: these words, and the passwords of these addresses."""
    found = {word for word in words if word}
    for url in urls:
        password = urlsplit(url).password
        if password:
            found |= {password, unquote(password)}
    return tuple(sorted(found, key=len, reverse=True))


def without(secrets: Iterable[str], finding: Finding) -> Finding:
    """Return the finding with stars wherever a library's message repeated a secret."""
    what, fix = finding.what, finding.fix
    for secret in secrets:
        what, fix = what.replace(secret, "***"), fix.replace(secret, "***")
    return Finding(finding.name, finding.level, what, fix)
