"""French wording of tool results: each field with a French label, without computing anything."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from devtools.local_assistant.request import JSON
from devtools.local_assistant.words import folded

FOUND = "Voici ce que j'ai trouvé :"
NOTHING_FOUND = (
    "Je n'ai rien trouvé qui corresponde. Voulez-vous élargir la recherche, par exemple avec une "
    "autre matière ou un autre budget ?"
)
ANYTHING_ELSE = "Puis-je vous aider pour autre chose ?"

_MAX_ITEMS = 6
_MAX_FIELDS = 10
_MAX_VALUE_CHARS = 400
#: Length of the common prefix of a question and a label: "entretenir" matches "Entretien".
_STEM_CHARS = 5
_NAMES = ("name", "label")
_REFERENCES = ("reference", "number", "order_number")
#: Fields for programs, not for customers.
_UNSAID = {"rule", "not_taken", "message"}
#: French labels of keys.
_LABELS = {
    "applies": "S'applique", "aujourd_hui": "Aujourd'hui", "bought": "Achat",
    "categorie": "Catégorie", "commercial_guarantee": "Garantie commerciale", "delai": "Délai",
    "delivered_on": "Livré le", "email": "Courriel", "ends_on": "Fin", "items": "Articles",
    "garantie_legale": "Garantie légale", "jours_feries": "Jours fériés", "known_from": "D'après",
    "law": "Droits légaux", "more_items": "Autres articles", "name": "Nom", "number": "Numéro",
    "order_number": "Commande", "ordered_on": "Commandé le", "price": "Prix",
    "quantity": "Quantité", "reference": "Référence", "retractation": "Rétractation",
    "state": "État", "status": "Statut", "telephone": "Téléphone", "why": "Précision",
}  # fmt: skip
_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_ISO_DATE = re.compile(r"(\d{4})-(0[1-9]|1[0-2])-(\d{2})\Z")


def phrase_results(contents: Sequence[str], asked: str = "") -> str:
    """Return the wording of tool messages, with an offer to continue.

    ``asked``: the question; the fields that it mentions come first.
    """
    results = [_parsed(content) for content in contents]
    said = [_phrase(_asked_first(result, asked)) for result in results]
    is_question = bool(results) and str(results[-1].get("message", "")).endswith("?")
    return "\n\n".join(said if is_question else [*said, ANYTHING_ELSE])


def label_of(key: str) -> str:
    """Return the label of a key: "Prix" for "price", "Points d attention" by default."""
    return _LABELS.get(key) or key.replace("_", " ").strip().capitalize()


def _parsed(content: str) -> JSON:
    """Parse a tool's result; text that is not a JSON object becomes its message."""
    try:
        result = json.loads(content)
    except (ValueError, RecursionError):
        result = content
    return result if isinstance(result, dict) else {"message": str(result)}


def _asked_first(result: JSON, asked: str) -> JSON:
    if len(result) <= _MAX_FIELDS:
        return result
    stems = {word[:_STEM_CHARS] for word in folded(asked).split() if len(word) >= _STEM_CHARS}
    head = [key for key in result if key in (*_NAMES, *_REFERENCES)]
    wanted = [key for key in result if folded(label_of(key))[:_STEM_CHARS] in stems]
    return {key: result[key] for key in dict.fromkeys((*head, *wanted, *result))}


def _phrase(result: JSON) -> str:
    if result.get("error"):
        return f"Je n'ai pas pu obtenir cette information : {_short(str(result['error']))}"
    lists = {
        key: value
        for key, value in result.items()
        if isinstance(value, list) and all(isinstance(item, dict) for item in value)
    }
    if not result or (lists and not any(lists.values())):
        return NOTHING_FOUND
    fields = {key: value for key, value in result.items() if key not in lists}
    parts = []
    if fields or not lists:
        lines = [f"- **{label_of(key)}** : {text}" for key, text in _labelled_texts(fields)]
        parts = [_short(str(fields.get("message") or FOUND)), "\n".join(lines)]
    for key, items in lists.items():
        parts += [f"{label_of(key)} :" if fields else FOUND, _bullets(items)]
    return "\n\n".join(filter(None, parts))


def _bullets(items: Sequence[JSON]) -> str:
    lines = [f"- {_item(item)}" for item in items[:_MAX_ITEMS]]
    more = len(items) - _MAX_ITEMS
    if more > 0:
        lines.append(f"- et {more} autre{'s' if more > 1 else ''}")
    return "\n".join(lines)


def _item(item: JSON) -> str:
    name = next((str(item[key]) for key in _NAMES if item.get(key)), "")
    reference = next((str(item[key]) for key in _REFERENCES if item.get(key)), "")
    head = f"**{_short(name or reference)}**" + (f" ({reference})" if name and reference else "")
    rest = {key: item[key] for key in item if key not in (*_NAMES, *_REFERENCES)}
    details = " ; ".join(
        text if key == "price" else f"{label_of(key).lower()} {text}"
        for key, text in _labelled_texts(rest)
    )
    return " : ".join(filter(None, (head, details)))


def _labelled_texts(fields: JSON) -> list[tuple[str, str]]:
    """Return the non-empty fields with their labels."""
    kept = [(key, value) for key, value in fields.items() if key not in _UNSAID][:_MAX_FIELDS]
    texts = [(key, _value(value)) for key, value in kept]
    return [(key, text) for key, text in texts if text]


def _value(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "oui" if value else "non"
        case list():
            return _short(", ".join(map(str, value)))
        case dict():
            return _short(", ".join(f"{label_of(k).lower()} {v}" for k, v in value.items()))
    date = _ISO_DATE.match(str(value))
    if date is None:
        return _short(str(value))
    day = "1er" if date[3] == "01" else int(date[3])
    return f"{day} {_MONTHS[int(date[2]) - 1]} {date[1]}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_VALUE_CHARS else line[: _MAX_VALUE_CHARS - 1] + "…"
