"""The same page and session with no JavaScript: forms, and an answer on the next page."""

from __future__ import annotations

import re

import pytest_asyncio
from playwright.async_api import expect

from tests.journeys.conftest import MakeCustomer
from tests.journeys.customer import FAILS, FAST, Customer, Tab


@pytest_asyncio.fixture(loop_scope="session")
async def plain(make_customer: MakeCustomer) -> Tab:
    customer: Customer = await make_customer(java_script_enabled=False)
    tab = await customer.tab()
    await tab.page.goto(tab.url)
    return tab


async def say(tab: Tab, text: str) -> None:
    await tab.field.fill(text)
    await tab.send_button.click()


async def test_form_is_answered(plain: Tab):
    await say(plain, f"Bonjour, je suis Camille {FAST}")
    await expect(plain.answers).to_have_count(1)
    await say(plain, f"Comment je m'appelle ? {FAST}")
    await expect(plain.answers.nth(1)).to_contain_text("Camille", use_inner_text=True)
    labels = await plain.lines.locator("[data-label]").all_inner_texts()
    assert labels == ["Vous", "Assistant (IA)"] * 2
    await expect(plain.field).to_have_value("")


async def test_suggestion_is_answered(plain: Tab):
    await plain.page.get_by_role("button", name="Garantie").click()
    await expect(plain.questions).to_have_text(re.compile("sous garantie"))
    await expect(plain.answers).to_have_count(1)


async def test_line_breaks_are_kept(plain: Tab):
    await say(plain, f"Deux lignes\nici {FAST}")
    await expect(plain.questions.locator("br")).to_have_count(1)


async def test_error_is_shown_and_the_text_given_back(plain: Tab):
    text = "trop long " * 500
    await say(plain, text)
    await expect(plain.page.get_by_role("alert")).to_be_visible()
    await expect(plain.field).to_have_value(re.compile("^trop long trop long"))
    await expect(plain.lines).to_have_count(0)
    plain.forgive("422")


async def test_failed_question_can_be_sent_again(plain: Tab):
    await say(plain, f"Bonjour {FAILS}")
    await expect(plain.page.get_by_role("alert")).to_be_visible()
    asked = await plain.questions.get_attribute("data-message")
    await plain.questions.get_by_role("button", name="Réessayer").click()
    await expect(plain.questions.get_by_role("button", name="Réessayer")).to_be_visible()
    await expect(plain.questions).to_have_count(1)
    assert await plain.questions.get_attribute("data-message") == asked
    plain.forgive("503")


async def test_new_conversation_and_erasure_are_forms(plain: Tab):
    for name in ("Nouvelle conversation", "Effacer"):
        await say(plain, f"Bonjour {FAST}")
        await expect(plain.answers).to_have_count(1)
        group = plain.page.get_by_role("group", name="Cette conversation")
        await group.get_by_role("button", name=name).click()
        if name == "Effacer":
            await plain.page.get_by_role("link", name="Garder").click()
            await expect(plain.answers).to_have_count(1)
            await group.get_by_role("button", name=name).click()
            await expect(plain.page.get_by_role("heading", level=1)).to_have_text(
                "Effacer cette conversation ?"
            )
            await plain.check_fits()
            await plain.page.get_by_role("button", name="Effacer").click()
        await expect(plain.lines).to_have_count(0)


async def test_nothing_that_needs_javascript_is_offered(plain: Tab):
    await say(plain, f"Bonjour {FAST}")
    await expect(plain.answers).to_have_count(1)
    for name in ("Copier", "Nouveau message", "Arrêter"):
        await expect(plain.page.get_by_role("button", name=name)).to_have_count(0)
    await expect(plain.connection).to_be_hidden()
