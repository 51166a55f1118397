"""States of a ticket and the transitions between them. Pure."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """State of a ticket; ``may_become`` gives the transitions. Closed is final."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"


LABELS: dict[State, str] = {
    State.NEW: "nouveau",
    State.IN_PROGRESS: "en cours",
    State.WAITING: "en attente du client",
    State.RESOLVED: "résolu",
    State.CLOSED: "clos",
}
#: Labels on the customer's page.
CUSTOMER_LABELS: dict[State, str] = {
    State.NEW: "Reçue, pas encore prise en charge",
    State.IN_PROGRESS: "Prise en charge par un conseiller",
    State.WAITING: "Un conseiller attend votre réponse",
    State.RESOLVED: "Résolue",
    State.CLOSED: "Close",
}
_NEXT: dict[State, frozenset[State]] = {
    State.NEW: frozenset({State.IN_PROGRESS, State.WAITING, State.RESOLVED, State.CLOSED}),
    State.IN_PROGRESS: frozenset({State.WAITING, State.RESOLVED, State.CLOSED}),
    State.WAITING: frozenset({State.IN_PROGRESS, State.RESOLVED, State.CLOSED}),
    State.RESOLVED: frozenset({State.IN_PROGRESS, State.CLOSED}),
    State.CLOSED: frozenset(),
}
#: States of tickets that still need work.
OPEN = frozenset({State.NEW, State.IN_PROGRESS, State.WAITING})


class NotAllowed(Exception):
    """A transition is not allowed; the text gives the reason in French."""


def may_become(state: State) -> tuple[State, ...]:
    """Return the states that staff may choose next, in the order of ``State``."""
    return tuple(new for new in State if new in _NEXT[state])


def check_change(old: State, new: State) -> None:
    """Check a transition.

    Raises:
        NotAllowed: the transition does not exist.
    """
    if new not in _NEXT[old]:
        raise NotAllowed(f"Un ticket {LABELS[old]} ne peut pas devenir {LABELS[new]}.")


def after_reply(state: State, *, by_customer: bool) -> State:
    """Return the state after a message: the ticket waits for the other party.

    A customer's message reopens a resolved ticket. A new ticket stays new, and a closed one closed.
    """
    if state is State.CLOSED or (by_customer and state is State.NEW):
        return state
    return State.IN_PROGRESS if by_customer else State.WAITING
