"""What an answer rests on, as the page shows it: bounded, and leading nowhere else. Pure."""

from __future__ import annotations

from typing import Any

from chat.core.json import JSON

MAX_SOURCES = 8
MAX_LABEL_CHARS = 120
MAX_TEXT_CHARS = 200
KINDS = ("product", "rule", "shop", "order")
#: What a product's card shows besides its name.
_CARD = ("price", "size", "stock", "image")
_MAX_REF_CHARS = 60


def taken_from(result: JSON) -> tuple[JSON, list[JSON]]:
    """Return a tool's result without its "sources", which the model never sees, and those."""
    given = result.get("sources")
    rest = {name: value for name, value in result.items() if name != "sources"}
    listed = given if isinstance(given, list) else []
    sources = [source for entry in listed if (source := checked(entry)) is not None]
    return rest, sources[:MAX_SOURCES]


def checked(entry: Any) -> JSON | None:
    """Return the source, bounded; None when it is none, or leads out of this site."""
    if not isinstance(entry, dict) or entry.get("kind") not in KINDS:
        return None
    label, url = entry.get("label"), entry.get("url")
    if not isinstance(label, str) or not label or not is_own_path(url):
        return None
    source: JSON = {
        "kind": entry["kind"],
        "label": label[:MAX_LABEL_CHARS],
        "ref": str(entry.get("ref") or "")[:_MAX_REF_CHARS],
        "url": url,
    }
    for name in _CARD if source["kind"] == "product" else ():
        value = entry.get(name)
        if isinstance(value, str) and value and (name != "image" or is_own_path(value)):
            source[name] = value[:MAX_TEXT_CHARS]
    return source


def is_own_path(url: Any) -> bool:
    """Whether it is a path of this site: ``/produits/SAL-CAP-001/``, never ``//elsewhere``."""
    return (
        isinstance(url, str)
        and url.startswith("/")
        and not url.startswith(("//", "/\\"))
        and len(url) <= MAX_TEXT_CHARS
        and url.isprintable()
    )
