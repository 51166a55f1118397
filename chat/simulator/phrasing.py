"""What tools returned, said in French."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from chat.simulator import texts
from chat.simulator.labels import label_of
from chat.simulator.request import JSON
from chat.simulator.words import folded

_MAX_ITEMS = 6
_MAX_FIELDS = 10
_MAX_DEPTH = 3
_MAX_VALUE_CHARS = 400
#: "entretenir" asks for "Entretien".
_STEM_CHARS = 5

_NAMES = ("name", "nom", "title", "titre", "label", "product", "topic")
_REFERENCES = ("reference", "ref", "sku", "number", "order_number", "id")
_PRICES = re.compile(r"price|prix")
_ERRORS = ("error", "erreur")
#: What programs read, not customers.
_UNSAID = {"rule", "not_taken"}
_COUNTS = {"count", "found", "nombre", "total"}
_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}.*)?\Z")


def phrase_results(contents: Sequence[str], asked: str = "") -> str:
    """Return what these tool messages say, with the offer to go on.

    ``asked``: what of a long sheet was asked for stands before the rest.
    """
    parts = [_phrase(_asked_first(_parsed(content), asked)) for content in contents]
    said = [part for part in parts if part]
    return "\n\n".join(said if _is_asking(contents) else [*said, texts.ANYTHING_ELSE])


def _is_asking(contents: Sequence[str]) -> bool:
    """Whether the last tool has a question of its own put to the customer."""
    last = _parsed(contents[-1]) if contents else None
    message = last.get("message") if isinstance(last, dict) else None
    return isinstance(message, str) and message.endswith("?")


def _asked_first(result: object, asked: str) -> object:
    if not isinstance(result, dict) or len(result) <= _MAX_FIELDS:
        return result
    stems = {word[:_STEM_CHARS] for word in folded(asked).split() if len(word) >= _STEM_CHARS}
    head = [key for key in result if key in (*_NAMES, *_REFERENCES)]
    wanted = [key for key in result if folded(label_of(key))[:_STEM_CHARS] in stems]
    return {key: result[key] for key in dict.fromkeys((*head, *wanted, *result))}


def _parsed(content: str) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content


def _phrase(result: object) -> str:
    match result:
        case None | [] | "":
            return texts.NOTHING_FOUND
        case str():
            return _short(result)
        case list():
            return f"{texts.FOUND}\n\n{_bullets(result)}"
        case dict():
            return _phrase_object(result) if result else texts.NOTHING_FOUND
    return _scalar("", result)


def _phrase_object(result: JSON) -> str:
    failure = _failure(result)
    if failure:
        return texts.TOOL_LOOKUP_FAILED.format(reason=failure)
    lists = {key: value for key, value in result.items() if _is_list_of_objects(value)}
    rest = {key: value for key, value in result.items() if key not in lists}
    if lists and not any(lists.values()):
        return texts.NOTHING_FOUND
    if lists:
        rest = {key: value for key, value in rest.items() if key not in _COUNTS}
    parts = [_sheet(rest)] if rest else []
    for key, items in lists.items():
        opening = f"{label_of(key)} :" if parts else texts.FOUND
        parts.append(f"{opening}\n\n{_bullets(items)}")
    return "\n\n".join(parts)


def _failure(result: JSON) -> str:
    """Return why the tool failed, or "" if it did not."""
    for key in _ERRORS:
        match result.get(key):
            case str(reason) if reason:
                message = result.get("message")
                return _short(message if isinstance(message, str) and message else reason)
            case {"message": str(reason)}:
                return _short(reason)
    if result.get("ok") is False or result.get("found") is False:
        return _short(str(result.get("message") or "rien ne correspond."))
    return ""


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _sheet(fields: JSON) -> str:
    """Return an object as a short list, opened by its message if it has one."""
    message = fields.get("message")
    opening = _short(message) if isinstance(message, str) and message else texts.FOUND
    lines = _fields({key: value for key, value in fields.items() if key != "message"})
    return "\n\n".join(part for part in (opening, "\n".join(lines)) if part)


def _fields(fields: JSON, depth: int = 0) -> list[str]:
    lines = []
    for key, value in list(fields.items())[:_MAX_FIELDS]:
        if key in _UNSAID:
            continue
        text = _inline(key, value, depth)
        if text:
            lines.append(f"- **{label_of(key)}** : {text}")
    return lines


def _bullets(items: Sequence[object]) -> str:
    lines = [f"- {_item(item)}" for item in items[:_MAX_ITEMS]]
    more = len(items) - _MAX_ITEMS
    if more > 0:
        lines.append(f"- et {more} autre{'s' if more > 1 else ''}")
    return "\n".join(lines)


def _item(item: object) -> str:
    if not isinstance(item, dict):
        return _inline("", item, 1)
    name = next((str(item[key]) for key in _NAMES if isinstance(item.get(key), str)), "")
    reference = next((str(item[key]) for key in _REFERENCES if item.get(key)), "")
    head = f"**{_short(name or reference)}**" + (f" ({reference})" if name and reference else "")
    rest = [key for key in item if key not in (*_NAMES, *_REFERENCES, *_UNSAID)]
    rest.sort(key=lambda key: not _PRICES.search(key))
    said = [_detail(key, item[key]) for key in rest[:_MAX_FIELDS]]
    return " : ".join(part for part in (head, " ; ".join(text for text in said if text)) if part)


def _detail(key: str, value: object) -> str:
    text = _inline(key, value, 1)
    return text if not text or _is_price(key) else f"{label_of(key).lower()} {text}"


def _inline(key: str, value: object, depth: int) -> str:
    if depth > _MAX_DEPTH:
        return "…"
    match value:
        case list():
            shown = [_inline(key, item, depth + 1) for item in value[:_MAX_ITEMS]]
            return ", ".join(text for text in shown if text)
        case dict():
            shown = [
                f"{label_of(name).lower()} {_inline(name, item, depth + 1)}"
                for name, item in list(value.items())[:_MAX_FIELDS]
            ]
            return ", ".join(shown)
    return _scalar(key, value)


def _scalar(key: str, value: object) -> str:
    match value:
        case None | "":
            return ""
        case bool():
            return "oui" if value else "non"
        case int() | float():
            return _amount(key, value)
    text = _short(str(value))
    date = _ISO_DATE.match(text)
    if date and 1 <= int(date.group(2)) <= 12:
        day = "1er" if date.group(3) == "01" else int(date.group(3))
        return f"{day} {_MONTHS[int(date.group(2)) - 1]} {date.group(1)}"
    return text


def _is_price(key: str) -> bool:
    return key.endswith(("_eur", "_cents")) or _PRICES.search(key) is not None


def _amount(key: str, value: int | float) -> str:
    """Return a number as written in French; in euros when its key speaks of a price."""
    if not math.isfinite(value) or abs(value) > 1e15:
        return str(value)
    euros = value / 100 if key.endswith("_cents") else value
    if not _is_price(key):
        return f"{value:g}".replace(".", ",") if isinstance(value, float) else str(value)
    text = f"{euros:,.0f}" if float(euros).is_integer() else f"{euros:,.2f}"
    return text.replace(",", "\u202f").replace(".", ",") + " €"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_VALUE_CHARS else line[: _MAX_VALUE_CHARS - 1] + "…"
