"""The configuration of the running worker, as it may be shown: without secrets."""

from __future__ import annotations

from dataclasses import Field, dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from meuble_project.env import Env


@dataclass(frozen=True, slots=True)
class Setting:
    """``is_default``: whether the value is what an empty variable would mean."""

    name: str
    shown: str
    is_default: bool


def shown_settings(env: Env) -> list[Setting]:
    """Return every variable in the order of the documentation."""
    return [_setting(env, item) for item in fields(env)]


def _setting(env: Env, item: Field[Any]) -> Setting:
    value = getattr(env, item.name)
    default = item.metadata["parse"](item.metadata["defaults"][env.debug])
    return Setting(item.name.upper(), _display_value(item, value), value == default)


def _display_value(item: Field[Any], value: object) -> str:
    if value in ("", ()):
        return "—"
    if not item.repr:
        return without_secrets(str(value)) if item.name.endswith("_url") else "défini, non affiché"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value)


def without_secrets(url: str) -> str:
    """``redis://:secret@host:6379/0?x=y`` becomes ``redis://host:6379/0``."""
    parts = urlsplit(url)
    if "@" in parts.path:  # a password that was not escaped may end there
        return f"{parts.scheme}://…"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
