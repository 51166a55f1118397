"""What the shop grants everybody, as its own tables say it."""

from __future__ import annotations

from chat.assistant.guard.facts import Facts
from chat.core.json import JSON
from chat.core.runtime import Part
from chat.shop.tickets.law import CONFORMITY_YEARS, HIDDEN_DEFECT_YEARS, WITHDRAWAL_DAYS
from chat.shop.tickets.warranty import LABELS, YEARS


def add_shop_facts(facts: Facts) -> None:
    """Add the guarantee of each component, each for itself, and the periods of the law."""
    facts.add_known(SHOP_FACTS.get())


_LAW: JSON = {
    "conformite_ans": CONFORMITY_YEARS,
    "vices_caches_ans": HIDDEN_DEFECT_YEARS,
    "retractation_jours": WITHDRAWAL_DAYS,
}


def build_shop_facts() -> Facts:
    facts = Facts()
    for component, years in YEARS.items():
        facts.add_result({"name": LABELS[component], "duree_ans": years})
    facts.add_result(_LAW)
    facts.learn()
    return facts


#: The same for all conversations: nothing of any of them is ever added.
SHOP_FACTS: Part[Facts] = Part("shop facts", build_shop_facts)
