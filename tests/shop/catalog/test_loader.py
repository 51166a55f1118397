from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from chat.shop.catalog.import_rows import ProductRow
from chat.shop.catalog.loader import BadCatalogue, load_catalogue, read_catalogue
from chat.shop.catalog.models import Category, Product
from chat.shop.catalog.queries import search
from chat.shop.catalog.query_parser import parse_query
from chat.shop.imports.reading import Unreadable
from devtools.demo.data import DEMO_FILE, load_demo_catalogue

pytestmark = pytest.mark.django_db


def row(reference: str = "SAL-CAP-001", **changes) -> ProductRow:
    values = {
        "reference": reference,
        "name": "Canapé OSLO",
        "category": "Salon",
        "price_min_cents": 129_900,
        "price_max_cents": 129_900,
        "delivery_weeks_min": 6,
        "delivery_weeks_max": 8,
        **changes,
    }
    return ProductRow(2, reference, values)


def test_a_second_load_changes_nothing(database):
    first = load_catalogue([row(stock=3, stock_at=datetime(2026, 11, 20, tzinfo=UTC))])
    before = Product.objects.get().updated_at
    second = load_catalogue([row(stock=3, stock_at=datetime(2026, 11, 20, tzinfo=UTC))])

    assert (first.created, first.changed) == (["SAL-CAP-001"], True)
    assert (second.unchanged, second.changed) == (["SAL-CAP-001"], False)
    assert Product.objects.get().updated_at == before


def test_a_changed_row_is_updated_and_found_under_its_new_name(database):
    load_catalogue([row()])

    loaded = load_catalogue([row(name="Canapé TRONDHEIM")])

    assert loaded.updated == ["SAL-CAP-001"]
    assert [p.name for p in search(parse_query("trondheim"), 3).products] == ["Canapé TRONDHEIM"]


def test_columns_that_are_not_given_stay(database):
    load_catalogue([row(care="Aspirer.")])
    load_catalogue([row(name="Canapé BERGEN")])

    assert Product.objects.get().care == "Aspirer."


def test_a_dry_run_writes_nothing(database):
    loaded = load_catalogue([row()], dry_run=True)

    assert (loaded.created, loaded.written) == (["SAL-CAP-001"], False)
    assert not Product.objects.exists()
    assert not Category.objects.exists()
    assert search(parse_query("oslo"), 3).products == ()


def test_all_or_nothing(database):
    impossible = replace(row("SAL-CAP-002"))
    impossible.values["price_max_cents"] = 1

    with pytest.raises(IntegrityError), transaction.atomic(using=Product.objects.all().db):
        load_catalogue([row(), impossible])

    assert not Product.objects.exists()


def test_what_the_file_lacks_may_be_taken_off_sale_and_comes_back(database):
    load_catalogue([row(), row("SAL-CAP-002", name="Canapé BERGEN")])

    gone = load_catalogue([row()], deactivate_missing=True)
    back = load_catalogue(
        [row(), row("SAL-CAP-002", name="Canapé BERGEN")], deactivate_missing=True
    )

    assert gone.deactivated == ["SAL-CAP-002"]
    assert back.updated == ["SAL-CAP-002"]
    assert Product.objects.filter(is_active=True).count() == 2


def test_progress_is_told(database):
    told = []

    load_catalogue([row(), row("SAL-CAP-002")], tell=lambda *step: told.append(step))

    assert told == [(1, 2), (2, 2)]


def test_categories_are_ordered_as_the_shop_is(database):
    names = ("Décoration", "Salon", "Chambre", "Salle à manger")
    load_catalogue([row(f"SAL-CAP-{n:03}", category=name) for n, name in enumerate(names)])

    assert [category.slug for category in Category.objects.all()] == [
        "salon",
        "salle-a-manger",
        "chambre",
        "decoration",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"price_min_cents": 0},
        {"price_min_cents": 10, "price_max_cents": 9},
        {"price_max_cents": 10_000_001},
        {"delivery_weeks_min": 9},
        {"stock": 1},
        {"stock_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"seats": 0},
        {"seats_unfolded": 4},
        {"seats": 31},
        {"seats": 4, "seats_unfolded": 2},
        {"width_mm": 0},
        {"packed_depth_mm": 10_001},
        {"reference": "SAL"},
    ],
)
def test_the_database_refuses_what_makes_no_sense(database, changes):
    with pytest.raises(IntegrityError), transaction.atomic(using=Product.objects.all().db):
        load_catalogue([row(**changes)])


def test_the_demonstration_is_a_whole_shop(database):
    load_demo_catalogue()

    products = Product.objects.select_related("category")
    assert products.count() >= 60
    assert {p.category.slug for p in products} == {
        "salon",
        "salle-a-manger",
        "chambre",
        "decoration",
    }
    assert "Canapé OSLO" in {p.name for p in products}
    assert all(p.care and p.guarantee and p.description and p.image for p in products)
    assert len({p.name for p in products}) == len(products)
    for product in products:
        product.full_clean()


def test_a_file_tells_all_its_faults(tmp_path):
    path = tmp_path / "catalogue.csv"
    path.write_text(
        "référence;nom;catégorie;prix;livraison_min;livraison_max\n"
        "SAL-CAP-001;Canapé OSLO;Salon;-5;6;8\n"
        "SAL-CAP-002;=1+1;Salon;1 299,00;6;8\n"
        "SAL-CAP-003;Trop;court\n"
    )

    with pytest.raises(BadCatalogue) as refused:
        read_catalogue(path)

    assert [(p.line, p.column) for p in refused.value.problems] == [
        (2, "prix"),
        (3, "nom"),
        (4, ""),
    ]


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(100_000_000)

    with pytest.raises(Unreadable, match="20 Mo"):
        read_catalogue(path)


def test_the_demonstration_file_has_no_faults():
    assert len(read_catalogue(DEMO_FILE)) >= 60
