"""What the page costs: bytes, first paint, and a thread of a thousand messages. Work is counted,
never timed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import redis
from playwright.async_api import CDPSession, Locator, expect

from chat.conversations import cookie
from chat.conversations.store.protocol import WEB_OWNER
from chat.conversations.store.redis.scripts import PipelineExecutor, scripts
from chat.conversations.store.redis.store import RedisStore
from chat.conversations.transcript import PAGE_MESSAGES
from tests.builders import answer_to, done, leased, question
from tests.journeys.adviser import StaffedShop, log_in
from tests.journeys.conftest import MakeCustomer
from tests.journeys.customer import Customer, Tab
from tests.journeys.shop import Shop

MESSAGES = 1_000
#: Parts of them that are loaded where the length of the thread matters.
PARTS = 6
MAX_BYTES = 40_000
KEYS = "Je cherche un canapé"
STREAMED = "Racontez-moi en détail le choix d'un meuble [[lent jetons_s=40 premier_jeton_ms=0]]"

#: A shop of its own with its staff, on a machine that may be busy.
pytestmark = pytest.mark.timeout(180)

#: Once the page is parsed and before any module runs: every line is marked, every change noted.
WATCH = """
document.addEventListener("readystatechange", () => {
  if (document.readyState !== "interactive") return;
  const list = document.querySelector("[data-transcript]");
  for (const line of list.children) line.isOfTheServer = true;
  globalThis.touched = new Map();
  new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      const line = target === list ? addedNodes[0] : target.closest?.("[data-transcript] > *");
      const part = target.closest?.("[data-text]") ? "text" : "rest";
      if (line) touched.set(line, (touched.get(line) ?? "") + part);
      else touched.set(target, "outside");
    }
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
});
"""


@dataclass
class ProductionShop(Shop):
    """As in production: hashed and compressed files, no local assistant."""

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {
            "DEBUG": "0",
            "SECRET_KEY": "0123456789-of-a-key-that-signs-only-what-this-test-opens",
            "ALLOWED_HOSTS": "127.0.0.1",
            "COOKIE_SECURE": "0",
            "OPENAI_API_KEY": "none",
        }


@dataclass
class SharedShop(StaffedShop):
    """Its sessions are in a Redis, where others can write them."""

    redis_url: str = ""

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"REDIS_URL": self.redis_url}


@pytest.fixture(scope="module")
def production(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = ProductionShop(tmp_path_factory.mktemp("production"), migrated)
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


@pytest.fixture(scope="module")
def shared(
    redis_url: str, migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SharedShop]:
    shop = SharedShop(tmp_path_factory.mktemp("shared"), migrated, redis_url=redis_url)
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def talkative(
    make_customer: MakeCustomer, shared: SharedShop, redis_url: str
) -> AsyncIterator[Customer]:
    """Camille with a thousand messages behind her."""
    camille = await make_customer(shared.url)
    await give_past(camille, redis_url, MESSAGES)
    await camille.context.add_init_script(WATCH)
    yield camille


async def give_past(customer: Customer, redis_url: str, messages: int) -> str:
    """Give a browser a conversation of so many messages; return its id."""
    with redis.Redis.from_url(redis_url) as client:
        link = PipelineExecutor(lambda: client, scripts())
        session_id = cookie.new_session_id()
        await fill(RedisStore(link, ttl_s=3600), session_id, messages)
        link.close()
    await customer.context.add_cookies(
        [{"name": cookie.name(), "value": cookie.sign(session_id), "url": customer.url}]
    )
    return session_id


async def fill(store: RedisStore, session_id: str, messages: int) -> None:
    """Half are questions with what browsers write otherwise than Python does."""
    for n in range(messages // 2):
        asked = question(f'L\'accoudoir "bas" du n° {n} ?', f"q{n}")
        await store.accept(session_id, WEB_OWNER, asked, create="always")
        lease = await leased(store, asked.id, session_id)
        said = answer_to(lease, f"Oui, il fait {60 + n} cm\u00a0: **lin** ou velours.")
        await store.finish(lease, done(lease), replace(said, id=f"a{n}"))


async def lines_touched(tab: Tab, act: Any) -> dict[str, int]:
    """Do it, and tell what changed: lines of the transcript, and elements outside of it."""
    await tab.page.evaluate("touched.clear()")
    await act
    counts: dict[str, int] = await tab.page.evaluate(
        """() => {
          const values = [...touched.values()];
          const outside = values.filter((value) => value === "outside").length;
          return { lines: values.length - outside, outside };
        }"""
    )
    return counts


async def layouts(cdp: CDPSession) -> int:
    metrics = (await cdp.send("Performance.getMetrics"))["metrics"]
    return int(next(metric["value"] for metric in metrics if metric["name"] == "LayoutCount"))


async def test_page_is_under_40_kb_as_production_sends_it(
    make_customer: MakeCustomer, production: Shop
):
    camille = await make_customer(production.url)
    tab = await camille.open()
    loaded: list[dict[str, Any]] = await tab.page.evaluate(
        """["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
          .map(({ name, encodedBodySize, decodedBodySize }) => (
            { name, encodedBodySize, decodedBodySize }))"""
    )
    assert len(loaded) > 20
    assert all(entry["name"].startswith(production.url) for entry in loaded)
    large = [entry for entry in loaded if entry["decodedBodySize"] > 1_000]
    assert all(entry["encodedBodySize"] < entry["decodedBodySize"] for entry in large), large
    assert sum(entry["encodedBodySize"] for entry in loaded) < MAX_BYTES


async def test_first_paint_waits_for_no_script(talkative: Customer):
    tab = await talkative.tab()
    await tab.page.route("**/*.js", lambda route: route.abort())
    await tab.page.goto(tab.url)
    await expect(tab.lines).to_have_count(PAGE_MESSAGES)
    await expect(tab.field).to_be_visible()
    blocking = await tab.page.evaluate(
        """performance.getEntriesByType("resource")
          .filter(({ renderBlockingStatus }) => renderBlockingStatus === "blocking")
          .map(({ name }) => name.replace(/.*\\//, "")).sort()"""
    )
    assert blocking == ["chat.css", "page.css", "theme.css"]
    assert await tab.page.locator("script:not([type=module])").count() == 0
    tab.forgive("net::ERR_FAILED")


async def test_nothing_moves_when_the_script_begins(talkative: Customer):
    tab = await talkative.tab()
    await tab.page.add_init_script(
        """globalThis.shifted = 0;
        new PerformanceObserver((list) => {
          for (const { value } of list.getEntries()) shifted += value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    await tab.open()
    await expect(tab.lines.last).to_be_in_viewport()
    assert await tab.page.evaluate("shifted") < 0.001


async def test_what_the_server_wrote_stays(talkative: Customer):
    tab = await talkative.open()
    await expect(tab.lines).to_have_count(PAGE_MESSAGES)
    kept = await tab.page.evaluate(
        "[...document.querySelectorAll('[data-transcript] > *')].every((e) => e.isOfTheServer)"
    )
    assert kept
    rewritten = await tab.page.evaluate(
        "[...touched.values()].filter((parts) => parts.includes('text')).length"
    )
    assert rewritten == 0


async def load_parts(tab: Tab, upto: int = PARTS) -> None:
    """Load older messages by the button, until so many parts are shown."""
    for part in range(2, upto + 1):
        await earlier(tab).click()
        await expect(tab.lines).to_have_count(part * PAGE_MESSAGES)


def earlier(tab: Tab) -> Locator:
    return tab.page.get_by_role("button", name="Afficher les messages précédents")


async def test_older_messages_come_above_what_is_read_and_nothing_moves(talkative: Customer):
    tab = await talkative.open()
    await expect(tab.lines).to_have_count(PAGE_MESSAGES)
    first = tab.lines.first
    id_ = await first.get_attribute("data-message")
    await first.scroll_into_view_if_needed()
    await earlier(tab).focus()
    line = tab.page.locator(f'[data-message="{id_}"]')
    before = await line.bounding_box()

    await tab.page.keyboard.press("Enter")
    await expect(tab.lines).to_have_count(2 * PAGE_MESSAGES)

    after = await line.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) <= 1
    said = await tab.page.locator("[data-announcer] p").all_inner_texts()
    assert said == [f"{PAGE_MESSAGES} messages précédents affichés."]
    await expect(tab.pill).to_be_hidden()
    await tab.check_accessible()


async def test_first_part_has_no_button_and_the_keyboard_goes_on_there(
    make_customer: MakeCustomer, shared: SharedShop, redis_url: str
):
    camille = await make_customer(shared.url)
    await give_past(camille, redis_url, PAGE_MESSAGES + 20)
    tab = await camille.open()
    await earlier(tab).focus()
    await tab.page.keyboard.press("Enter")
    await expect(tab.lines).to_have_count(PAGE_MESSAGES + 20)
    await expect(earlier(tab)).to_be_hidden()
    await expect(tab.lines.first).to_be_focused()


async def test_older_messages_stay_after_a_cut(talkative: Customer):
    tab = await talkative.open()
    await load_parts(tab, 2)
    await talkative.context.set_offline(True)
    await tab.page.wait_for_function("document.querySelector('[data-connection=offline]')")
    await talkative.context.set_offline(False)
    await tab.is_connected()
    await expect(tab.lines).to_have_count(2 * PAGE_MESSAGES)


async def test_without_script_the_button_leads_to_the_older_messages(
    make_customer: MakeCustomer, shared: SharedShop, redis_url: str
):
    camille = await make_customer(shared.url, java_script_enabled=False)
    await give_past(camille, redis_url, 2 * PAGE_MESSAGES + 20)
    tab = await camille.tab()
    await tab.page.goto(tab.url)
    newest = await tab.lines.first.get_attribute("data-message")
    await earlier(tab).click()
    await expect(tab.page).to_have_url(f"{tab.url}/?avant={newest}")
    await expect(tab.lines).to_have_count(PAGE_MESSAGES)
    await earlier(tab).click()
    await expect(tab.lines).to_have_count(20)
    await expect(earlier(tab)).to_be_hidden()
    await tab.page.get_by_role("link", name="Revenir à la fin de la conversation").click()
    await expect(tab.lines).to_have_count(PAGE_MESSAGES)


async def test_desk_loads_older_messages_too(
    make_customer: MakeCustomer, shared: SharedShop, redis_url: str
):
    session_id = await give_past(await make_customer(shared.url), redis_url, 120)
    tab = await log_in(await make_customer(shared.url), "karim")
    await tab.show_session(session_id)
    count = tab.page.locator("[data-fact=messages]")
    await expect(tab.lines).to_have_count(PAGE_MESSAGES)
    await expect(count).to_have_text("120")
    await load_parts(tab, 2)
    await expect(count).to_have_text("120")
    await earlier(tab).click()
    await expect(tab.lines).to_have_count(120)
    await expect(earlier(tab)).to_be_hidden()
    await tab.check_accessible()


async def test_lines_out_of_sight_are_not_laid_out(talkative: Customer):
    tab = await talkative.open()
    await expect(tab.lines.last).to_be_in_viewport()
    laid_out = await tab.lines.evaluate_all(
        "(all) => all.filter(({ firstElementChild: part }) => ("
        "part.checkVisibility({ contentVisibilityAuto: true }))).length"
    )
    assert 0 < laid_out < 60


async def test_key_touches_nothing_of_the_thread(talkative: Customer):
    tab = await talkative.open()
    await load_parts(tab)
    await tab.field.focus()
    cdp = await talkative.context.new_cdp_session(tab.page)
    await cdp.send("Performance.enable")
    before = await layouts(cdp)
    touched = await lines_touched(tab, tab.field.press_sequentially(KEYS))
    assert await tab.field.input_value() == KEYS
    assert touched == {"lines": 0, "outside": 0}
    assert await layouts(cdp) - before <= 2 * len(KEYS)


async def test_delta_touches_its_own_line_alone(talkative: Customer):
    tab = await talkative.open()
    await load_parts(tab)
    await tab.begin(STREAMED)
    shown = tab.writing.locator("[data-text]")
    came: Counter[str] = Counter()
    tab.page.on("websocket", lambda _: pytest.fail("connected again"))
    cdp = await talkative.context.new_cdp_session(tab.page)
    await cdp.send("Performance.enable")
    await cdp.send("Network.enable")

    def note(frame: Any) -> None:
        came[json.loads(frame["response"]["payloadData"])["type"]] += 1

    cdp.on("Network.webSocketFrameReceived", note)

    async def read_on() -> None:
        length = len(await shown.inner_text())
        await tab.page.wait_for_function(
            "(length) => document.querySelector('[data-writing] [data-text]')"
            ".textContent.length > length + 60",
            arg=length,
        )

    for _ in range(3):
        came.clear()
        before = await layouts(cdp)
        touched = await lines_touched(tab, read_on())
        if not came["session.state"]:  # told again as a whole, where a machine stood still
            break
    assert touched["lines"] == 1  # the answer being written
    assert touched["outside"] <= 12  # sentences for the screen reader
    assert await layouts(cdp) - before <= 4 * max(came["message.delta"], 3)
    await tab.stop_button.click()
    await expect(tab.writing).to_have_count(0)
