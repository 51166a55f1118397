from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from chat.shop.catalog.models import Product
from devtools.demo.data import load_demo_catalogue

LIST = "admin:chat_product_changelist"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    load_demo_catalogue()


def page(client, **query) -> str:
    return str(client.get(reverse(LIST), query).content.decode())


def test_the_list_shows_drawings_prices_and_the_age_of_stocks(
    admin_client, django_assert_max_num_queries
):
    with django_assert_max_num_queries(12):
        text = page(admin_client)

    assert '/static/chat/catalog/sal-cap-001.svg" width="80" height="60"' in text
    assert "1\u202f290 €" in text
    assert "6 (il y a " in text


@pytest.mark.parametrize(
    "query, there, absent",
    [
        ({"q": "cognac cuir"}, "CAMPO", "OSLO"),
        ({"q": "SAM-TAB-005"}, "FORGE", "OSLO"),
        ({"category__slug__exact": "chambre"}, "VENDÔME", "OSLO"),
        ({"stock_state": "out"}, "CAMPO", "OSLO"),
        ({"stock_state": "in"}, "OSLO", "CAMPO"),
    ],
)
def test_products_are_found_and_filtered(admin_client, query, there, absent):
    text = page(admin_client, **{key: v for key, v in query.items() if "__" not in key})
    if "category__slug__exact" in query:
        category = Product.objects.get(reference="CHA-LIT-001").category_id
        text = page(admin_client, category__id__exact=category)

    assert there in text
    assert absent not in text


@pytest.mark.parametrize("filter_", ["unknown", "old"])
def test_other_filters_answer(admin_client, filter_):
    assert "0 produit" in page(admin_client, stock_state=filter_)


def test_products_are_taken_off_sale_and_back_with_a_trace(admin_client):
    product = Product.objects.get(reference="SAL-CAP-001")
    for action, active in (("deactivate", False), ("activate", True)):
        admin_client.post(reverse(LIST), {"action": action, "_selected_action": [product.pk]})
        product.refresh_from_db()
        assert product.is_active is active

    assert LogEntry.objects.filter(object_id=product.pk).count() == 2


def form_of(client, product):
    form = client.get(reverse("admin:chat_product_change", args=[product.pk])).context["adminform"]
    initial = {name: form.form[name].value() for name in form.form.fields}
    data = {name: "" if value is None else value for name, value in initial.items()}
    moment = product.stock_at
    return {**data, "stock_at_0": f"{moment:%Y-%m-%d}", "stock_at_1": f"{moment:%H:%M:%S}"}


def test_a_product_is_changed_and_found_anew(admin_client):
    product = Product.objects.get(reference="SAL-CAP-001")
    data = {**form_of(admin_client, product), "colours": "Rouge\n\n Bleu nuit "}

    answer = admin_client.post(reverse("admin:chat_product_change", args=[product.pk]), data)

    product.refresh_from_db()
    assert answer.status_code == 302
    assert product.colours == ["Rouge", "Bleu nuit"]
    assert product.colour_words == "|rouge|bleu|bleu nuit|"
    assert product.materials[0] == "Tissu chiné polyester recyclé"


@pytest.mark.parametrize(
    "changes",
    [
        {"price_max_cents": "1"},
        {"reference": "OSLO"},
        {"delivery_weeks_max": "1"},
        {"image": "../x.svg"},
        {"width_mm": "0"},
        {"colours": "x" * 201},
    ],
)
def test_what_makes_no_sense_is_refused(admin_client, changes):
    product = Product.objects.get(reference="SAL-CAP-001")
    url = reverse("admin:chat_product_change", args=[product.pk])

    answer = admin_client.post(url, {**form_of(admin_client, product), **changes})

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
