"""Validation of catalogue rows: converts each field and collects all problems. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chat.shop.catalog import cells
from chat.shop.catalog.cells import BadCell
from chat.shop.imports.reading import RawRow, RowProblem

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ProductRow:
    """Valid row. ``values``: by field of ``Product``, with ``category`` as text."""

    line: int
    reference: str
    values: Values


_SIDES = {"width": "largeur", "depth": "profondeur", "height": "hauteur"}
_STATES = {"": "", "unfolded_": "_deplie", "packed_": "_colis"}
_TEXTS = {"description": 2000, "guarantee": 500, "care": 1000}
_LISTS = ("materials", "colours", "features", "known_problems")

#: Accepted column names and the fields that they stand for.
ALIASES = {
    "référence": "reference",
    "nom": "name",
    "catégorie": "category",
    "categorie": "category",
    "prix": "price_eur",
    "prix_eur": "price_eur",
    "prix_min": "price_min_eur",
    "prix_max": "price_max_eur",
    "matières": "materials",
    "matieres": "materials",
    "couleurs": "colours",
    "coloris": "colours",
    "atouts": "features",
    "garantie": "guarantee",
    "problèmes_connus": "known_problems",
    "problemes_connus": "known_problems",
    "entretien": "care",
    "places": "seats",
    "places_deplie": "seats_unfolded",
    "livraison_min": "delivery_weeks_min",
    "livraison_max": "delivery_weeks_max",
    "stock_le": "stock_at",
    "dessin": "image",
    "actif": "is_active",
    **{
        f"{french}{said}_{unit}": f"{state}{side}_{unit}"
        for state, said in _STATES.items()
        for side, french in _SIDES.items()
        for unit in ("mm", "cm")
    },
    "couchage_largeur_cm": "bed_width_cm",
    "couchage_longueur_cm": "bed_length_cm",
}
_SIZES = (*(f"{state}{side}" for state in _STATES for side in _SIDES), "bed_width", "bed_length")


def _text(most: int, *, required: bool = False) -> Callable[[object], Any]:
    return lambda value: cells.text(value, most, required=required)


def _size(factor: int) -> Callable[[object], Any]:
    return lambda value: cells.size(value, factor)


def _whole(least: int, most: int) -> Callable[[object], Any]:
    return lambda value: cells.whole(value, least, most)


_READERS: dict[str, Callable[[object], Any]] = {
    "reference": cells.reference,
    "name": _text(100, required=True),
    "category": _text(60, required=True),
    **{name: _text(most) for name, most in _TEXTS.items()},
    **dict.fromkeys(_LISTS, cells.texts),
    **{f"{name}_mm": _size(1) for name in _SIZES},
    **{f"{name}_cm": _size(10) for name in _SIZES},
    **dict.fromkeys(("seats", "seats_unfolded"), _whole(1, 30)),
    **dict.fromkeys(("delivery_weeks_min", "delivery_weeks_max"), _whole(0, 52)),
    "stock": _whole(0, 100_000),
    "stock_at": cells.moment,
    "image": cells.image,
    "is_active": cells.truth,
    "price_eur": cells.euros_range,
    **dict.fromkeys(("price_min_eur", "price_max_eur"), cells.euros),
    **dict.fromkeys(("price_cents", "price_min_cents", "price_max_cents"), cells.cents),
}
_REQUIRED = ("reference", "name", "category", "delivery_weeks_min", "delivery_weeks_max")
_PRICES = tuple(name for name in _READERS if name.startswith("price_"))


def check_rows(rows: Sequence[RawRow]) -> tuple[list[ProductRow], list[RowProblem]]:
    """Return the valid products, and the problems of all rows."""
    problems: list[RowProblem] = []
    products: list[ProductRow] = []
    seen: dict[str, int] = {}
    for row in rows:
        values, faults = _checked(row)
        reference = str(values.get("reference", ""))
        if reference and reference in seen:
            said = f"{reference} figure déjà à la ligne {seen[reference]}."
            faults.append(RowProblem(row.line, "reference", said))
        elif reference:
            seen[reference] = row.line
        problems += faults
        if not faults:
            products.append(ProductRow(row.line, reference, values))
    return products, problems


def _checked(row: RawRow) -> tuple[Values, list[RowProblem]]:
    problems: list[RowProblem] = []
    values: Values = {}
    written = {ALIASES.get(name, name): name for name in row.fields}
    for name, original in written.items():
        reader = _READERS.get(name)
        if reader is None:
            problems.append(RowProblem(row.line, original[:60], "Colonne inconnue."))
            continue
        try:
            values[name] = reader(row.fields[original])
        except BadCell as error:
            problems.append(RowProblem(row.line, original, str(error)))
    failed = {ALIASES.get(problem.column, problem.column) for problem in problems}
    missing = [n for n in _REQUIRED if values.get(n) in (None, "") and n not in failed]
    problems += [RowProblem(row.line, name, "Valeur obligatoire.") for name in missing]
    if not failed.intersection(_PRICES):
        problems += _priced(values, row.line)
    if not problems:
        problems += _agreeing(_in_mm(values), row.line)
    return values, problems


def _priced(values: Values, line: int) -> list[RowProblem]:
    """Convert the price columns, in euros or as a range, to cents."""
    low, high = values.pop("price_eur", None) or (None, None)
    low = low or values.pop("price_cents", None)
    for unit in ("eur", "cents"):
        low = low or values.pop(f"price_min_{unit}", None)
        high = high or values.pop(f"price_max_{unit}", None)
    for name in _PRICES:
        values.pop(name, None)
    if low is None:
        return [RowProblem(line, "price_eur", "Le prix est obligatoire.")]
    values["price_min_cents"], values["price_max_cents"] = low, high or low
    if values["price_max_cents"] < low:
        return [RowProblem(line, "price_max_eur", "Le prix le plus haut est sous le plus bas.")]
    return []


def _in_mm(values: Values) -> Values:
    for name in _SIZES:
        in_cm = values.pop(f"{name}_cm", None)
        if in_cm is not None:
            values[f"{name}_mm"] = in_cm
    return values


def _agreeing(values: Values, line: int) -> list[RowProblem]:
    """Return the contradictions between values of one row."""
    problems = []
    if values["delivery_weeks_max"] < values["delivery_weeks_min"]:
        problems.append(RowProblem(line, "delivery_weeks_max", "Délai inférieur au minimum."))
    if (values.get("stock") is None) != (values.get("stock_at") is None):
        problems.append(RowProblem(line, "stock_at", "Un stock se donne avec la date du relevé."))
    unfolded, seats = values.get("seats_unfolded"), values.get("seats")
    if unfolded is not None and (seats is None or unfolded < seats):
        problems.append(RowProblem(line, "seats_unfolded", "Moins de places déplié que plié."))
    return problems
