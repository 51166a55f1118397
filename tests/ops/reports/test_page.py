from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import async_playwright

from chat.conversations.store.maintenance import Orphan
from chat.ops.reports.page import as_page, cards, change
from chat.ops.reports.report import Past
from tests.installed import BROWSERS, find_program
from tests.ops.reports.samples import NOON, past, report


def test_page_asks_nothing_of_anybody():
    page = as_page(report(), past(30), "Meuble de France")
    assert re.findall(r"(?:src|href|action)=", page) == []
    assert re.findall(r"url\(|@import|<script|<link|<iframe|<img", page) == []
    assert "http://" not in page
    assert "https://" not in page


def test_page_tells_no_id_and_escapes_what_it_is_given():
    page = as_page(report(workers={"http://<b>": "ok"}), [], "Meubles <i>")
    assert "secret-" not in page
    assert "<b>" not in page
    assert "Meubles &lt;i&gt;" in page


def test_page_shows_what_a_manager_asks():
    page = as_page(report(), past(30), "Meuble de France").replace("\u202f", " ")
    assert "lundi 23 novembre 2026" in page
    assert "1 234" in page
    assert page.count('<svg class="chart"') == 4
    assert page.count("<tr>") == 2 + 2 + 2 * 10 + 1


def test_page_of_an_empty_shop_can_be_made():
    nothing = report(
        active=0, orphans=dict.fromkeys(Orphan, 0), quiet=(), sizes=(), oldest=(), biggest=()
    )
    page = as_page(nothing, [], "Meuble de France")
    assert "rien d&#x27;orphelin" in page
    assert "<table" not in page


@pytest.mark.parametrize(
    "value, before, told",
    [
        (5, None, "premier rapport"),
        (5, 5, "comme au dernier rapport"),
        (5, 3, "+2 depuis le dernier rapport"),
        (3, 5, "−2 depuis le dernier rapport"),
    ],
)
def test_change_since_the_last_report(value: int, before: int | None, told: str):
    assert change(value, before) == told


def test_cards_compare_with_the_last_report():
    first, *_ = cards(report(), Past(NOON, 1230, 0, 0))
    assert first[2] == "+4 depuis le dernier rapport"


@pytest.mark.parametrize("width", [1100, 375])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_page_is_accessible_and_fits(tmp_path: Path, width: int, scheme: str):
    browser_path = find_program("Chromium", *BROWSERS)
    path = tmp_path / "rapport.html"
    path.write_text(as_page(report(), past(30), "Meuble de France"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=browser_path, chromium_sandbox=False
        )
        page = await browser.new_page(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        await page.goto(path.as_uri())
        found = await Axe().run(page)
        wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        await browser.close()
    assert [rule["id"] for rule in found.response["violations"]] == []
    assert wider == 0
