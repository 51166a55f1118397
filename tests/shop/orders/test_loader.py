from __future__ import annotations

import copy
import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chat.shop.catalog.models import Product
from chat.shop.orders.import_rows import LINE_FIELDS, ORDER_FIELDS, BadOrders
from chat.shop.orders.loader import load_orders
from chat.shop.orders.models import COMPONENTS, Order, OrderLine
from chat.shop.tickets.problems import Component
from devtools.demo.data import DEMO_ORDERS, load_demo_catalogue

pytestmark = pytest.mark.django_db

ARTICLE: dict[str, Any] = {
    "product_reference": "SAL-CAP-001",
    "name": "Canapé convertible OSLO",
    "quantity": 1,
    "unit_price_cents": 129_900,
    "components": ["fabric", "structure"],
    "made_to_measure": False,
}
ORDER: dict[str, Any] = {
    "number": "CMD-2025-54321",
    "email": "camille@example.fr",
    "postcode": "75011",
    "customer_name": "Camille Martin",
    "ordered_at": "2025-02-14",
    "delivered_at": "2025-03-12T10:30",
    "is_distance_sale": True,
    "total_cents": 129_900,
    "lines": [ARTICLE],
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(*orders: Any, name: str = "orders.json") -> Path:
        path = tmp_path / name
        path.write_text(json.dumps(orders, indent=1))
        return path

    return write


def changed(**values: Any) -> dict[str, Any]:
    return {**copy.deepcopy(ORDER), **values}


def with_article(**values: Any) -> dict[str, Any]:
    return changed(lines=[{**ARTICLE, **values}])


def counts(loaded: Any) -> tuple[int, int, int]:
    return loaded.created, loaded.updated, loaded.unchanged


def test_an_order_is_stored_with_its_lines(write):
    second = {**ARTICLE, "name": "Coussin", "components": [], "made_to_measure": True}

    assert counts(load_orders(write(changed(lines=[ARTICLE, second])))) == (1, 0, 0)

    order = Order.objects.get()
    assert {name: getattr(order, name) for name in ORDER_FIELDS} == {
        **{name: ORDER[name] for name in ORDER_FIELDS},
        "ordered_at": datetime(2025, 2, 13, 23, tzinfo=UTC),
        "delivered_at": datetime(2025, 3, 12, 9, 30, tzinfo=UTC),
    }
    one, two = order.lines.all()
    assert {name: getattr(one, name) for name in LINE_FIELDS} == {
        **ARTICLE,
        "components": ["structure", "fabric"],
    }
    assert (two.name, two.components, two.made_to_measure, two.position) == ("Coussin", [], True, 1)


def test_the_same_file_again_changes_nothing(write):
    path = write(ORDER, changed(number="CMD-2025-00001", delivered_at=None))
    load_orders(path)
    before = list(OrderLine.objects.values_list("pk", flat=True))

    assert counts(load_orders(path)) == (0, 0, 2)
    assert list(OrderLine.objects.values_list("pk", flat=True)) == before


@pytest.mark.parametrize(
    "other",
    [
        changed(delivered_at=None),
        changed(email="Camille.Martin@example.fr"),
        changed(lines=[ARTICLE, ARTICLE]),
        with_article(components=[]),
        with_article(quantity=2),
    ],
)
def test_what_changed_is_written_over_and_others_stay(write, other):
    load_orders(write(ORDER, changed(number="CMD-2025-00001")))

    assert counts(load_orders(write(other))) == (0, 1, 0)
    assert counts(load_orders(write(other))) == (0, 0, 1)
    assert Order.objects.count() == 2
    assert Order.objects.get(number=ORDER["number"]).lines.count() == len(other["lines"])


def test_a_dry_run_counts_and_stores_nothing(write):
    load_orders(write(ORDER))

    loaded = load_orders(
        write(changed(total_cents=1), changed(number="CMD-2026-00001")), dry_run=True
    )

    assert counts(loaded) == (1, 1, 0)
    assert Order.objects.get().total_cents == ORDER["total_cents"]


@pytest.mark.parametrize(
    "wrong, place",
    [
        (changed(number="54321"), "number"),
        (changed(number=None), "number"),
        (changed(email="camille"), "email"),
        (changed(email=""), "email"),
        (changed(postcode="?"), "postcode"),
        (changed(postcode=75011), "postcode"),
        (changed(customer_name="x" * 121), "customer_name"),
        (changed(ordered_at="hier"), "ordered_at"),
        (changed(ordered_at=None), "ordered_at"),
        (changed(delivered_at="2025-01-01"), "delivered_at"),
        (changed(is_distance_sale="sans doute"), "is_distance_sale"),
        (changed(total_cents=12.5), "total_cents"),
        (changed(total_cents=-1), "total_cents"),
        (changed(total_cents=10**12), "total_cents"),
        (changed(discount=3), "discount"),
        (changed(lines=[]), "lines"),
        (changed(lines={}), "lines"),
        (changed(lines=None), "lines"),
        (changed(lines=[ARTICLE] * 101), "lines"),
        (changed(lines=["OSLO"]), "lines[0]"),
        (with_article(name=""), "lines[0].name"),
        (with_article(name="OS\x07LO"), "lines[0].name"),
        (with_article(quantity=0), "lines[0].quantity"),
        (with_article(unit_price_cents=True), "lines[0].unit_price_cents"),
        (with_article(components=["pied"]), "lines[0].components"),
        (with_article(colour="bleu"), "lines[0].colour"),
    ],
)
def test_each_fault_is_told_and_nothing_is_stored(write, wrong, place):
    with pytest.raises(BadOrders) as refused:
        load_orders(write(changed(number="CMD-2025-00001"), wrong))

    assert [fault.column for fault in refused.value.problems] == [place]
    assert refused.value.problems[0].line > 2
    assert not Order.objects.exists()


def test_all_faults_of_all_rows_are_told(write):
    other = changed(number="CMD-2026-00001", total_cents="x")

    with pytest.raises(BadOrders) as refused:
        load_orders(write(changed(email="x", postcode=""), ORDER, other))

    assert [fault.column for fault in refused.value.problems] == [
        "email",
        "postcode",
        "number",  # the same as the order before
        "total_cents",
    ]


def test_one_number_typed_in_two_ways_is_one_order(write):
    with pytest.raises(BadOrders) as refused:
        load_orders(write(ORDER, changed(number="cmd 2025 54321")))

    assert [fault.message for fault in refused.value.problems] == ["déjà donné à la ligne 2"]


def csv_of(*rows: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, [*ORDER_FIELDS, *LINE_FIELDS], extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        for line in row["lines"]:
            flat = {**row, **line, "components": " ".join(line["components"])}
            writer.writerow(flat)
    return out.getvalue()


def test_csv_has_one_line_an_article(tmp_path, write):
    path = tmp_path / "orders.csv"
    second = {**ARTICLE, "name": "Coussin"}
    both = changed(lines=[ARTICLE, second])
    path.write_text(csv_of(both, changed(number="CMD-2026-00001", delivered_at="")))

    assert counts(load_orders(path)) == (2, 0, 0)
    assert counts(load_orders(write(both))) == (0, 0, 1)


def test_csv_lines_of_one_order_must_agree(tmp_path):
    path = tmp_path / "orders.csv"
    text = csv_of(changed(lines=[ARTICLE, ARTICLE])).splitlines()
    path.write_text("\n".join([*text[:2], text[2].replace("75011", "75012")]))

    with pytest.raises(BadOrders) as refused:
        load_orders(path)

    assert [(fault.line, fault.column) for fault in refused.value.problems] == [(3, "postcode")]


def test_csv_lines_of_one_order_must_follow_one_another(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(csv_of(ORDER, changed(number="CMD-2026-00001"), ORDER))

    with pytest.raises(BadOrders) as refused:
        load_orders(path)

    assert [(fault.line, fault.column) for fault in refused.value.problems] == [(4, "number")]


def test_many_orders_are_stored(write, django_assert_max_num_queries):
    path = write(*(changed(number=f"CMD-2026-{number:05}") for number in range(1000)))

    with django_assert_max_num_queries(60):
        assert counts(load_orders(path)) == (1000, 0, 0)
    assert counts(load_orders(path)) == (0, 0, 1000)


def test_demonstration_orders_load():
    loaded = load_orders(DEMO_ORDERS)

    assert loaded.created == Order.objects.count() == 12
    assert counts(load_orders(DEMO_ORDERS)) == (0, 0, 12)
    assert all(order.email.endswith("@example.fr") for order in Order.objects.all())


def test_demonstration_orders_are_of_products_that_the_shop_sells():
    load_demo_catalogue()
    load_orders(DEMO_ORDERS)

    sold = dict(Product.objects.values_list("reference", "name"))
    lines = OrderLine.objects.all()
    assert [line for line in lines if not line.name.startswith(sold[line.product_reference])] == []


def test_components_are_those_that_have_a_guarantee():
    assert tuple(Component) == COMPONENTS


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_orders", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_command_says_what_it_did(write):
    path = str(write(ORDER))

    assert run(path, "--dry-run")[0].startswith("À blanc, rien n'est écrit : 1 commandes créées")
    assert run(path)[0] == "1 commandes créées, 0 modifiées, 0 inchangées.\n"
    assert json.loads(run(path, "--json")[0]) == {
        "ok": True,
        "written": True,
        "created": 0,
        "updated": 0,
        "unchanged": 1,
    }


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_command_tells_faults_and_fails(write, flags):
    path = str(write(changed(email="x")))
    out, err = io.StringIO(), io.StringIO()

    with pytest.raises(SystemExit) as left:
        call_command("import_orders", path, *flags, stdout=out, stderr=err)

    assert left.value.code == 1
    if flags:
        told = {"line": 2, "column": "email", "message": "une adresse e-mail est attendue"}
        assert json.loads(out.getvalue()) == {"ok": False, "errors": [told]}
    else:
        assert err.getvalue().splitlines() == [
            "ligne 2, colonne email : une adresse e-mail est attendue",
            "1 erreur(s) : rien n'a été écrit.",
        ]
    assert not Order.objects.exists()


def test_command_says_that_it_cannot_read(tmp_path):
    with pytest.raises(CommandError, match=r"^Ce n'est pas un fichier\.$") as refused:
        run(str(tmp_path / "nothing.json"))
    with pytest.raises(SystemExit) as left:
        run(str(tmp_path / "nothing.json"), "--json")

    assert (refused.value.returncode, left.value.code) == (2, 2)
