from __future__ import annotations

import pytest
from django.urls import reverse

from chat.shop.orders.loader import load_orders
from chat.shop.orders.models import Order
from devtools.demo.data import DEMO_ORDERS

LIST = "admin:chat_order_changelist"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _orders() -> None:
    load_orders(DEMO_ORDERS)


def test_orders_are_listed_and_searched(admin_client):
    page = admin_client.get(reverse(LIST)).content.decode()
    found = admin_client.get(reverse(LIST), {"q": "ROUERGUE"}).content.decode()

    assert "CMD-2025-54321" in page
    assert "1\u202f368,00 €" in page
    assert "CMD-2026-10003" in found
    assert "CMD-2025-54321" not in found


def test_an_order_is_shown_with_its_lines_in_french(admin_client):
    order = Order.objects.get(number="CMD-2025-54321")

    page = admin_client.get(reverse("admin:chat_order_change", args=[order.pk])).content.decode()

    assert "Canapé OSLO" in page
    assert "vente à distance" in page.lower()


def test_a_number_of_another_form_is_refused(admin_client):
    page = admin_client.post(reverse("admin:chat_order_add"), {"number": "54321"})

    assert "Comme CMD-2025-54321." in page.content.decode()
    assert Order.objects.count() == 12


def test_strangers_see_no_order(client):
    assert client.get(reverse(LIST)).status_code == 302
