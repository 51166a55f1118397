"""The shop's commercial guarantee, with one duration per component. Pure.

Source: the shop's rules. It never replaces the statutory rights: see ``chat/shop/tickets/law.py``.
"""

from __future__ import annotations

import re
from datetime import date

from chat.shop.tickets.problems import Component, affirmed, folded, whole_words
from chat.shop.tickets.rules import AppliedRule, Applies, in_french, years_after

SOURCE = "Garantie commerciale de Meuble de France"

#: Duration in years from delivery.
YEARS: dict[Component, int] = {
    Component.STRUCTURE: 5,
    Component.MECHANISM: 3,
    Component.FABRIC: 2,
    Component.CUSHIONS: 2,
}
LABELS: dict[Component, str] = {
    Component.STRUCTURE: "structure",
    Component.MECHANISM: "mécanisme",
    Component.FABRIC: "tissu",
    Component.CUSHIONS: "coussins",
}

#: Contexts in which "chat" is the chat, not a cat: "sur le chat", "par chat", "le chat en ligne".
_NO_CAT = r"(?<!sur le )(?<!sur ce )(?<!via le )(?<!par )(?<!en )(?<!via )(?<!live )(?<!dans le )"
#: Excluded causes by their French label. "tâche" (task) and "tache" (stain) fold to the same word,
#: since many customers misspell the latter.
EXCLUSIONS: dict[str, re.Pattern[str]] = {
    "les taches": whole_words(
        r"tach(?:e|ee|es|ees|er|ent)|aureoles?|souill(?:e|ee|es|ees|ure|ures)",
        r"renvers(?:e|ee|er) (?:du|de la|de l'|un|une|mon|son) ?(?:cafe|vin|the|verre|eau|lait|jus"
        r"|tasse|soda|sauce|huile|chocolat)",
    ),
    "les déchirures": whole_words(
        r"dechir(?:e|ee|es|ees|er|ent|ure|ures)|accrocs?|trous?|troue(?:e|s|es)?|lacer(?:e|ee|es|ees)",
        r"entailles?|entaill(?:ee|es|ees)",
    ),
    "les brûlures": whole_words(
        r"brul(?:e|ee|es|ees|er|ent|ure|ures)|cram(?:e|ee|es|ees)|roussi(?:e|s|es)?|calcine(?:e|s|es)?"
    ),
    "les dégâts des animaux": whole_words(
        rf"{_NO_CAT}(?:chats?|chattes?)(?!-?bot| en ligne)|chatons?|chien(?:s|ne|nes)?|chiots?",
        r"animal|animaux|lapins?|hamsters?|furets?|perroquets?|rats?|souris",
        r"griff(?:e|ee|es|ees|er|ure|ures)|mord(?:u|ue|us|ues)|mordill(?:e|ee|es|ees)"
        r"|rong(?:e|ee|es|ees)",
    ),
}
_EXCLUDED_FOR: dict[Component, tuple[str, ...]] = {
    Component.STRUCTURE: (),
    Component.MECHANISM: (),
    Component.FABRIC: tuple(EXCLUSIONS),
    Component.CUSHIONS: ("les taches",),
}


def accidents_in(text: str) -> tuple[str, ...]:
    """Return the ``EXCLUSIONS`` that a text mentions, whatever the component."""
    plain = folded(text)
    return tuple(name for name, pattern in EXCLUSIONS.items() if affirmed(pattern, plain))


def exclusions_for(component: Component, problem: str) -> tuple[str, ...]:
    """Return the reasons why a component's guarantee does not cover the problem; () if it does."""
    return tuple(name for name in accidents_in(problem) if name in _EXCLUDED_FOR[component])


def commercial_guarantee(
    component: Component, delivered_on: date | None, on: date, problem: str = ""
) -> AppliedRule:
    """Return the commercial guarantee of one component on a day.

    ``delivered_on``: None if unknown. ``problem``: the customer's description.
    """
    ends_on = years_after(delivered_on, YEARS[component]) if delivered_on else None
    excluded = exclusions_for(component, problem)
    if excluded:
        applies = Applies.NO
        why = f"Elle ne couvre pas {_listed(excluded)}. La garantie légale reste à examiner."
    else:
        applies, why = _by_date(component, delivered_on, ends_on, on)
    return AppliedRule(
        rule=f"commercial.{component}",
        label=f"Garantie commerciale, {LABELS[component]} ({YEARS[component]} ans)",
        source=SOURCE,
        ends_on=None if delivered_on is not None and delivered_on > on else ends_on,
        applies=applies,
        why=why,
    )


def commercial_guarantees(
    delivered_on: date | None, on: date, problem: str = ""
) -> tuple[AppliedRule, ...]:
    """Return the commercial guarantee of every component."""
    return tuple(commercial_guarantee(part, delivered_on, on, problem) for part in Component)


def _by_date(
    component: Component, delivered_on: date | None, ends_on: date | None, on: date
) -> tuple[Applies, str]:
    years = YEARS[component]
    if delivered_on is None or ends_on is None:
        return (
            Applies.UNKNOWN,
            f"Elle dure {years} ans à compter de la livraison, dont la date manque.",
        )
    if delivered_on > on:
        return Applies.UNKNOWN, "Elle commencera à la livraison, qui n'a pas encore eu lieu."
    if on > ends_on:
        return Applies.NO, f"Elle s'est terminée le {in_french(ends_on)} inclus."
    return Applies.YES, f"Elle court jusqu'au {in_french(ends_on)} inclus."


def _listed(names: tuple[str, ...]) -> str:
    *first, last = names
    return f"{', '.join(first)} ni {last}" if first else last
