"""Talking: what the customer sees while all goes well, and what she can do about an answer."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.journeys.customer import FAILS, FAST, NEVER_ENDS, SLOW, Customer


async def test_before_the_first_word_it_is_said_that_a_machine_answers(camille: Customer):
    tab = await camille.open()
    await expect(tab.page.get_by_role("note")).to_contain_text(
        "intelligence artificielle", use_inner_text=True
    )
    await expect(tab.page.get_by_role("note")).to_contain_text(
        "simulateur local", use_inner_text=True
    )
    await expect(tab.page.get_by_role("heading", name="Bonjour")).to_be_visible()
    await expect(tab.lines).to_have_count(0)


async def test_answers_remember_what_was_said(camille: Customer):
    tab = await camille.open()
    await tab.ask(f"Bonjour, je suis Camille {FAST}")
    answer = await tab.ask(f"Comment je m'appelle ? {FAST}")
    await expect(answer).to_contain_text("Camille", use_inner_text=True)
    labels = await tab.lines.locator("[data-label]").all_inner_texts()
    assert labels == ["Vous", "Assistant (IA)"] * 2


async def test_answer_is_shown_while_it_is_written_and_no_marker_with_it(camille: Customer):
    tab = await camille.open()
    await tab.begin(f"Racontez-moi en détail le choix d'un meuble {SLOW}")
    await expect(tab.stop_button).to_be_visible()
    assert "*" not in await tab.writing.inner_text()
    await expect(tab.answers.locator("strong").first).to_be_visible()
    assert "*" not in await tab.answers.inner_text()
    await expect(tab.stop_button).to_be_hidden()


async def test_suggestion_is_a_question(camille: Customer):
    tab = await camille.open()
    await tab.page.get_by_role("button", name="Livraison").click()
    await expect(tab.questions).to_have_text(re.compile("délais de livraison"))
    await expect(tab.answers).to_have_count(1)
    await expect(tab.field).to_be_focused()


async def test_stop_keeps_what_was_written_and_asking_again_is_one_click(camille: Customer):
    tab = await camille.open()
    await tab.begin(f"Bonjour {NEVER_ENDS}")
    await tab.stop_button.click()
    await expect(tab.answers).to_contain_text("Réponse interrompue", use_inner_text=True)
    await expect(tab.answers.locator("[data-text]")).not_to_be_empty()
    await expect(tab.field).to_be_focused()

    await tab.answers.get_by_role("button", name="Réessayer").click()
    await expect(tab.writing).to_be_visible()
    texts = await tab.questions.locator("[data-text]").all_inner_texts()
    assert texts == [f"Bonjour {NEVER_ENDS}"] * 2
    await tab.stop_button.click()
    await expect(tab.answers).to_have_count(2)


async def test_failed_question_is_asked_again_under_the_same_id(camille: Customer):
    tab = await camille.open()
    await tab.write(f"Bonjour {FAILS}")
    retry = tab.questions.get_by_role("button", name="Réessayer")
    await expect(retry).to_be_enabled()
    await expect(tab.questions.locator("[data-error]")).to_be_visible()
    asked = await tab.questions.get_attribute("data-message")
    await tab.check_accessible()

    await retry.click()
    await expect(tab.questions.locator("[data-error]")).to_be_hidden()
    await expect(retry).to_be_enabled()
    await expect(tab.questions).to_have_count(1)
    assert await tab.questions.get_attribute("data-message") == asked


async def test_answer_is_copied_as_it_was_written(camille: Customer):
    await camille.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = await camille.open()
    answer = await tab.ask(f"Racontez-moi en détail le choix d'un meuble {FAST}")
    button = answer.get_by_role("button", name="Copier")
    await button.click()
    await expect(answer.get_by_role("button", name="Copié")).to_be_visible()
    assert "**" in await tab.page.evaluate("navigator.clipboard.readText()")


async def test_screen_reader_hears_each_answer_once_and_who_gives_it(camille: Customer):
    tab = await camille.open()
    answer = await tab.ask(f"Racontez-moi en détail le choix d'un meuble {FAST}")
    spoken = " ".join(await tab.heard.locator("p").all_text_contents())
    shown = await answer.locator("[data-text]").inner_text()
    assert spoken.startswith("Assistant (IA) : ")
    assert spoken.removeprefix("Assistant (IA) : ").split() == shown.split()
    assert await tab.page.locator("[data-transcript]").get_attribute("aria-live") is None


async def test_two_tabs_stay_in_step(camille: Customer):
    one, other = await camille.open(), await camille.open()
    await one.begin(f"Racontez-moi en détail le choix d'un meuble {SLOW}")
    await expect(other.questions).to_have_count(1)
    await expect(other.writing).to_be_visible()
    await expect(other.answers).to_have_count(1)
    await expect(one.answers).to_have_count(1)
    await other.ask(f"Et la livraison ? {FAST}")
    await expect(one.answers).to_have_count(2)
    assert await one.texts() == await other.texts()


async def test_stop_is_obeyed_from_another_tab(camille: Customer):
    one, other = await camille.open(), await camille.open()
    await one.begin(f"Bonjour {NEVER_ENDS}")
    await other.stop_button.click()
    await expect(one.answers).to_contain_text("Réponse interrompue", use_inner_text=True)


async def test_questions_asked_in_a_row_are_answered_in_order(camille: Customer):
    tab = await camille.open()
    await tab.begin(f"Bonjour, je suis Camille {SLOW}")
    await tab.write(f"Comment je m'appelle ? {FAST}")
    await expect(tab.answers).to_have_count(2)
    ids = [await line.get_attribute("data-message") for line in await tab.questions.all()]
    await tab.page.reload()
    await expect(tab.answers).to_have_count(2)
    replies = [await line.get_attribute("data-message") for line in await tab.questions.all()]
    assert replies == ids
