from __future__ import annotations

from itertools import pairwise

import pytest
from channels.db import database_sync_to_async

from chat.assistant.tools import TOOLS, customer_words
from chat.assistant.tools.prepare_ticket import TOOL
from chat.conversations.store.protocol import STORE
from chat.conversations.types import Author, Message
from chat.core.clock import now
from chat.core.errors import StoreUnavailable
from chat.shop.hours import PARIS
from chat.shop.tickets.draft_dialogue import READY, SAFETY
from chat.shop.tickets.models import Ticket
from devtools.demo.data import load_demo_catalogue
from tests.assistant.tools.conftest import session_of
from tests.stores import FaultyStore

pytestmark = pytest.mark.django_db(transaction=True)

HURT = "Mon canapé OSLO s'est effondré, je me suis blessé"
SQUEAK = "Mon canapé OSLO grince, le pied est fendu"


@pytest.fixture
def prepare(store, ask):
    """Say this in one conversation, then call the tool as the model does."""
    said: list[str] = []

    async def prepare(text: str, **arguments):
        said.append(text)
        message = Message(author=Author.CUSTOMER, id=f"q{len(said)}", text=text)
        await store.accept("camille", "web", message, create="always")
        result = await ask(TOOL, session_of(*said), **arguments)
        return result, (await store.load("camille", "web")).form

    return prepare


def test_the_tool_is_offered():
    assert TOOL in TOOLS


async def test_one_thing_is_asked_at_a_time_until_the_recap(prepare):
    steps = [
        await prepare(SQUEAK, problem=SQUEAK),
        await prepare("canapé OSLO", product="canapé OSLO"),
        await prepare("je n'ai plus le numéro", no_order=True),
        await prepare("camille@example.fr", email="camille@example.fr"),
    ]

    assert [result["message"] for result, _ in steps] == [
        "De quel meuble s'agit-il (nom ou référence) ?",
        "Quel est le numéro de la commande (CMD-2025-54321) ou, à défaut, la date de livraison ?",
        "À quelle adresse e-mail pouvons-nous vous répondre ?",
        READY,
    ]
    forms = [form for _, form in steps]
    assert {form["id"] for form in forms} == {forms[0]["id"]}
    assert all(later["version"] == one["version"] + 1 for one, later in pairwise(forms))
    assert not await Ticket.objects.aexists()


async def test_danger_is_told_first_and_asks_less(prepare):
    first, _ = await prepare(HURT, problem=HURT, product="canapé OSLO")
    second, form = await prepare("camille@example.fr", email="camille@example.fr")

    assert first["message"] == f"{SAFETY} À quelle adresse e-mail pouvons-nous vous répondre ?"
    assert second == {"message": READY}
    assert (form["no_order"], form["order_number"]) == (True, "")


async def test_danger_that_the_model_leaves_out_is_kept(prepare):
    result, form = await prepare(HURT, problem="Mon canapé OSLO s'est")

    assert form["words"] == HURT
    assert result["message"].startswith(SAFETY)


async def test_a_paraphrase_is_replaced_by_the_customers_own_words(prepare):
    _, form = await prepare(SQUEAK, problem="Le client signale un bruit dans son sofa")

    assert form["words"] == SQUEAK


async def test_more_of_the_problem_is_added_and_nothing_else(prepare):
    await prepare(SQUEAK, problem=SQUEAK)
    more = "Le tissu est aussi déchiré"
    _, added = await prepare(more, problem=more)
    _, after = await prepare("Non, ce n'est pas correct", problem="Non, ce n'est pas correct")

    assert added["words"] == after["words"] == f"{SQUEAK}\n{more}"


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        ({"email": "zoe@example.fr"}, "email"),
        ({"email": "amille@example.fr"}, "email"),
        ({"name": "Zoé Martin"}, "name"),
        ({"product": "table FJORD"}, "product"),
        ({"order_number": "CMD-2026-10001"}, "order_number"),
        ({"delivery_date": "2025-03-13"}, "delivery_date"),
        ({"delivery_date": "2024-03-12"}, "delivery_date"),
    ],
)
async def test_what_the_customer_did_not_write_is_not_taken(prepare, arguments, refused):
    said = f"{SQUEAK}. Reçu le 12 mars 2025, camille@example.fr, Camille"

    result, form = await prepare(said, problem=said, **arguments)

    assert list(result["not_taken"]) == [refused]
    assert (form["email"], form["customer_name"], form["delivered_on"]) == ("", "", "")
    assert (form["order_number"], form["product_name"]) == ("", "")


async def test_what_the_customer_wrote_is_taken_in_any_typing(prepare):
    said = f"{SQUEAK}. Reçu le 12 mars 2025, Camille@Example.fr, Camille"

    _, form = await prepare(
        said, problem=said, delivery_date="2025-03-12", email="camille@example.fr", name="camille"
    )

    assert (form["delivered_on"], form["email"]) == ("2025-03-12", "camille@example.fr")
    assert form["customer_name"] == "camille"


@pytest.mark.usefixtures("_orders")
async def test_an_order_that_is_proved_tells_product_and_day(prepare):
    said = f"{SQUEAK}, commande CMD-2025-54321, camille@example.fr"

    result, form = await prepare(
        said, problem=said, product="canapé OSLO", order_number="cmd 2025 54321",
        email="camille@example.fr",
    )  # fmt: skip

    assert result == {"message": READY}
    assert (form["order_number"], form["delivered_on"]) == ("CMD-2025-54321", "2025-03-12")
    assert (form["product_name"], form["product_reference"]) == ("Canapé OSLO", "SAL-CAP-001")


@pytest.mark.usefixtures("_orders")
async def test_an_order_of_somebody_else_tells_nothing(prepare):
    said = f"{SQUEAK}, commande CMD-2025-54321, autre@example.fr"

    _, form = await prepare(
        said, problem=said, order_number="CMD-2025-54321", email="autre@example.fr"
    )

    assert (form["delivered_on"], form["product_name"]) == ("", "")


async def test_a_product_of_the_catalogue_gets_its_reference(prepare):
    await database_sync_to_async(load_demo_catalogue)()

    _, form = await prepare(SQUEAK, problem=SQUEAK, product="canapé OSLO")

    assert (form["product_name"], form["product_reference"]) == ("canapé OSLO", "SAL-CAP-001")


async def test_nothing_new_changes_nothing(prepare):
    _, before = await prepare(SQUEAK, problem=SQUEAK, product="canapé OSLO")
    result, after = await prepare("Alors ?", problem=SQUEAK)

    assert after == before
    assert result["message"].startswith("Quel est le numéro")


async def test_a_store_that_is_away_is_told(ask, store, replace_parts):
    replace_parts(STORE.to(FaultyStore.of(store, load=StoreUnavailable())))

    told = await ask(TOOL, session_of(SQUEAK), problem=SQUEAK)

    assert told["error"].startswith("La demande ne peut pas être préparée pour le moment")


@pytest.mark.parametrize(
    ("written", "day", "expected"),
    [
        ("le 12/03/2025", "2025-03-12", True),
        ("le 12.3.25", "2025-03-12", True),
        ("2025-03-12", "2025-03-12", True),
        ("le 1er avril 2025", "2025-04-01", True),
        ("le 112/03/2025", "2025-03-12", False),
        ("le 12/03/2025", "2025-12-03", False),
        ("12 marsouins", "2025-03-12", False),
        ("hier", "hier", False),
    ],
)
def test_a_day_is_known_by_how_it_was_written(written, day, expected):
    assert customer_words.wrote_day(session_of(written), day) is expected


def test_a_day_without_a_year_is_the_last_one():
    today = now().astimezone(PARIS).date()
    last = today.replace(day=1)
    text = f"le {last.day} {customer_words._MONTHS[last.month - 1]}"

    assert customer_words.wrote_day(session_of(text), last.isoformat())
    assert not customer_words.wrote_day(
        session_of(text), last.replace(year=last.year - 1).isoformat()
    )
