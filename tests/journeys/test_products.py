"""The page of a product, looked at and asked about a door."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from devtools.demo.data import DEMO_FILE
from tests.journeys.conftest import MakeCustomer
from tests.journeys.customer import DESKTOP, PHONE
from tests.journeys.shop import Shop


@pytest.fixture
def _catalogue(shop: Shop) -> None:
    shop.manage("import_catalog", str(DEMO_FILE))


@pytest.mark.usefixtures("_catalogue")
@pytest.mark.parametrize("options", [DESKTOP, PHONE, {**DESKTOP, "color_scheme": "dark"}])
async def test_a_product_is_looked_at_and_measured(make_customer: MakeCustomer, shop, options):
    customer = await make_customer(**options)
    tab = await customer.tab()
    page = tab.page
    await page.goto(f"{shop.url}/produits/SAL-CAP-001/")
    drawing = page.get_by_role("img", name="Dessin : Canapé OSLO")
    await expect(drawing).to_be_visible()
    assert await drawing.evaluate("image => image.complete && image.naturalWidth > 0")

    await page.get_by_label("Largeur (cm)").fill("90")
    await page.get_by_label("Hauteur (cm)").fill("204")
    await page.get_by_role("button", name="Calculer").click()

    await expect(page.get_by_role("status")).to_contain_text("Oui : le meuble passe de côté")
    await tab.check_accessible()
    await tab.check_fits()
    await page.get_by_role("link", name="Poser une question").click()
    await expect(page).to_have_url(f"{shop.url}/")
