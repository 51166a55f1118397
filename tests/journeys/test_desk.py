"""The desk in real browsers: a customer on one side, the staff on the other."""

from __future__ import annotations

import json
import logging
import statistics
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from chat.core.ids import ref_of
from tests.journeys.adviser import LIST, DeskTab, StaffedShop, log_in
from tests.journeys.conftest import MakeCustomer
from tests.journeys.customer import DESKTOP, FAST, NEVER_ENDS, PHONE, Tab

logger = logging.getLogger(__name__)

#: Slow enough for somebody to come and take over in the middle of an answer.
PACED = "[[lent jetons_s=6]]"
LIGHTS: dict[str, dict[str, Any]] = {
    "desktop": DESKTOP,
    "phone": {**PHONE, "viewport": {"width": 375, "height": 800}},
    "dark": {**DESKTOP, "color_scheme": "dark"},
}
HOSTILE = "<script>alert(1)</script> \u202eretne " + "mot-sans-fin" * 60

#: Two browsers and a shop of its own, on a machine that may be busy.
pytestmark = pytest.mark.timeout(180)

LogIn = Callable[..., Awaitable[DeskTab]]


@pytest.fixture(scope="session")
def staffed(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StaffedShop]:
    shop = StaffedShop(tmp_path_factory.mktemp("staffed"), migrated)
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


@pytest.fixture
def enter(make_customer: MakeCustomer, staffed: StaffedShop) -> LogIn:
    """Log one of the cast in, in a browser of their own."""

    async def enter(username: str, **options: Any) -> DeskTab:
        return await log_in(await make_customer(staffed.url, **options), username)

    return enter


@pytest.fixture
def chat(make_customer: MakeCustomer, staffed: StaffedShop) -> Callable[[], Awaitable[Tab]]:
    """Open the shop's page as a new customer."""

    async def chat() -> Tab:
        return await (await make_customer(staffed.url)).open()

    return chat


def say(shop: StaffedShop, session_id: str, text: str) -> None:
    """Have another program talk to the assistant: a conversation whose id is known."""
    body = json.dumps({"message": text, "session_id": session_id}).encode()
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{shop.url}/api/chat", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own server
        answer.read()


async def follow(desk: DeskTab) -> None:
    """Open the newest conversation from the list."""
    await desk.show(LIST)
    await desk.rows.first.get_by_role("link").click()
    await desk.is_live()


async def test_adviser_takes_over_in_mid_sentence_answers_and_hands_back(enter: LogIn, chat):
    claire, karim = await enter("claire"), await enter("karim")
    camille: Tab = await chat()
    await claire.show(LIST)
    await camille.begin(f"Je cherche un canapé {PACED}")
    await expect(claire.rows.first.locator(".badge--answering")).to_be_visible()
    await claire.rows.first.get_by_role("link").click()
    await claire.is_live()
    await expect(claire.writing.locator("[data-text]")).not_to_be_empty()

    await claire.take.click()
    await expect(camille.lines.filter(has_text="Claire, du magasin, vous répond")).to_be_visible()
    await expect(camille.writing).to_have_count(0)
    await expect(claire.reply).to_be_focused()
    await expect(claire.cut).to_have_count(1)
    assert await camille.answers.locator("[data-text]").inner_text() != ""

    await claire.reply.fill("Bonjour, Claire à votre service.")
    await claire.reply.press("Control+Enter")
    said = camille.page.locator("[data-author=adviser]")
    await expect(said).to_contain_text("Claire à votre service.", use_inner_text=True)
    await expect(said.locator("[data-label]")).to_contain_text("Claire", use_inner_text=True)
    await expect(claire.reply).to_have_value("")
    await camille.write("Merci Claire")
    await expect(claire.lines.filter(has_text="Merci Claire")).to_be_visible()

    await follow(karim)
    await expect(karim.badge).to_have_text("tenue par Claire")
    await expect(karim.take).to_be_hidden()
    await expect(karim.reply).to_be_hidden()

    await claire.page.get_by_label("Consigne pour l’assistant").fill("Proposez la livraison.")
    await claire.page.get_by_role("button", name="Rendre la main").click()
    await expect(claire.take).to_be_focused()
    await expect(karim.take).to_be_visible()
    await camille.write(f"Et la livraison ? {FAST}")
    await expect(camille.answers).to_have_count(2)
    await expect(karim.badge).to_have_text("en attente")
    await expect(karim.page.get_by_text("Claire a rendu la main")).to_be_visible()


async def test_words_appear_at_the_desk_as_they_do_for_the_customer(
    enter: LogIn, chat, record_property: Callable[[str, object], None]
):
    camille: Tab = await chat()
    claire = await enter("claire")
    await camille.ask(f"Bonjour {FAST}")
    await follow(claire)
    await clock_words(camille.page)
    await clock_words(claire.page)

    answer = await camille.ask("Je cherche un canapé [[lent jetons_s=40]]")
    text = await answer.locator("[data-text]").inner_text()
    seen = claire.page.locator("[data-author=assistant]:not([data-writing]) [data-text]").last
    await expect(seen).to_have_text(text, use_inner_text=True)

    delays = delays_ms(await clocked(camille.page), await clocked(claire.page))
    assert len(delays) > 10
    cuts = statistics.quantiles(delays, n=20)
    record_property("desk_delay_ms", {"p50": cuts[9], "p95": cuts[18], "pieces": len(delays)})
    logger.info("behind the customer: P50 %.0f ms, P95 %.0f ms", cuts[9], cuts[18])


async def clock_words(page: Page) -> None:
    """Note when each length of the answer being written is first in the page."""
    await page.evaluate(
        """() => {
          window.clocked = [];
          const list = document.querySelector("[data-transcript]");
          new MutationObserver(() => {
            const text = list.querySelector("[data-writing] [data-text]")?.textContent ?? "";
            const last = window.clocked.at(-1)?.[0] ?? 0;
            if (text.length > last) {
              window.clocked.push([text.length, performance.timeOrigin + performance.now()]);
            }
          }).observe(list, { subtree: true, childList: true, characterData: true });
        }"""
    )


async def clocked(page: Page) -> list[tuple[int, float]]:
    return [(length, at) for length, at in await page.evaluate("window.clocked")]


def delays_ms(customer: list[tuple[int, float]], desk: list[tuple[int, float]]) -> list[float]:
    """How long after the customer's page each length was at the desk, at least."""
    return [
        next(then for reached, then in desk if reached >= length) - at
        for length, at in customer
        if desk and length <= desk[-1][0]
    ]


async def test_responsible_erases_and_the_customer_is_told(enter: LogIn, chat):
    camille: Tab = await chat()
    await camille.ask(f"Je suis Camille Durand {FAST}")
    claire, nadia = await enter("claire"), await enter("nadia")
    await follow(claire)
    await claire.page.get_by_label("Note privée").fill("un brouillon")
    await follow(nadia)

    await nadia.page.get_by_role("link", name="Effacer…").click()
    await nadia.page.get_by_role("button", name="Oui, effacer définitivement").click()

    await expect(nadia.page.get_by_role("heading", name="Reçu d’effacement")).to_be_visible()
    await expect(nadia.page.locator(".receipt")).to_contain_text("Nadia", use_inner_text=True)
    assert "Camille" not in await nadia.page.locator("main").inner_text()
    await expect(camille.ended).to_be_visible()
    await expect(camille.lines).to_have_count(0)
    await expect(claire.page.get_by_text("Cette conversation a été effacée.")).to_be_visible()
    await expect(claire.page.locator("[data-message]")).to_have_count(0)
    assert await claire.page.evaluate("JSON.stringify({...sessionStorage})") == "{}"


async def test_end_is_confirmed_in_the_page(enter: LogIn, chat):
    camille: Tab = await chat()
    await camille.ask(f"Bonjour {FAST}")
    claire = await enter("claire")
    await follow(claire)

    await claire.page.get_by_role("link", name="Mettre fin").click()
    await claire.check_accessible()
    await claire.page.get_by_role("button", name="Oui, mettre fin").click()

    await expect(claire.badge).to_have_text("close")
    await expect(claire.take).to_be_hidden()
    await expect(camille.ended).to_be_visible()


async def test_customer_who_asks_for_a_human_is_counted_on_every_page(enter: LogIn, staffed, chat):
    karim = await enter("karim")
    camille: Tab = await chat()
    await camille.ask(f"Bonjour {FAST}")
    await camille.page.get_by_role("button", name="conseiller").click()

    await karim.show("/admin/password_change/")
    waiting = karim.page.get_by_role("link", name="client attend un conseiller")
    await expect(waiting).to_be_visible()
    await waiting.click()
    await expect(karim.rows).to_have_count(1)
    await karim.rows.get_by_role("link").click()
    await expect(karim.badge).to_have_text("attend un conseiller")
    await karim.take.click()
    await expect(karim.badge).to_have_text("tenue par Karim")
    await karim.page.get_by_role("button", name="Rendre la main").click()
    await expect(karim.take).to_be_visible()


async def test_typed_words_outlive_a_cut_and_a_reload(enter: LogIn, staffed):
    session_id = uuid4().hex  # a test that is run again meets nothing of the first time
    say(staffed, session_id, f"Bonjour {FAST}")
    claire = await enter("claire")
    await claire.show_session(session_id)
    await claire.take.click()
    await claire.reply.fill("Je vérifie le stock")

    await claire.page.context.set_offline(True)
    await expect(claire.status).to_have_attribute("data-live-status", "offline")
    await expect(claire.reply).to_have_value("Je vérifie le stock")
    await claire.reply.press("Control+Enter")
    await expect(claire.refusal).to_contain_text("rien n’est perdu", use_inner_text=True)
    await claire.page.context.set_offline(False)
    await claire.is_live()
    await claire.page.reload()
    await claire.is_live()
    await expect(claire.reply).to_have_value("Je vérifie le stock")
    await claire.reply.press("Control+Enter")

    said = claire.page.locator("[data-author=adviser]")
    await expect(said).to_contain_text("Je vérifie le stock", use_inner_text=True)
    await expect(claire.reply).to_have_value("")
    claire.forgive("ERR_INTERNET_DISCONNECTED", "WebSocket")


async def test_everything_is_done_without_a_script(enter: LogIn, staffed):
    session_id = uuid4().hex
    say(staffed, session_id, f"Bonjour {FAST}")
    claire = await enter("claire", java_script_enabled=False)
    await claire.show(f"{LIST}{ref_of(session_id)}/")

    await claire.take.click()
    await claire.reply.fill("Bonjour, c'est Claire")
    await claire.page.get_by_role("button", name="Répondre").click()
    said = claire.page.locator("[data-author=adviser]")
    await expect(said).to_contain_text("c'est Claire", use_inner_text=True)
    await claire.page.get_by_label("Note privée").fill("Client pressé")
    await claire.page.get_by_role("button", name="Noter").click()
    await expect(claire.page.get_by_text("Client pressé")).to_be_visible()
    await claire.page.get_by_role("button", name="Rendre la main").click()
    await expect(claire.take).to_be_visible()
    await claire.page.get_by_role("link", name="Mettre fin").click()
    await claire.page.get_by_role("button", name="Oui, mettre fin").click()
    await expect(claire.badge).to_have_text("close")


async def test_list_stays_fresh_and_leaves_its_reader_alone(enter: LogIn, staffed):
    say(staffed, "older", f"Bonjour {FAST}")
    karim = await enter("karim")
    await karim.show(LIST)
    row = karim.page.locator(f'[data-row="{ref_of("older")}"]')
    await row.get_by_role("link").focus()

    say(staffed, "newer", f"Bonjour {FAST}")
    newer = karim.page.locator(f'[data-row="{ref_of("newer")}"]')
    await expect(newer).to_be_visible()
    await expect(row.get_by_role("link")).to_be_focused()

    await karim.page.context.set_offline(True)
    await expect(karim.status).to_contain_text("Actualisation interrompue", use_inner_text=True)
    await karim.page.context.set_offline(False)
    await expect(karim.status).to_contain_text("en direct", use_inner_text=True)
    karim.forgive("ERR_INTERNET_DISCONNECTED")


@pytest.mark.parametrize("light", LIGHTS)
async def test_pages_are_accessible_and_fit(enter: LogIn, staffed, light: str):
    ids = ("calm", "failed", "hostile")
    for id_, text in zip(ids, ("Un canapé", "Bonjour [[panne:vide]]", HOSTILE), strict=True):
        try:
            say(staffed, id_, f"{text} {FAST}" if id_ == "calm" else text)
        except urllib.error.HTTPError:
            assert id_ == "failed"
    nadia = await enter("nadia", **LIGHTS[light], reduced_motion="reduce")
    ref = ref_of("calm")
    for path in (
        "/admin/",
        LIST,
        f"{LIST}?q=rien+de+tel",
        *(f"{LIST}{ref_of(id_)}/" for id_ in ids),
        f"{LIST}{ref}/end/",
        f"{LIST}{ref}/erase/",
        f"{LIST}{ref}/print/",
        f"{LIST}{ref}/history/",
    ):
        await nadia.show(path)
        await nadia.check_accessible()
        await nadia.check_fits()
    await nadia.show(f"{LIST}{'0' * 16}/")
    await nadia.check_accessible()
    nadia.forgive("404")


async def test_page_under_the_hands_of_its_adviser_is_accessible(enter: LogIn, staffed):
    session_id = uuid4().hex
    say(staffed, session_id, f"Bonjour {FAST}")
    claire = await enter("claire", **LIGHTS["phone"])
    await claire.show_session(session_id)
    await claire.take.click()
    await expect(claire.reply).to_be_visible()
    await claire.page.get_by_label("Note privée").fill("Client fidèle")
    await claire.page.get_by_role("button", name="Noter").click()
    await expect(claire.page.get_by_text("Client fidèle")).to_be_visible()
    await claire.check_accessible()
    await claire.check_fits()


async def test_answer_that_is_being_written_is_accessible(enter: LogIn, chat):
    camille: Tab = await chat()
    karim = await enter("karim")
    await camille.begin(f"Bonjour {NEVER_ENDS}")
    await follow(karim)
    await expect(karim.writing).to_be_visible()
    await karim.check_accessible()
    await camille.stop_button.click()
    await expect(karim.cut).to_have_count(1)
