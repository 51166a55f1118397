"""Every link that the admin shows leads somewhere, for each kind of staff."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from chat.shop.catalog.models import Product
from chat.shop.orders.loader import load_orders
from devtools.demo.data import DEMO_ORDERS, load_demo_catalogue
from tests.shop.tickets.builders import opened
from tests.web.access.staff import make_groups, staff

pytestmark = pytest.mark.django_db(transaction=True)

#: Of one list, so many rows and filters are followed: the others are made alike.
MAX_ALIKE = 1


@pytest.fixture
def _shop() -> None:
    load_demo_catalogue()
    load_orders(DEMO_ORDERS)
    opened()
    Product.objects.filter(reference="CHA-ARM-001").update(is_active=False)


def client_of(group: str) -> Client:
    make_groups()
    client = Client()
    client.force_login(staff("claire", group, is_superuser=not group))
    return client


def links_in(page: str, base: str) -> set[str]:
    found = (unescape(link) for link in re.findall(r'(?:href|src)="([^"#]*)', page))
    joined = {urljoin(base, link) for link in found if not link.startswith(("mailto:", "tel:"))}
    return {link for link in joined if urlsplit(link).netloc == "" and link.startswith("/")}


#: Other tests ask for these.
SKIPPED = ("/admin/logout", "/static/", "/admin/jsi18n")


def kind_of(link: str) -> str:
    """What links alike share: digits, references and the values of filters left out.

    Several filters at once are of one kind: there are as many sets of filters as 2 to their number.
    """
    path, _, query = link.partition("?")
    names = "several" if "&" in query else re.sub(r"=.*", "", query)
    return re.sub(r"[A-Z]{3}-[A-Z]{3}-\d+|[0-9a-f-]{16,}|\d+", "#", path) + "?" + names


@pytest.mark.parametrize("group", ["Conseillers", "Responsables", ""])
@pytest.mark.usefixtures("_shop")
def test_every_link_leads_somewhere(group: str):
    client = client_of(group)
    waiting, seen = ["/admin/"], {"/admin/"}
    alike: dict[str, int] = {}
    broken: dict[str, int] = {}
    while waiting:
        link = waiting.pop()
        response = client.get(link)
        if response.status_code >= 400:
            broken[link] = response.status_code
        if response.status_code in (301, 302):
            found = {
                urljoin(
                    link, urlsplit(response["Location"])._replace(netloc="", scheme="").geturl()
                )
            }
        elif "text/html" in response.get("Content-Type", "") and link.startswith("/admin/"):
            found = links_in(response.content.decode(), link)
        else:
            continue
        for other in sorted(found - seen):
            kind = kind_of(other)
            alike[kind] = alike.get(kind, 0) + 1
            if alike[kind] <= MAX_ALIKE and not other.startswith(SKIPPED):
                seen.add(other)
                waiting.append(other)

    assert len(seen) > 20, seen
    assert not broken
    assert not [link for link in seen if link.startswith("/admin/r/")]


@pytest.mark.usefixtures("_shop")
def test_link_to_a_products_page_is_there_only_where_the_page_is():
    client = client_of("")
    active = Product.objects.get(reference="CHA-ARM-002")
    inactive = Product.objects.get(reference="CHA-ARM-001")

    shown = client.get(f"/admin/chat/product/{active.pk}/change/").content.decode()
    hidden = client.get(f"/admin/chat/product/{inactive.pk}/change/").content.decode()

    assert f'href="{active.get_absolute_url()}"' in shown
    assert client.get(active.get_absolute_url()).status_code == 200
    assert client.get(inactive.get_absolute_url()).status_code == 404
    assert inactive.get_absolute_url() not in hidden
    assert "/admin/r/" not in shown + hidden
