from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from channels.db import database_sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.shop.orders import lookup
from chat.shop.orders.attempts import PER_NETWORK
from chat.shop.orders.import_rows import NewLine, NewOrder
from chat.shop.orders.loader import load_orders, store_orders
from chat.shop.orders.lookup import MAX_LINES, FoundOrder, TooManyTries
from chat.shop.orders.queries import find_order
from devtools.demo.data import DEMO_ORDERS

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "CMD-2025-54321"


@pytest.fixture(autouse=True)
def _orders() -> None:
    load_orders(DEMO_ORDERS)


async def look_up_order(
    session_id: str, number: str, proofs: Sequence[str], name: str = "", address: str = ""
) -> FoundOrder | None:
    return await lookup.look_up_order(session_id, number, proofs, name, address=address)


@pytest.mark.parametrize("proof", ["camille@example.fr", " Camille@Example.FR", "75011", "75 011"])
async def test_an_order_is_found_with_its_number_and_a_proof(proof):
    found = await look_up_order("camille", NUMBER, [proof], "Martin")

    assert isinstance(found, FoundOrder)
    assert found.number == NUMBER
    assert found.delivered_at == datetime(2025, 3, 11, 23, tzinfo=UTC)
    assert [(line.name, line.quantity) for line in found.lines] == [
        ("Canapé OSLO", 1),
        ("Coussin BRUME", 2),
    ]
    assert "camille" not in repr(found).lower()
    assert "75011" not in repr(found)
    assert "Martin" not in repr(found)


@pytest.mark.parametrize("name", ["", "Petit", "Camille"])
async def test_a_postcode_opens_nothing_without_the_name(name):
    assert await look_up_order("zoe", NUMBER, ["75011"], name) is None


@pytest.mark.parametrize(
    "number, proofs",
    [
        (NUMBER, ["zoe@example.fr"]),
        (NUMBER, ["69003"]),
        (NUMBER, ["Martin"]),
        (NUMBER, []),
        (NUMBER, ["", " "]),
        ("CMD-2025-99999", ["camille@example.fr"]),
        ("CMD-2025-99999", ["75011"]),
        ("CMD-2026-10001", ["75011"]),  # of another order
        ("' OR 1=1 --", ["75011"]),
    ],
)
async def test_nothing_else_is_found(number, proofs):
    assert await look_up_order("zoe", number, proofs, "Martin") is None


def test_unknown_and_wrong_take_the_same_queries():
    asked = []
    for number in (NUMBER, "CMD-2025-99999"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert find_order(number, ["zoe@example.fr", "69003"], "Martin") is None
        asked.append([query["sql"].replace(number, "?") for query in queries])

    assert asked[0] == asked[1]
    assert len(asked[0]) == 1


@pytest.mark.parametrize("number", [NUMBER, "CMD-2025-99999"])
async def test_unknown_and_wrong_close_the_conversation_alike(number):
    for guess in range(5):
        assert await look_up_order("zoe", number, [f"1300{guess}"]) is None

    with pytest.raises(TooManyTries) as refused:
        await look_up_order("zoe", number, ["13009"])
    with pytest.raises(TooManyTries):
        await look_up_order("zoe", NUMBER, ["camille@example.fr"])  # right, and not looked at

    assert refused.value.retry_after_s > 3500
    assert await look_up_order("camille", NUMBER, ["75011"], "Martin") is not None


async def test_right_proofs_are_never_counted():
    for _ in range(30):
        assert await look_up_order("camille", NUMBER, ["75011", "69003"], "Martin") is not None


async def test_guesses_sent_together_from_one_address_are_not_looked_at_together():
    """Each in a conversation of its own, for a number of its own."""

    async def guess(turn: int) -> bool:
        number, proofs = f"CMD-2025-{turn:05}", [f"z{turn}@example.fr"]
        try:
            await look_up_order(f"zoe-{turn}", number, proofs, address="192.0.2.7")
        except TooManyTries:
            return False
        return True

    looked_at = await asyncio.gather(*(guess(turn) for turn in range(40)))

    assert sum(looked_at) == PER_NETWORK.amount


async def test_long_orders_are_bounded():
    line = NewLine(
        product_reference="DEC-001",
        name="Vase\n\tBLEU",
        quantity=1,
        unit_price_cents=100,
        components=(),
        made_to_measure=False,
    )
    order = NewOrder(
        number="CMD-2026-77777",
        email="zoe@example.fr",
        postcode="13001",
        customer_name="Zoé",
        ordered_at=datetime(2026, 1, 1, tzinfo=UTC),
        delivered_at=None,
        is_distance_sale=False,
        total_cents=1,
        lines=(line,) * 30,
    )
    await database_sync_to_async(store_orders)([order])

    found = await look_up_order("zoe", "CMD-2026-77777", ["13001"], "Zoé")

    assert found is not None
    assert (len(found.lines), found.more_lines) == (MAX_LINES, 10)
    assert found.lines[0].name == "Vase BLEU"
