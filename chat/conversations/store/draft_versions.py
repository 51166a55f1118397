"""When a ticket that is being made may take the place of the one that is there. Pure.

``lua/put_form.lua`` decides the same.
"""

from __future__ import annotations

from chat.conversations.store.redis.document import dumps
from chat.core.errors import PayloadTooLarge
from chat.core.json import JSON

MAX_FORM_BYTES = 16 * 1024


def form_text(form: JSON | None) -> str:
    """Return the form as it is stored, "" for none.

    Raises:
        PayloadTooLarge: over ``MAX_FORM_BYTES``.
    """
    text = dumps(form) if form is not None else ""
    if len(text.encode()) > MAX_FORM_BYTES:
        raise PayloadTooLarge
    return text


def is_repeated(there: JSON | None, last: int, form: JSON | None, expected: int) -> bool:
    """Whether this very change was made before. ``last``: ``Session.form_version``."""
    return there == form and (form is not None or expected in (0, last - 1))


def may_replace(there: JSON | None, last: int, form: JSON | None, expected: int) -> bool:
    """Whether the form may be put where the one with the expected version is thought to be."""
    version = there["version"] if there is not None else 0
    return bool(version == expected and (form is None or form["version"] > last))


def version_after(form: JSON | None, expected: int) -> int:
    """Return the last version once the change is made."""
    return int(form["version"]) if form is not None else expected + 1
