"""From "it collapsed" to a ticket that can be followed: only buttons decide."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing

import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, Page, expect

from tests.journeys.conftest import MakeCustomer
from tests.journeys.customer import DESKTOP, FAST, PHONE, Customer, Tab
from tests.journeys.shop import Shop
from tests.shop.photos.pictures import photo

HURT = "mon canapé OSLO s'est effondré, je me suis blessé"
MAIL = "camille@example.test"
NUMBER = re.compile(r"SAV-\d{4}-\d{5}")


class Recap:
    """The card as a customer uses it."""

    def __init__(self, page: Page) -> None:
        self.card = page.locator(".recap")
        self.title = self.card.get_by_role("heading", name="Votre demande, à vérifier")
        self.confirm = self.card.get_by_role("button", name="Valider")
        self.edit = self.card.get_by_role("button", name="Modifier")
        self.drop = self.card.get_by_role("button", name="Abandonner")
        self.save = self.card.get_by_role("button", name="Enregistrer")


def rows(shop: Shop, query: str, *values: str) -> list[tuple[object, ...]]:
    """What the shop's database has."""
    with closing(sqlite3.connect(shop.folder / "db.sqlite3")) as database:
        return database.execute(query, values).fetchall()


def tickets_of(shop: Shop, email: str) -> list[tuple[object, ...]]:
    return rows(
        shop, "select number, priority, customer_name from chat_ticket where email=?", email
    )


def picture(number: int) -> FilePayload:
    """Each another one: the same file is kept once."""
    return {
        "name": f"{number}.png",
        "mimeType": "image/png",
        "buffer": photo("PNG", width=60 + number),
    }


async def reach_recap(tab: Tab, email: str = MAIL) -> Recap:
    """Tell of the accident and give what is asked for, until the recap is there."""
    recap = Recap(tab.page)
    asked = await tab.ask(f"{HURT} {FAST}")
    await expect(asked).to_contain_text("n'utilisez plus ce meuble")
    await expect(asked).to_contain_text("adresse e-mail")
    await expect(recap.card).to_be_hidden()
    await tab.ask(f"{email} {FAST}")
    await expect(recap.title).to_be_visible()
    return recap


async def test_from_an_accident_to_a_ticket_with_two_photos(camille: Customer, shop: Shop):
    tab = await camille.open()
    recap = await reach_recap(tab)
    await expect(recap.title).to_be_focused()
    await expect(tab.heard).to_contain_text("Le récapitulatif de votre demande est affiché")
    await tab.ask(f"Non, ce n'est pas correct {FAST}")
    await tab.ask(f"oui, valider {FAST}")
    assert tickets_of(shop, MAIL) == []

    async with tab.page.expect_file_chooser() as choosing:
        await tab.page.get_by_text("Ajouter une photo").click()
    chooser = await choosing.value
    await chooser.set_files([picture(1), picture(2)])
    await expect(tab.page.locator("[data-photo=stored]")).to_have_count(2)

    await recap.edit.click()
    await recap.card.get_by_label("Nom").fill("Camille Martin")
    await recap.card.get_by_label("E-mail").fill("pas une adresse")
    await recap.save.click()
    await expect(recap.card.get_by_text("Cette adresse e-mail n'est pas valide.")).to_be_visible()
    await expect(recap.card.get_by_label("E-mail")).to_be_focused()
    await recap.card.get_by_label("E-mail").fill(MAIL)
    await recap.save.click()
    await expect(recap.card.get_by_text("Camille Martin")).to_be_visible()
    assert tickets_of(shop, MAIL) == []

    await recap.confirm.dblclick()
    told = tab.page.locator("[data-author=system]").filter(has_text="est enregistrée")
    await expect(told).to_have_count(1)
    await expect(recap.card).to_be_hidden()
    await expect(tab.field).to_be_focused()

    ((number, priority, name),) = tickets_of(shop, MAIL)
    assert (priority, name) == ("P0", "Camille Martin")
    await expect(told).to_contain_text(str(number))
    await expect(told).to_contain_text("Vos 2 photos y sont jointes.")
    await expect(told).to_contain_text("c•••@example.test")
    assert "P0" not in await told.inner_text()
    queued = rows(shop, 'select count(*) from chat_outgoingmail where "to"=?', MAIL)
    assert queued == [(1,)]
    joined = rows(shop, "select count(*) from chat_photo where ticket_number=?", str(number))
    assert joined == [(2,)]
    await told.get_by_role("link", name="Suivre ma demande").click()
    await expect(tab.page.get_by_text(str(number)).first).to_be_visible()
    await expect(tab.page).to_have_url(re.compile("/suivi/"))


async def test_without_danger_one_thing_is_asked_at_a_time(camille: Customer, shop: Shop):
    tab = await camille.open()
    for said, asked in (
        ("Le pied de ma chaise est fendu, elle est bancale", "numéro de la commande"),
        ("je n'ai plus le numéro", "adresse e-mail"),
        ("vous pouvez écrire à calme@example.test", "récapitulatif"),
    ):
        answer = await tab.ask(f"{said} {FAST}")
        await expect(answer).to_contain_text(asked)
        await expect(answer).not_to_contain_text("sécurité")
    recap = Recap(tab.page)
    await recap.confirm.focus()
    await tab.page.keyboard.press("Enter")
    told = tab.lines.filter(has_text=NUMBER)
    await expect(told).to_have_count(1)
    answer = await tab.ask(f"Où en est ma demande ? {FAST}")
    await expect(answer).to_contain_text("Reçue, pas encore prise en charge")
    ((number, priority, _),) = tickets_of(shop, "calme@example.test")
    assert priority in ("P1", "P2")
    await expect(answer).to_contain_text(str(number))


async def test_two_tabs_make_one_ticket_and_a_stale_button_none(camille: Customer, shop: Shop):
    email = "deux@example.test"
    one, two = await camille.open(), await camille.open()
    first = await reach_recap(one, email)
    second = Recap(two.page)
    await expect(second.title).to_be_visible()

    await first.edit.click()
    await first.card.get_by_label("Nom").fill("Zoé")
    await first.save.click()
    await expect(second.card.get_by_text("Zoé")).to_be_visible()
    await asyncio.gather(*(recap.confirm.dispatch_event("click") for recap in (first, second)))
    for tab in (one, two):
        told = tab.page.locator("[data-author=system]").filter(has_text=NUMBER)
        await expect(told).to_have_count(1)
        await expect(Recap(tab.page).card).to_be_hidden()
    assert len(tickets_of(shop, email)) == 1


async def test_what_is_dropped_is_gone(camille: Customer, shop: Shop):
    tab = await camille.open()
    recap = await reach_recap(tab, "rien@example.test")

    await recap.drop.click()

    await expect(recap.card).to_be_hidden()
    await tab.page.reload()
    await tab.is_connected()
    await expect(recap.card).to_have_count(0)
    assert tickets_of(shop, "rien@example.test") == []


@pytest.mark.parametrize(
    "light",
    [
        DESKTOP,
        {**PHONE, "viewport": {"width": 375, "height": 812}},
        {**DESKTOP, "color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
    ],
)
async def test_recap_is_accessible_and_fits(make_customer: MakeCustomer, light):
    camille = await make_customer(**light, reduced_motion="reduce")
    tab = await camille.open()
    recap = await reach_by_button(tab, "vue@example.test")
    await tab.check_accessible()
    await tab.check_fits()
    await recap.edit.click()
    await recap.card.get_by_label("E-mail").fill("non")
    await recap.save.click()
    await expect(recap.card.get_by_label("E-mail")).to_be_focused()
    await tab.check_accessible()
    await tab.check_fits()


async def reach_by_button(tab: Tab, email: str) -> Recap:
    """On a phone, Enter breaks the line."""
    for text in (HURT, email):
        count = await tab.answers.count()
        await tab.field.fill(f"{text} {FAST}")
        await tab.send_button.click()
        await expect(tab.answers).to_have_count(count + 1)
    recap = Recap(tab.page)
    await expect(recap.title).to_be_visible()
    return recap


@pytest_asyncio.fixture(loop_scope="session")
async def plain(make_customer: MakeCustomer) -> Tab:
    customer = await make_customer(java_script_enabled=False)
    tab = await customer.tab()
    await tab.page.goto(tab.url)
    return tab


async def test_without_javascript_the_same_buttons_decide(plain: Tab, shop: Shop):
    email = "sansjs@example.test"
    recap = await reach_by_button(plain, email)

    await recap.card.get_by_text("Modifier").click()
    await recap.card.get_by_label("E-mail").fill("non")
    await recap.save.click()
    await expect(recap.card.get_by_text("Cette adresse e-mail n'est pas valide.")).to_be_visible()
    await expect(recap.card.get_by_label("E-mail")).to_have_value("non")
    plain.forgive("422")
    await recap.card.get_by_label("E-mail").fill(email)
    await recap.card.get_by_label("Nom").fill("Camille")
    await recap.save.click()
    await expect(recap.card.locator("dd", has_text="Camille")).to_be_visible()
    await recap.confirm.click()

    await expect(plain.lines.filter(has_text=NUMBER)).to_have_count(1)
    await expect(recap.card).to_have_count(0)
    assert [name for _, _, name in tickets_of(shop, email)] == ["Camille"]
