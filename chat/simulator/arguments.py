"""Arguments for a tool, filled from what the customer said, as its JSON schema wants them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from chat.simulator import facts
from chat.simulator.choices import chosen, neutral
from chat.simulator.pending import is_not_at_hand
from chat.simulator.request import JSON
from chat.simulator.words import folded

_MAX_DEPTH = 4
_MAX_TEXT_CHARS = 500


class CannotFill(Exception):
    """Something required was not said: the assistant has to ask for it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What arguments are taken from.

    ``subject``: the message. ``earlier``: those before it, the newest first; only numbers and
    references are looked for there. ``forced``: a value is made up rather than asked for.
    ``is_report``: it tells what happened, so its words name no product by themselves.
    """

    subject: str
    earlier: tuple[str, ...] = ()
    name: str = ""
    forced: bool = False
    is_report: bool = False

    def find(self, reader: Callable[[str], str]) -> str:
        """Return what ``reader`` finds in the message or, failing that, in the earlier ones."""
        found = (reader(text) for text in (self.subject, *self.earlier))
        return next((value for value in found if value), "")


def arguments_for(parameters: JSON, said: Said) -> JSON:
    """Return arguments that satisfy the schema of a tool's parameters.

    Raises:
        CannotFill: a required property has no sensible value in what was said.
    """
    return _object(parameters, parameters, said, 0)


def _object(schema: JSON, root: JSON, said: Said, depth: int) -> JSON:
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict):
        return {}
    must = set(required) if isinstance(required, list) else set()
    filled: JSON = {}
    for name, declared in properties.items():
        value = _value(name, _resolved(declared, root), root, said, depth + 1)
        if value is not None:
            filled[name] = value
        elif name in must:
            filled[name] = _last_resort(name, _resolved(declared, root), said)
    return filled


def _resolved(schema: object, root: JSON) -> JSON:
    """Return the schema without ``$ref`` and ``anyOf``, with ``nullable`` where null is allowed."""
    nullable = False
    for _ in range(_MAX_DEPTH):
        if not isinstance(schema, dict):
            return {}
        options = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(schema.get("$ref"), str):
            schema = _referred(schema["$ref"], root)
        elif isinstance(options, list) and options:
            nullable = nullable or {"type": "null"} in options
            schema = next((option for option in options if option != {"type": "null"}), {})
        else:
            break
    return {**schema, "nullable": nullable} if isinstance(schema, dict) else {}


def _referred(pointer: str, root: JSON) -> object:
    found: object = root
    for step in pointer.removeprefix("#/").split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _kind(schema: JSON) -> str:
    declared = schema.get("type", "string")
    if isinstance(declared, list):
        return next((str(kind) for kind in declared if kind != "null"), "string")
    return str(declared)


def _value(name: str, schema: JSON, root: JSON, said: Said, depth: int) -> object:
    """Return what the message says for this property, or None."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(schema.get("enum"), list):
        return chosen(_values(schema), said.subject)
    if "const" in schema:
        return schema["const"]
    match _kind(schema):
        case "integer" | "number":
            return _number(name, schema, said)
        case "array":
            item = _value(name, _resolved(schema.get("items"), root), root, said, depth + 1)
            return None if item is None else [item]
        case "object":
            return _object(schema, root, said, depth) or None
        case "boolean":
            return (name.startswith("no_") and is_not_at_hand(said.subject)) or None
        case "string":
            return _fitting(_text(name, said), schema)
    return None


def _number(name: str, schema: JSON, said: Said) -> int | None:
    plain, bounds = folded(name), facts.prices(said.subject)
    if re.search(r"price|prix|budget|cost|eur|cents", plain):
        wanted = bounds.at_least if re.search(r"min|least|from", plain) else bounds.at_most
        if wanted is not None and "cents" in plain:
            wanted *= 100
        return _in_bounds(wanted, schema)
    if "door" in plain:
        return _in_bounds(facts.door_cm(said.subject, int("height" in plain)), schema)
    if re.search(r"quantity|quantite|seats|places|persons|people", plain):
        found = re.search(r"\b(\d{1,2}) (?:places?|personnes?|chaises?)\b", folded(said.subject))
        return _in_bounds(int(found.group(1)) if found else None, schema)
    return None


def _in_bounds(value: int | None, schema: JSON) -> int | None:
    low, high = schema.get("minimum"), schema.get("maximum")
    if value is None or (isinstance(low, int | float) and value < low):
        return None
    return None if isinstance(high, int | float) and value > high else value


def _earlier_or_here(pattern: re.Pattern[str], said: Said) -> str:
    match = pattern.search(folded(said.subject))
    return match.group(1) if match else ""


def _text(name: str, said: Said) -> str:
    """Return the words for a text property, told by its name; "" when nothing fits."""
    plain = folded(name)
    for pattern, reader in _READERS:
        if re.search(pattern, plain):
            return reader(said)
    return ""


def _product_id(said: Said) -> str:
    reference = said.find(facts.product_reference)
    named = reference or facts.product_name(said.subject)
    return named or ("" if said.is_report else facts.search_terms(said.subject))


#: Which words of a property's name tell what it holds; the first that matches decides.
_READERS: tuple[tuple[str, Callable[[Said], str]], ...] = (
    (r"ticket|dossier|case", lambda said: said.find(facts.ticket_reference)),
    (r"order|commande", lambda said: said.find(facts.order_number)),
    (r"mail|courriel", lambda said: said.find(facts.email)),
    (r"postcode|postal|zip", lambda said: said.find(facts.postcode)),
    (r"phone|tel", lambda said: said.find(facts.phone)),
    (r"^(?:customer|client|first|last|full)?_?(?:name|nom|prenom)$", lambda said: said.name),
    (r"date|_at$|^at$", lambda said: facts.iso_date(said.subject)),
    (r"colou?r|couleur|coloris", lambda said: _earlier_or_here(facts.COLOURS, said)),
    (r"material|matiere", lambda said: _earlier_or_here(facts.MATERIALS, said)),
    (r"sku|ref|product|article|item", _product_id),
    (
        r"query|search|keyword|need|^q$|terms|recherche",
        lambda said: facts.search_terms(said.subject),
    ),
    (r"categor|type|kind", lambda said: facts.product_noun(said.subject)),
    (r"number|numero|^id$|_id$", lambda said: said.find(facts.order_number)),
    (
        r"desc|problem|reason|motif|summary|resume|message|question|detail|text|comment|subject"
        r"|sujet|topic|symptom|note",
        lambda said: said.subject.strip(),
    ),
)


def _fitting(text: str, schema: JSON) -> str | None:
    """Return the text as the schema bounds it, or None where it cannot."""
    limit = schema.get("maxLength")
    text = text[: limit if isinstance(limit, int) and limit > 0 else _MAX_TEXT_CHARS]
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and len(pattern) <= 200 and not _matches(pattern, text):
        return None
    least = schema.get("minLength")
    return None if not text or (isinstance(least, int) and len(text) < least) else text


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


def _values(schema: JSON) -> list[object]:
    declared = schema.get("enum")
    return [value for value in declared if value is not None] if isinstance(declared, list) else []


def _of_choice(name: str, values: list[object], said: Said) -> object:
    """Return a value where the message means none: what commits to nothing, or the mildest."""
    value = neutral(values)
    if value is None and re.search(r"topic|subject|sujet|theme|section", name) and not said.forced:
        raise CannotFill(name)
    return values[-1] if value is None else value


def _last_resort(name: str, schema: JSON, said: Said) -> object:
    """Return what to put where the message says nothing but something is required."""
    if "default" in schema:
        return schema["default"]
    declared, values = schema.get("type"), _values(schema)
    if schema.get("nullable") or (isinstance(declared, list) and "null" in declared):
        return None
    if values:
        return _of_choice(name, values, said)
    match _kind(schema):
        case "boolean":
            return False
        case "array":
            return []
        case "object":
            return {}
        case "integer" | "number":
            return schema.get("minimum", 1)
    if not said.forced:
        raise CannotFill(name)
    return _fitting(said.subject, {**schema, "pattern": None}) or "?"
