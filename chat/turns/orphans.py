"""Which of the questions that nobody answers this worker takes up, and when.

A question may be what stops its workers, and nothing tells it from those that ran beside it. So
after a first death a worker leaves half of them to the others, and a question that was in two
deaths is begun for the last time only where no other one runs that was begun again. Whoever only
ran beside the question that stops workers is answered, if its deadline leaves the time.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from chat.conversations.store.protocol import LEASE_S, MAX_ATTEMPTS

#: A question at its last attempt is alone for so long at most: what other workers leave meanwhile
#: is to be taken up in time.
ALONE_S = LEASE_S

_LAST = MAX_ATTEMPTS - 1


@dataclass(frozen=True, slots=True)
class Again:
    """A question that was begun again here. ``at``: event loop time."""

    at: float
    attempt: int


def choose(
    left: Mapping[str, int], seen: Collection[str], under_way: Collection[Again], now: float
) -> list[str]:
    """Return the sessions to be taken up.

    ``left``: how often the question of each was begun. ``seen``: those of the look before, which
    other workers left as well. ``under_way``: what was begun again here.
    """
    is_alone = any(a.attempt == MAX_ATTEMPTS and a.at > now - ALONE_S for a in under_way)
    over = [id_ for id_, attempts in left.items() if attempts >= MAX_ATTEMPTS]
    if is_alone:
        return over
    ours = [
        id_ for id_, attempts in left.items() if not attempts or (id_ in seen and attempts < _LAST)
    ]
    suspects = [id_ for id_, attempts in left.items() if 0 < attempts < _LAST and id_ not in seen]
    ours += secrets.SystemRandom().sample(suspects, (len(suspects) + 1) // 2)
    last = [id_ for id_, attempts in left.items() if attempts == _LAST]
    if last and not ours and not under_way:
        ours = [secrets.choice(last)]
    return [*over, *ours]
