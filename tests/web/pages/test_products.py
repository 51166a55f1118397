from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection

from chat.shop.catalog.models import Product
from devtools.demo.data import load_demo_catalogue

URL = "/produits/SAL-CAP-001/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    load_demo_catalogue()


def test_the_page_says_what_the_product_is(client):
    answer = client.get(URL)
    text = answer.content.decode()

    assert answer.status_code == 200
    for said in (
        '<h1 class="sheet__name">Canapé OSLO</h1>',
        "1\u202f290 €",
        "L 212 × P 92 × H 84 cm",
        "de 6 à 8 semaines",
        "Structure 5 ans",
        "L217-3",
        "/static/chat/catalog/sal-cap-001.svg",
        "Aspirer chaque semaine",
        "regonflés à la main",
    ):
        assert said in text
    assert answer["Cache-Control"] == "public, max-age=300"
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "<script" not in text
    assert not answer.cookies


@pytest.mark.parametrize(
    "door, said",
    [
        ({"largeur": "90", "hauteur": "204"}, "Oui : le meuble passe de côté"),
        ({"largeur": "60", "hauteur": "204"}, "Non : il manque 26 cm"),
        ({"largeur": "83"}, "Donnez la largeur et la hauteur"),
        ({"largeur": "-1", "hauteur": "204"}, "Donnez la largeur et la hauteur"),
        ({"largeur": "<b>", "hauteur": "9" * 5000}, "Donnez la largeur et la hauteur"),
        ({"largeur": "²²", "hauteur": "204"}, "Donnez la largeur et la hauteur"),
    ],
)
def test_the_door_is_computed_on_the_page(client, door, said):
    answer = client.get(URL, door)

    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert "<b>" not in answer.content.decode()


def test_another_writing_leads_to_the_page(client):
    answer = client.get("/produits/sal-cap-001/")

    assert (answer.status_code, answer["Location"]) == (302, URL)


@pytest.mark.parametrize("reference", ["SAL-CAP-999", "X", "SAL-CAP-001'--", "%00"])
def test_an_unknown_product_is_not_found(client, reference):
    assert client.get(f"/produits/{reference}/", follow=True).status_code == 404


def test_what_is_not_on_sale_has_no_page(client):
    Product.objects.filter(reference="SAL-CAP-001").update(is_active=False)

    assert client.get(URL).status_code == 404


def test_only_reading_is_allowed(client):
    assert client.post(URL).status_code == 405


def test_texts_of_the_shop_are_text(client):
    product = Product.objects.get(reference="SAL-CAP-001")
    product.description = "<script>alert(1)</script>"
    product.save()

    assert "<script>" not in client.get(URL).content.decode()


def test_without_its_database_the_page_says_so(client, caplog):
    def away(*args: Any) -> None:
        raise OperationalError("no route to host db.internal")

    with connection.execute_wrapper(away):
        answer = client.get(URL)

    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "momentanément indisponible" in answer.content.decode()
    assert "db.internal" not in answer.content.decode() + caplog.text
