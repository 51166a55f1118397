"""Ends: another conversation, an erasure, a copy to take home."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.async_api import expect

from tests.journeys.conftest import MakeCustomer
from tests.journeys.customer import FAST, NEVER_ENDS, Customer, Tab


async def storage_of(tab: Tab) -> dict[str, str]:
    kept: dict[str, str] = await tab.page.evaluate("({...sessionStorage, ...localStorage})")
    return kept


async def test_erasure_is_confirmed_and_leaves_nothing(camille: Customer):
    tab, other = await camille.open(), await camille.open()
    await tab.ask(f"Bonjour, je suis Camille {FAST}")
    await tab.field.fill("Un mot de plus")

    erase = tab.page.get_by_role("group", name="Cette conversation").get_by_role(
        "button", name="Effacer"
    )
    dialog = tab.page.get_by_role("dialog")
    await erase.click()
    await tab.check_accessible()
    await dialog.get_by_role("button", name="Garder").click()
    await expect(dialog).to_be_hidden()
    await expect(tab.lines).to_have_count(2)
    await expect(erase).to_be_focused()

    await erase.click()
    await dialog.get_by_role("button", name="Effacer").click()
    await tab.is_connected()
    await expect(tab.lines).to_have_count(0)
    await expect(tab.field).to_have_value("")
    assert await storage_of(tab) == {}

    await expect(other.ended).to_contain_text("effacée", use_inner_text=True)
    await expect(other.lines).to_have_count(0)
    await expect(other.page.locator("body")).not_to_contain_text("Camille", use_inner_text=True)


async def test_new_conversation_ends_the_old_one_everywhere(camille: Customer):
    tab, other = await camille.open(), await camille.open()
    await tab.ask(f"Bonjour, je suis Camille {FAST}")
    await other.field.fill("Je voulais dire")
    await tab.field.fill("Au fait")
    await tab.page.get_by_role("button", name="Nouvelle conversation").first.click()
    await tab.is_connected()
    await expect(tab.lines).to_have_count(0)
    await expect(tab.field).to_have_value("")
    assert await storage_of(tab) == {}

    await expect(other.ended).to_contain_text("terminée", use_inner_text=True)
    await expect(other.lines).to_have_count(2)
    await expect(other.field).to_have_value("Je voulais dire")
    await other.check_accessible()
    await other.field.press("Enter")
    await expect(other.ended.get_by_role("button")).to_be_focused()

    answer = await tab.ask(f"Comment je m'appelle ? {FAST}")
    await expect(answer).not_to_contain_text("Camille", use_inner_text=True)


async def test_leaving_in_mid_answer_brings_no_word_of_it_along(camille: Customer):
    tab = await camille.open()
    await tab.begin(f"Bonjour {NEVER_ENDS}")
    await tab.page.get_by_role("button", name="Nouvelle conversation").first.click()
    await tab.is_connected()
    await tab.ask(f"Bonjour {FAST}")
    await expect(tab.lines).to_have_count(2)


async def test_export_is_the_conversation(camille: Customer, tmp_path: Path):
    tab = await camille.open()
    await tab.ask(f"Bonjour, je suis Camille {FAST}")
    async with tab.page.expect_download() as coming:
        await tab.page.get_by_role("link", name="Télécharger").click()
    download = await coming.value
    await download.save_as(tmp_path / "conversation.json")
    messages = json.loads((tmp_path / "conversation.json").read_text())["messages"]
    assert [message["author"] for message in messages] == ["customer", "assistant"]
    assert messages[0]["text"] == f"Bonjour, je suis Camille {FAST}"


async def test_stranger_sees_nothing(camille: Customer, make_customer: MakeCustomer):
    tab = await camille.open()
    await tab.ask(f"Bonjour, je suis Camille {FAST}")
    zoe = await make_customer()
    hers = await zoe.open()
    await expect(hers.lines).to_have_count(0)
    await expect(hers.page.locator("body")).not_to_contain_text("Camille", use_inner_text=True)
