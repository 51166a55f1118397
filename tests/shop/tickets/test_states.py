from __future__ import annotations

import pytest

from chat.shop.tickets.states import (
    CUSTOMER_LABELS,
    LABELS,
    OPEN,
    NotAllowed,
    State,
    after_reply,
    check_change,
    may_become,
)

N, P, W, R, C = State
MAY = {N: (P, W, R, C), P: (W, R, C), W: (P, R, C), R: (P, C), C: ()}


@pytest.mark.parametrize("old", State)
@pytest.mark.parametrize("new", State)
def test_changes_are_those_of_the_table_and_no_others(old, new):
    assert may_become(old) == MAY[old]
    if new in MAY[old]:
        check_change(old, new)
    else:
        with pytest.raises(NotAllowed, match=LABELS[old]):
            check_change(old, new)


@pytest.mark.parametrize(
    "state, by_adviser, by_customer", [(N, W, N), (P, W, P), (W, W, P), (R, W, P), (C, C, C)]
)
def test_who_writes_last_waits_for_the_other(state, by_adviser, by_customer):
    assert after_reply(state, by_customer=False) is by_adviser
    assert after_reply(state, by_customer=True) is by_customer


def test_every_state_has_its_words():
    assert set(LABELS) == set(CUSTOMER_LABELS) == set(State)
    assert set(State) - OPEN == {R, C}
