"""The recap of a ticket that is being made, as the page without JavaScript shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chat.core.errors import ChatError, InvalidForm
from chat.core.json import JSON
from chat.shop.tickets.draft import MAX_WORDS_CHARS

_INPUTS = {"words": "textarea", "email": "email", "delivered_on": "date"}


@dataclass(frozen=True, slots=True)
class Line:
    """``shown``: as it is read; ``value``: as its input holds it; ``wrong``: why it is refused."""

    field: str
    label: str
    value: str
    shown: str
    wrong: str
    input: str


@dataclass(frozen=True, slots=True)
class Recap:
    id: str
    version: int
    lines: tuple[Line, ...]
    is_edited: bool
    max_words_chars: int = MAX_WORDS_CHARS


def recap_of(form: JSON | None, edits: Mapping[str, str], error: ChatError | None) -> Recap | None:
    """Return what is shown of the form, None before nothing is lacking.

    ``edits``: what was typed in its fields and refused, with that error.
    """
    if form is None or not form["complete"]:
        return None
    wrong = error.fields if isinstance(error, InvalidForm) else {}
    typed = edits if wrong else {}
    lines = (
        Line(
            field=field,
            label=label,
            value=typed.get(field, value),
            shown=shown,
            wrong=wrong.get(field, ""),
            input=_INPUTS.get(field, "text"),
        )
        for field, label, value, shown in form["rows"]
    )
    return Recap(form["id"], form["version"], tuple(lines), bool(wrong))
