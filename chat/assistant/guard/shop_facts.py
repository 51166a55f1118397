"""What the shop grants everybody, as its own tables say it. Pure."""

from __future__ import annotations

from functools import cache

from chat.assistant.guard.facts import Facts
from chat.sessions.types import JSON
from chat.tickets.law import CONFORMITY_YEARS, HIDDEN_DEFECT_YEARS, WITHDRAWAL_DAYS
from chat.tickets.warranty import LABELS, YEARS


def add_shop_facts(facts: Facts) -> None:
    """Add the guarantee of each component, each for itself, and the periods of the law."""
    facts.add_known(_shop_facts())


_LAW: JSON = {
    "conformite_ans": CONFORMITY_YEARS,
    "vices_caches_ans": HIDDEN_DEFECT_YEARS,
    "retractation_jours": WITHDRAWAL_DAYS,
}


@cache
def _shop_facts() -> Facts:
    """Return the same for all conversations: nothing of any of them is ever added."""
    facts = Facts()
    for component, years in YEARS.items():
        facts.add_result({"name": LABELS[component], "duree_ans": years})
    facts.add_result(_LAW)
    facts.learn()
    return facts
