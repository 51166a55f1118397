"""A customer asks for a human: with the button, with plain words, without JavaScript."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from tests.journeys.conftest import MakeCustomer
from tests.journeys.customer import FAST, NEVER_ENDS, PHONE, Customer, Tab

#: What the application answers, by day and by night.
TOLD = re.compile("Un conseiller a été prévenu|le magasin est fermé")


def ask_button(tab: Tab) -> Locator:
    return tab.page.get_by_role("button", name="Parler à un conseiller")


def told(tab: Tab) -> Locator:
    return tab.page.locator("[data-transcript] [data-author=system]")


async def test_button_calls_an_adviser_once_in_all_tabs(camille: Customer):
    tab = await camille.open()
    await expect(ask_button(tab)).to_be_hidden()
    await tab.ask(f"Bonjour {FAST}")
    other = await camille.open()
    await ask_button(tab).click()
    for seen in (tab, other):
        await expect(told(seen)).to_have_count(1)
        await expect(told(seen)).to_have_text(TOLD)
        await expect(ask_button(seen)).to_be_hidden()
        await expect(seen.page.locator("[data-asked]")).to_be_visible()
    await expect(tab.field).to_be_focused()
    await expect(tab.heard).to_contain_text(TOLD)
    await tab.check_accessible()
    await tab.page.reload()
    await tab.is_connected()
    await expect(ask_button(tab)).to_be_hidden()
    await expect(told(tab)).to_have_count(1)


async def test_plain_words_are_enough(camille: Customer):
    tab = await camille.open()
    answer = await tab.ask(f"Je veux parler à un humain {FAST}")
    await expect(answer).to_contain_text("dit quand une personne", use_inner_text=True)
    await expect(told(tab)).to_have_text(TOLD)
    await expect(ask_button(tab)).to_be_hidden()
    await tab.ask(f"Je veux parler à un conseiller ! {FAST}")
    await expect(told(tab)).to_have_count(1)


async def test_button_is_there_while_the_assistant_writes(camille: Customer):
    tab = await camille.open()
    await tab.begin(f"Bonjour {NEVER_ENDS}")
    written = await tab.writing.inner_text()
    await ask_button(tab).click()
    await expect(told(tab)).to_have_count(1)
    await expect(tab.writing).to_contain_text(written[-8:], use_inner_text=True)
    await tab.stop_button.click()
    await expect(tab.answers).to_have_count(1)


async def test_address_is_left_on_a_phone(make_customer: MakeCustomer):
    camille = await make_customer(**PHONE)
    tab = await camille.open()
    await tab.field.fill(f"Bonjour {FAST}")
    await tab.send_button.click()
    await expect(tab.answers).to_have_count(1)
    await ask_button(tab).click()
    await tab.check_fits()
    await tab.page.locator("[data-asked] a").click()
    await tab.check_accessible()
    await tab.check_fits()
    await tab.page.get_by_label("Votre e-mail").fill("camille@example.test")
    await tab.page.get_by_role("button", name="Envoyer").click()
    await expect(tab.page.get_by_role("heading", name="Merci")).to_be_visible()
    await tab.page.get_by_role("link", name="Revenir").click()
    await tab.is_connected()
    await expect(tab.answers).to_have_count(1)


async def test_without_javascript(make_customer: MakeCustomer):
    camille = await make_customer(java_script_enabled=False)
    tab = await camille.tab()
    await tab.page.goto(tab.url)
    await tab.field.fill(f"Bonjour {FAST}")
    await tab.send_button.click()
    await ask_button(tab).click()
    await expect(told(tab)).to_have_text(TOLD)
    await told(tab).get_by_role("link", name="laisser votre e-mail").click()
    await tab.page.get_by_label("Votre e-mail").fill("camille@example.test")
    await tab.page.get_by_label("Votre demande").fill("Mon canapé")
    await tab.page.get_by_role("button", name="Envoyer").click()
    await expect(tab.page.get_by_role("heading", name="Merci")).to_be_visible()
