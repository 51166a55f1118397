"""What answers rest on: cards, chips, comparison, the page of the rules."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.journeys.conftest import MakeCustomer
from tests.journeys.customer import FAST, Customer, Tab


@pytest.fixture(scope="module", autouse=True)
def _catalogue(shop) -> None:
    shop.manage("make_demo")


async def asked_for_sofas(tab: Tab) -> None:
    await tab.ask(f"Je cherche un canapé à moins de 1500 € {FAST}")
    await expect(tab.page.locator("[data-sources] .card").first).to_be_visible()


async def test_products_are_cards_that_open_and_compare(camille: Customer):
    tab = await camille.open()
    await asked_for_sofas(tab)
    cards = tab.page.locator("[data-sources] .card")
    assert await cards.count() >= 2
    await expect(cards.first.locator("img")).to_have_js_property("complete", True)
    await expect(cards.first.locator(".card__price")).to_contain_text("€")
    await tab.check_accessible()

    button = tab.page.locator("[data-compare]")
    await expect(button).to_be_disabled()
    for at in (0, 1):
        await cards.nth(at).get_by_role("checkbox").check()
    await button.click()
    dialog = tab.page.get_by_role("dialog", name="Comparaison")
    await expect(dialog.get_by_role("columnheader")).to_have_count(2)
    await expect(dialog.get_by_role("rowheader", name="Prix")).to_be_visible()
    await tab.check_accessible()
    await dialog.get_by_role("button", name="Fermer").click()
    await expect(dialog).to_have_count(0)
    await expect(button).to_be_focused()

    await cards.first.get_by_role("link").click()
    await expect(tab.page).to_have_url(re.compile(r"/produits/[A-Z-]+\d+/$"))


async def test_cards_are_there_again_after_a_reload(camille: Customer):
    tab = await camille.open()
    await asked_for_sofas(tab)
    count = await tab.page.locator("[data-sources] .card").count()
    await tab.page.reload()
    await tab.is_connected()
    await expect(tab.page.locator("[data-sources] .card")).to_have_count(count)
    await expect(tab.page.locator("[data-compare]")).to_have_count(1)


async def test_rules_are_chips_that_open_the_rule(camille: Customer):
    tab = await camille.open()
    await tab.ask(f"Quelle est la garantie d'un canapé ? {FAST}")
    chip = tab.page.locator("[data-sources]").get_by_role("link", name="Garantie légale")
    await expect(chip).to_be_visible()
    await tab.check_accessible()
    await chip.click()
    await expect(tab.page).to_have_url(re.compile(r"/garanties/#law\.conformity$"))
    await expect(
        tab.page.get_by_role("heading", name="Garantie légale de conformité")
    ).to_be_in_viewport()
    await tab.check_accessible()
    await tab.check_fits()


async def test_cards_fit_a_phone(make_customer: MakeCustomer):
    camille = await make_customer(viewport={"width": 375, "height": 740})
    tab = await camille.open()
    await asked_for_sofas(tab)
    await tab.check_fits()
    await tab.check_accessible()

    for at in (0, 1):
        await tab.page.locator("[data-sources] .card").nth(at).get_by_role("checkbox").check()
    await tab.page.locator("[data-compare]").click()
    await tab.check_fits()
    await tab.check_accessible()


async def test_cards_are_links_without_javascript(make_customer: MakeCustomer):
    camille = await make_customer(java_script_enabled=False)
    tab = await camille.tab()
    await tab.page.goto(tab.url)
    await tab.field.fill(f"Je cherche un canapé à moins de 1500 € {FAST}")
    await tab.send_button.click()
    card = tab.page.locator("[data-sources] .card").first
    await expect(card).to_be_visible()
    await expect(card.get_by_role("link")).to_have_attribute("href", re.compile(r"^/produits/"))
