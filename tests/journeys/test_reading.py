"""The page under all lights: phone, zoom, dark, long threads, keyboard alone."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from playwright.async_api import Response, expect

from tests.journeys.conftest import MakeCustomer
from tests.journeys.customer import DESKTOP, FAST, NEVER_ENDS, PHONE, SLOW, Customer, Tab

LIGHTS: dict[str, dict[str, Any]] = {
    "desktop": DESKTOP,
    "phone": PHONE,
    "dark": {**DESKTOP, "color_scheme": "dark"},
    "dark-phone": {**PHONE, "color_scheme": "dark"},
    "contrast": {**DESKTOP, "contrast": "more"},
    "zoomed-400": {"viewport": {"width": 320, "height": 256}},
}


@pytest.mark.parametrize("light", LIGHTS)
async def test_page_is_accessible_and_fits(make_customer: MakeCustomer, light: str):
    camille = await make_customer(**LIGHTS[light], reduced_motion="reduce")
    tab = await camille.open()
    await tab.check_accessible()
    await tab.check_fits()
    await send(tab, f"Je cherche un canapé {FAST}")
    await expect(tab.answers).to_have_count(1)
    await send(tab, f"Bonjour {NEVER_ENDS}")
    await expect(tab.writing).to_be_visible()
    await tab.check_accessible()
    await tab.check_fits()
    await tab.stop_button.click()
    await expect(tab.answers).to_have_count(2)
    await tab.check_accessible()
    await tab.check_fits()


async def send(tab: Tab, text: str) -> None:
    """By the button: on a phone, Enter breaks the line."""
    await tab.field.fill(text)
    await tab.send_button.click()


async def test_dark_is_dark(make_customer: MakeCustomer):
    camille = await make_customer(color_scheme="dark")
    tab = await camille.open()
    light = await tab.page.evaluate(
        "getComputedStyle(document.documentElement).backgroundColor"
        ".match(/\\d+/g).map(Number).reduce((a, b) => a + b)"
    )
    assert light < 150


async def test_on_a_phone_everything_can_be_touched(make_customer: MakeCustomer):
    camille = await make_customer(**PHONE)
    tab = await camille.open()
    await send(tab, f"Je cherche un canapé {FAST}")
    await expect(tab.answers).to_have_count(1)
    targets = tab.page.locator("button:visible, textarea:visible, .action:visible")
    for target in await targets.all():
        box = await target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44, await target.inner_text()


async def test_on_a_phone_enter_breaks_the_line(make_customer: MakeCustomer):
    camille = await make_customer(**PHONE)
    tab = await camille.open()
    await tab.field.tap()
    await tab.page.keyboard.type("un")
    await tab.page.keyboard.press("Enter")
    await tab.page.keyboard.type("deux")
    await expect(tab.field).to_have_value("un\ndeux")
    await expect(tab.lines).to_have_count(0)


async def test_shift_enter_breaks_the_line_and_the_field_grows_to_a_limit(camille: Customer):
    tab = await camille.open()
    small = await tab.field.bounding_box()
    await tab.field.focus()
    for _ in range(40):
        await tab.page.keyboard.press("Shift+Enter")
    grown = await tab.field.bounding_box()
    assert small is not None
    assert grown is not None
    assert small["height"] < grown["height"] <= 860 * 0.35
    await expect(tab.send_button).to_be_in_viewport()


async def test_limit_is_counted_near_the_end(camille: Customer):
    tab = await camille.open()
    counter = tab.page.locator("[data-counter]")
    await tab.field.fill("a" * 3000)
    await expect(counter).to_be_hidden()
    await tab.field.fill("a" * 3990)
    await expect(counter).to_have_text("Encore 10 caractères", use_inner_text=True)
    await tab.field.fill("a" * 4003)
    await expect(counter).to_have_text("3 caractères de trop", use_inner_text=True)
    await tab.check_accessible()
    await tab.field.press("Enter")
    await expect(tab.field).to_have_value("a" * 4003)
    await expect(tab.lines).to_have_count(0)


async def test_reader_at_the_end_is_followed_and_another_is_told(camille: Customer):
    tab = await camille.open()
    for _ in range(5):
        await tab.ask(f"Je cherche un canapé {FAST}")
    await expect(tab.answers.nth(4)).to_be_in_viewport()

    await tab.begin(f"Racontez-moi en détail le choix d'un meuble {SLOW}")
    await tab.page.mouse.move(640, 300)
    await tab.page.mouse.wheel(0, -1500)
    await expect(tab.writing).not_to_be_in_viewport()
    reading = await tab.scrolled()
    await expect(tab.answers).to_have_count(6)
    assert await tab.scrolled() == reading

    other = await camille.open()
    await other.ask(f"Bonjour {FAST}")
    await expect(tab.pill).to_be_visible()
    assert await tab.scrolled() == reading
    await tab.check_accessible()
    await tab.pill.click()
    await expect(tab.answers.nth(6)).to_be_in_viewport()
    await expect(tab.pill).to_be_hidden()


async def test_long_thread_opens_at_its_end(camille: Customer):
    tab = await camille.open()
    for _ in range(6):
        await tab.ask(f"Je cherche un canapé {FAST}")
    await tab.page.reload()
    await tab.is_connected()
    await expect(tab.answers.last).to_be_in_viewport()
    await expect(tab.field).to_be_in_viewport()


async def test_keyboard_alone_is_enough(camille: Customer):
    tab = await camille.open()
    await tab.page.keyboard.press("Tab")
    await expect(tab.page.get_by_role("link", name="Aller au message")).to_be_focused()
    await tab.page.keyboard.press("Enter")
    await expect(tab.field).to_be_focused()
    await tab.page.keyboard.type(f"Bonjour {FAST}")
    await tab.page.keyboard.press("Enter")
    await expect(tab.answers).to_have_count(1)
    await tab.page.keyboard.press("Shift+Tab")
    await expect(tab.answers.get_by_role("button", name="Copier")).to_be_focused()


async def test_page_weighs_less_than_40_kb(camille: Customer):
    tab = await camille.tab()
    responses: list[Response] = []
    tab.page.on("response", lambda response: responses.append(response))
    await tab.open()
    weight = 0
    for response in responses:
        weight += len(gzip.compress(await response.body(), 9))
    assert len(responses) > 10
    assert weight < 39_700  # the names of hashed files weigh 300 bytes more
