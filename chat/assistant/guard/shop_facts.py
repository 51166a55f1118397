"""What the shop grants everybody, as its own tables say it. Pure."""

from __future__ import annotations

from chat.assistant.guard.facts import Facts
from chat.sessions.types import JSON
from chat.tickets.law import CONFORMITY_YEARS, HIDDEN_DEFECT_YEARS, WITHDRAWAL_DAYS
from chat.tickets.warranty import LABELS, YEARS


def add_shop_facts(facts: Facts) -> None:
    """Add the guarantee of each component, each for itself, and the periods of the law."""
    for component, years in YEARS.items():
        facts.add_result({"name": LABELS[component], "duree_ans": years})
    facts.add_result(_LAW)


_LAW: JSON = {
    "conformite_ans": CONFORMITY_YEARS,
    "vices_caches_ans": HIDDEN_DEFECT_YEARS,
    "retractation_jours": WITHDRAWAL_DAYS,
}
