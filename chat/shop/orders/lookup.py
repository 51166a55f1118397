"""Order look-up for a conversation by number and proof, with a limit on wrong proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chat.core import metrics
from chat.core.lookups import look_up
from chat.shop.orders.attempts import note_wrong, one_at_a_time, wait_before_trying
from chat.shop.orders.proof import counted_proof
from chat.shop.orders.queries import find_order, lines_of

MAX_LINES = 20


class TooManyTries(Exception):
    """Too many wrong proofs; the last one was not checked, correct or not."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class FoundLine:
    name: str
    reference: str
    quantity: int
    components: tuple[str, ...]
    made_to_measure: bool


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """Order data that a conversation may see: no name, no address, no proof.

    ``lines``: the first ``MAX_LINES``; ``more_lines``: number of further ones.
    """

    number: str
    ordered_at: datetime
    delivered_at: datetime | None
    is_distance_sale: bool
    lines: tuple[FoundLine, ...]
    more_lines: int


async def look_up_order(
    session_id: str, number: str, proofs: Sequence[str], name: str = "", *, address: str
) -> FoundOrder | None:
    """Return the order, or None both for an unknown number and for a wrong proof.

    ``number``: canonical. ``proofs``: a few e-mails and postcodes. ``name``: family name, required
    with a postcode. ``address``: see ``attempts``. Wrong proofs are counted whether or not the
    number exists. Look-ups from one address run one at a time per worker, so that concurrent ones
    cannot exceed the limit.

    Raises:
        TooManyTries: for this conversation, address, number or proof.
    """
    guesses = {plain: None for text in proofs if (plain := counted_proof(text, name))}
    async with one_at_a_time(session_id, address):
        retry_after_s = await wait_before_trying(session_id, number, guesses, address)
        if retry_after_s:
            metrics.rate_limited.labels(door="order").inc()
            raise TooManyTries(retry_after_s)
        found = await look_up(_found, number, proofs, name)
        if found is None:
            await note_wrong(session_id, number, guesses, address)
    return found


def _found(number: str, proofs: Sequence[str], name: str) -> FoundOrder | None:
    order = find_order(number, proofs, name)
    if order is None:
        return None
    lines, count = lines_of(order, MAX_LINES)
    return FoundOrder(
        number=order.number,
        ordered_at=order.ordered_at,
        delivered_at=order.delivered_at,
        is_distance_sale=order.is_distance_sale,
        lines=tuple(
            FoundLine(
                name=" ".join(line.name.split()),
                reference=line.product_reference,
                quantity=line.quantity,
                components=tuple(line.components),
                made_to_measure=line.made_to_measure,
            )
            for line in lines
        ),
        more_lines=count - len(lines),
    )
