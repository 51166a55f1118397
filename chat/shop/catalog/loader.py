"""Atomic import of a catalogue file into the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import router, transaction
from django.utils.text import slugify

from chat.shop.catalog import index
from chat.shop.catalog.import_rows import ProductRow, check_rows
from chat.shop.catalog.models import WORD_FIELDS, Category, Product
from chat.shop.imports.reading import MAX_BYTES, RowProblem, Unreadable, read_rows

#: Display order of the categories; unknown ones come last.
_POSITIONS = {"salon": 1, "salle-a-manger": 2, "chambre": 3, "decoration": 4}

Tell = Callable[[int, int], None]


class BadCatalogue(Exception):
    """The file has invalid rows; nothing was written."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        super().__init__(f"{len(problems)} erreurs")
        self.problems = tuple(problems)


@dataclass(slots=True)
class Loaded:
    """Outcome of an import: references by outcome. ``written``: False after a dry run."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    deactivated: list[str] = field(default_factory=list)
    written: bool = True

    @property
    def changed(self) -> bool:
        return bool(self.created or self.updated or self.deactivated)


def read_catalogue(path: Path) -> list[ProductRow]:
    """Read and validate the products of a file.

    Raises:
        Unreadable: the file as a whole cannot be read.
        BadCatalogue: some rows are invalid.
    """
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(f"Le fichier dépasse {MAX_BYTES // 1_000_000} Mo.")
    rows, problems = read_rows(path.read_bytes(), is_csv=path.suffix.lower() == ".csv")
    products, faults = check_rows(rows)
    if problems or faults:
        raise BadCatalogue(sorted([*problems, *faults], key=lambda fault: fault.line))
    return products


def load_catalogue(
    products: Sequence[ProductRow],
    *,
    dry_run: bool = False,
    deactivate_missing: bool = False,
    tell: Tell = lambda _done, _total: None,
) -> Loaded:
    """Create and update products by reference, in one transaction. Idempotent.

    ``dry_run``: roll the transaction back. ``deactivate_missing``: take products that are missing
    from the file off sale. ``tell``: progress callback with (done, total).
    """
    loaded = Loaded(written=not dry_run)
    with transaction.atomic(using=router.db_for_write(Product)):
        known = {
            product.reference: product for product in Product.objects.select_related("category")
        }
        categories = {category.name: category for category in Category.objects.all()}
        fresh: list[Product] = []
        for done, row in enumerate(products, 1):
            if deactivate_missing:  # the file is the whole range: its products are on sale
                row.values.setdefault("is_active", True)
            _load_one(row, known.get(row.reference), categories, loaded, fresh)
            tell(done, len(products))
        created = Product.objects.bulk_create(fresh, batch_size=200)
        index.put({product.pk: product.indexed_texts() for product in created})
        if deactivate_missing:
            _deactivate(set(known) - {row.reference for row in products}, loaded)
        if dry_run:
            transaction.set_rollback(True, using=router.db_for_write(Product))
    return loaded


def _load_one(
    row: ProductRow,
    product: Product | None,
    categories: dict[str, Category],
    loaded: Loaded,
    fresh: list[Product],
) -> None:
    """Update one product, or append it to ``fresh`` for creation."""
    values = {**row.values, "category": _category(row.values["category"], categories)}
    if product is None:
        new = Product(**values)
        new.renew_words()
        fresh.append(new)
        loaded.created.append(row.reference)
        return
    before = _state(product, [*values, *WORD_FIELDS])
    for name, value in values.items():
        setattr(product, name, value)
    product.renew_words()
    if _state(product, before) == before:
        loaded.unchanged.append(row.reference)
        return
    product.save()
    loaded.updated.append(row.reference)


def _state(product: Product, names: Any) -> dict[str, object]:
    state = {name: getattr(product, name) for name in names}
    return {
        name: value.timestamp() if isinstance(value, datetime) else value
        for name, value in state.items()
    }


def _category(name: str, categories: dict[str, Category]) -> Category:
    if name not in categories:
        slug = slugify(name)[:40]
        found, _ = Category.objects.get_or_create(
            slug=slug, defaults={"name": name, "position": _POSITIONS.get(slug, 9)}
        )
        categories[name] = found
    return categories[name]


def _deactivate(references: set[str], loaded: Loaded) -> None:
    gone = Product.objects.filter(reference__in=references, is_active=True)
    loaded.deactivated += sorted(gone.values_list("reference", flat=True))
    gone.update(is_active=False)
