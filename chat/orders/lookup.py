"""Finding an order for a conversation: by its number and a proof, with a bound on wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.db import database_sync_to_async

from chat import metrics
from chat.orders.proof import plain_proof
from chat.orders.queries import find_order, lines_of
from chat.orders.tries import note_wrong, wait_before_trying

MAX_LINES = 20


class TooManyTries(Exception):
    """Too many wrong proofs: this one was not looked at, right or wrong."""

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
    """What a conversation may know of an order: no name, no address, no proof.

    ``lines``: the first ``MAX_LINES``; ``more_lines``: how many there are besides.
    """

    number: str
    ordered_at: datetime
    delivered_at: datetime | None
    is_distance_sale: bool
    lines: tuple[FoundLine, ...]
    more_lines: int


async def look_up_order(session_id: str, number: str, proofs: Sequence[str]) -> FoundOrder | None:
    """Return the order, or None: nobody can tell an unknown number from a wrong proof.

    ``number``: canonical. ``proofs``: e-mails and postcodes, a few. Wrong ones are counted,
    whether or not the number exists. Turns of a session run one at a time, so the count cannot
    be overtaken within one.

    Raises:
        TooManyTries: of this conversation, or for this number.
    """
    retry_after_s = await wait_before_trying(session_id, number)
    if retry_after_s:
        metrics.rate_limited.labels(door="order").inc()
        raise TooManyTries(retry_after_s)
    guesses = tuple(dict.fromkeys(plain for text in proofs if (plain := plain_proof(text))))
    found = await database_sync_to_async(_found)(number, guesses)
    if found is None:
        await note_wrong(session_id, number, guesses)
    return found


def _found(number: str, proofs: Sequence[str]) -> FoundOrder | None:
    order = find_order(number, proofs)
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
