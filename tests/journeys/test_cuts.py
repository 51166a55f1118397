"""What breaks, and how the page comes out of it: reloads, networks, servers."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.journeys.conftest import MakeCustomer
from tests.journeys.customer import FAST, NEVER_ENDS, SLOW, Customer
from tests.journeys.shop import Shop

NETWORK = ("ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_REFUSED", "WebSocket connection")


@pytest.fixture(scope="module")
def shop_to_stop(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("own"), migrated)
    try:
        yield shop
    finally:
        shop.stop()


@pytest.fixture
def own_shop(shop_to_stop: Shop) -> Shop:
    """A shop that the test may stop; it runs when the test begins."""
    if not shop_to_stop.is_running:
        shop_to_stop.start()
    return shop_to_stop


async def test_reload_in_mid_answer_sees_it_go_on(camille: Customer):
    tab = await camille.open()
    await tab.begin(f"Racontez-moi en détail le choix d'un meuble {SLOW}")
    await tab.page.reload()
    await expect(tab.writing.locator("[data-text]")).not_to_be_empty()
    await expect(tab.answers).to_have_count(1)
    await expect(tab.answers).not_to_contain_text("Réponse interrompue", use_inner_text=True)
    shown = await tab.texts()
    await tab.page.reload()
    await tab.is_connected()
    assert await tab.texts() == shown


async def test_tab_closed_in_mid_answer_finds_it_later(camille: Customer):
    tab = await camille.open()
    await tab.begin(f"Racontez-moi en détail le choix d'un meuble {SLOW}")
    await tab.page.close()
    other = await camille.open()
    await expect(other.answers).to_have_count(1)
    await expect(other.questions).to_have_count(1)


async def test_message_written_offline_leaves_when_the_network_is_back(camille: Customer):
    tab = await camille.open()
    await tab.ask(f"Bonjour {FAST}")
    await camille.context.set_offline(True)
    await expect(tab.connection).to_contain_text("Hors ligne", use_inner_text=True)
    await tab.write(f"Quels sont vos délais ? {FAST}")
    await expect(tab.questions.nth(1)).to_contain_text("En attente d’envoi", use_inner_text=True)
    await tab.check_accessible()

    await camille.context.set_offline(False)
    await tab.is_connected()
    await expect(tab.answers).to_have_count(2)
    await expect(tab.questions).to_have_count(2)
    await expect(tab.questions.nth(1)).not_to_contain_text("En attente", use_inner_text=True)
    tab.forgive(*NETWORK)


async def test_network_lost_in_mid_answer_costs_nothing(camille: Customer):
    tab = await camille.open()
    await tab.begin(f"Racontez-moi en détail le choix d'un meuble {SLOW}")
    await camille.context.set_offline(True)
    await expect(tab.connection).to_contain_text("Hors ligne", use_inner_text=True)
    await camille.context.set_offline(False)
    await tab.is_connected()
    await expect(tab.answers).to_have_count(1)
    await expect(tab.answers).not_to_contain_text("Réponse interrompue", use_inner_text=True)
    shown = await tab.texts()
    await tab.page.reload()
    await tab.is_connected()
    assert await tab.texts() == shown
    tab.forgive(*NETWORK)


async def test_what_was_typed_survives_a_reload(camille: Customer):
    tab = await camille.open()
    await tab.field.fill("Un brouillon\nsur deux lignes")
    await tab.page.reload()
    await tab.is_connected()
    await expect(tab.field).to_have_value("Un brouillon\nsur deux lignes")
    await tab.ask(f"Bonjour {FAST}")
    await tab.page.reload()
    await tab.is_connected()
    await expect(tab.field).to_have_value("")


async def test_message_not_accepted_is_sent_after_a_reload_once(
    make_customer: MakeCustomer, own_shop: Shop
):
    camille = await make_customer(own_shop.url)
    tab = await camille.open()
    own_shop.stop(signal.SIGKILL)
    await tab.write(f"Vous m'entendez ? {FAST}")
    await expect(tab.questions).to_contain_text("En attente d’envoi", use_inner_text=True)
    own_shop.start()
    await tab.page.reload()
    await expect(tab.answers).to_have_count(1)
    await expect(tab.questions).to_have_count(1)
    tab.forgive(*NETWORK)


async def test_server_that_restarts_is_found_again_without_a_click(
    make_customer: MakeCustomer, own_shop: Shop
):
    camille = await make_customer(own_shop.url)
    tab = await camille.open()
    own_shop.stop()
    await expect(tab.connection).not_to_have_attribute("data-connection", "connected")
    own_shop.start()
    await tab.is_connected()
    await tab.ask(f"Bonjour {FAST}")
    tab.forgive(*NETWORK)


async def test_conversation_that_the_server_no_longer_has_is_said_to_have_expired(
    make_customer: MakeCustomer, own_shop: Shop
):
    camille = await make_customer(own_shop.url)
    tab = await camille.open()
    await tab.ask(f"Bonjour {FAST}")
    own_shop.stop()
    await tab.write("Et aussi")
    await expect(tab.field).to_have_value("")
    own_shop.start()
    await expect(tab.ended).to_contain_text("a expiré", use_inner_text=True)
    await expect(tab.send_button).to_be_disabled()
    await tab.check_accessible()
    await tab.ended.get_by_role("button", name="Nouvelle conversation").click()
    await tab.is_connected()
    await expect(tab.lines).to_have_count(0)
    await expect(tab.field).to_have_value("Et aussi")
    tab.forgive(*NETWORK)


NO_SOCKETS = """
window.WebSocket = class {
  constructor() { setTimeout(() => this.onclose({ code: 1006 })); }
  close() {}
};
"""


async def test_where_sockets_are_barred_the_page_still_answers(camille: Customer):
    tab = await camille.tab()
    await tab.page.add_init_script(NO_SOCKETS)
    await tab.page.goto(tab.url)
    await tab.write(f"Bonjour, je suis Camille {FAST}")
    await expect(tab.questions).to_contain_text("En attente d’envoi", use_inner_text=True)
    asked = await tab.questions.get_attribute("data-message")
    await tab.field.fill("Et puis")
    await expect(tab.answers).to_contain_text("Camille", use_inner_text=True)
    await expect(tab.questions).to_have_count(1)
    assert await tab.questions.get_attribute("data-message") == asked
    await expect(tab.field).to_have_value("Et puis")

    await expect(tab.connection).to_have_attribute("data-connection", "barred")
    await tab.check_accessible()
    await tab.write(f"Comment je m'appelle ? {FAST}")
    await expect(tab.answers).to_have_count(2)
    await expect(tab.field).to_have_value("")


async def test_where_sockets_are_barred_what_is_refused_is_given_back_once(camille: Customer):
    tab = await camille.tab()
    await tab.page.add_init_script(NO_SOCKETS)
    await tab.page.goto(tab.url)
    await tab.page.evaluate(
        "sessionStorage.setItem('chat.outbox', JSON.stringify("
        "[{ id: 'q1', text: 'x'.repeat(4500), at: new Date().toISOString() }]))"
    )
    await tab.page.reload()
    await expect(tab.page.get_by_role("alert")).to_be_visible()
    await expect(tab.field).to_have_value("x" * 4500)
    await expect(tab.questions).to_have_count(0)
    tab.forgive("422")


async def test_stopping_a_dead_answer_frees_the_conversation(camille: Customer):
    tab = await camille.open()
    await tab.begin(f"Bonjour {NEVER_ENDS}")
    await tab.page.reload()
    await tab.stop_button.click()
    await expect(tab.answers).to_contain_text("Réponse interrompue", use_inner_text=True)
    await tab.ask(f"Bonjour {FAST}")
