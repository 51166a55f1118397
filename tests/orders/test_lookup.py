from __future__ import annotations

from datetime import UTC, datetime

import pytest
from channels.db import database_sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.orders.loader import DEMO_ORDERS, load_orders, store_orders
from chat.orders.lookup import MAX_LINES, FoundOrder, TooManyTries, look_up_order
from chat.orders.queries import find_order
from chat.orders.rows import NewLine, NewOrder

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "CMD-2025-54321"


@pytest.fixture(autouse=True)
def _orders() -> None:
    load_orders(DEMO_ORDERS)


@pytest.mark.parametrize("proof", ["camille@example.fr", " Camille@Example.FR", "75011", "75 011"])
async def test_an_order_is_found_with_its_number_and_a_proof(proof):
    found = await look_up_order("camille", NUMBER, [proof])

    assert isinstance(found, FoundOrder)
    assert found.number == NUMBER
    assert found.delivered_at == datetime(2025, 3, 11, 23, tzinfo=UTC)
    assert [(line.name, line.quantity) for line in found.lines] == [
        ("Canapé OSLO", 1),
        ("Coussin BRUME", 2),
    ]
    assert "camille" not in repr(found).lower()
    assert "75011" not in repr(found)


@pytest.mark.parametrize(
    "number, proofs",
    [
        (NUMBER, ["zoe@example.fr"]),
        (NUMBER, ["69003"]),
        (NUMBER, []),
        (NUMBER, ["", " "]),
        ("CMD-2025-99999", ["camille@example.fr"]),
        ("CMD-2025-99999", ["75011"]),
        ("CMD-2026-10001", ["75011"]),  # of another order
        ("' OR 1=1 --", ["75011"]),
    ],
)
async def test_nothing_else_is_found(number, proofs):
    assert await look_up_order("zoe", number, proofs) is None


def test_unknown_and_wrong_take_the_same_queries():
    asked = []
    for number in (NUMBER, "CMD-2025-99999"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert find_order(number, ["zoe@example.fr", "69003"]) is None
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
        await look_up_order("zoe", NUMBER, ["75011"])  # right, and not looked at

    assert refused.value.retry_after_s > 3500
    assert await look_up_order("camille", NUMBER, ["75011"]) is not None


async def test_right_proofs_are_never_counted():
    for _ in range(12):
        assert await look_up_order("camille", NUMBER, ["75011", "69003"]) is not None


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

    found = await look_up_order("zoe", "CMD-2026-77777", ["13001"])

    assert found is not None
    assert (len(found.lines), found.more_lines) == (MAX_LINES, 10)
    assert found.lines[0].name == "Vase BLEU"
