"""Selection of the shop's tool for an intent, and of its arguments from the customer's messages.

A tool with an unknown name is called only if the request requires a call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devtools.local_assistant import facts
from devtools.local_assistant.request import JSON
from devtools.local_assistant.words import folded, word_table

_MAX_TEXT_CHARS = 500
#: Tools for each intent, in order of preference.
_SERVING: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("human", "anger"), ("ask_for_human",)),
    "ticket_status": ("ticket_status",),
    "danger": ("prepare_ticket", "ask_for_human"),
    "damage": ("prepare_ticket",),
    **dict.fromkeys(("law", "guarantee", "returns"), ("check_guarantee", "shop_information")),
    "order": ("find_order",),
    "delivery": ("find_order", "shop_information"),
    **dict.fromkeys(("hours", "address", "payment"), ("shop_information",)),
    "details": ("product_details", "search_products"),
    "product": ("search_products",),
}
#: Tools that serve an intent only if the message contains an order number.
_NEEDING_ORDER = {("delivery", "find_order"), ("returns", "check_guarantee")}
#: Required argument of each tool.
_REQUIRED = {
    "search_products": "query",
    "product_details": "product",
    "find_order": "order_number",
    "shop_information": "topic",
}


@dataclass(frozen=True, slots=True)
class Call:
    """Tool call. ``arguments``: JSON text, as on the wire."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Said:
    """Messages from which arguments are extracted.

    ``subject``: the message. ``earlier``: earlier ones, newest first, searched for numbers and
    references only. ``is_report``: the message reports an incident, so its words do not name a
    product to search for.
    """

    subject: str
    earlier: tuple[str, ...] = ()
    name: str = ""
    is_report: bool = False

    def find(self, read: Callable[[str], str]) -> str | None:
        """Return the result of ``read`` for the message, else for the newest earlier one."""
        return next(filter(None, map(read, (self.subject, *self.earlier))), None)


def choose_call(intent: str, said: Said, offered: Sequence[str]) -> Call | None:
    """Return the tool call for an intent; None to reply without a tool.

    None also if a required number is missing, which the assistant then asks for.

    Args:
        offered: names of the available tools.
    """
    for name in _SERVING.get(intent, ()):
        if (intent, name) in _NEEDING_ORDER and not facts.order_number(said.subject):
            continue
        arguments = _filled(name, said) if name in offered else None
        if arguments is not None:
            return _call(name, arguments)
    return None


def forced_call(intent: str, said: Said, offered: Sequence[str]) -> Call:
    """Return the best tool call for an intent, else a call of the first available tool."""
    name = offered[0]
    made_up: JSON = {"topic": "horaires"} if name == "shop_information" else {}
    return choose_call(intent, said, offered) or _call(name, _filled(name, said) or made_up)


def _filled(tool: str, said: Said) -> JSON | None:
    """Return the arguments of a tool, None if a required one is missing."""
    arguments = _arguments(tool, said)
    return None if arguments.get(_REQUIRED.get(tool, ""), "") is None else arguments


def _call(name: str, arguments: JSON) -> Call:
    return Call(name, json.dumps(arguments, ensure_ascii=False))


def _arguments(tool: str, said: Said) -> JSON:
    """Return the arguments of a tool of the shop; None for those that are unknown."""
    subject = said.subject
    match tool:
        case "search_products":
            colour = facts.COLOURS.search(folded(subject))
            return {
                "query": facts.search_terms(subject)[:_MAX_TEXT_CHARS] or None,
                "max_price_eur": facts.max_price(subject),
                "colour": colour[1] if colour else None,
                "category": _meant(_ROOMS, subject) or _meant(_FURNITURE, subject),
            }
        case "product_details":
            width, height = facts.door_cm(subject)
            return {"product": _product(said), "door_width_cm": width, "door_height_cm": height}
        case "find_order":
            return {
                "order_number": said.find(facts.order_number),
                "email": said.find(facts.email),
                "postcode": said.find(facts.postcode),
                "name": said.name or None,
            }
        case "check_guarantee":
            return {
                "order_number": said.find(facts.order_number),
                "name": said.name or None,
                "delivery_date": facts.iso_date(subject) or None,
                "component": _meant(_COMPONENTS, subject),
                "problem": subject.strip()[:_MAX_TEXT_CHARS] or None,
                "bought_remotely": None,
            }
        case "shop_information":
            return {"topic": _meant(_TOPICS, subject)}
        case "ask_for_human":
            return {"reason": _meant(_REASONS, subject) or "autre"}
        case "prepare_ticket":
            return {
                "problem": subject.strip()[:_MAX_TEXT_CHARS] or None,
                "product": _product(said),
                "order_number": said.find(facts.order_number),
                "delivery_date": facts.iso_date(subject) or None,
                "email": said.find(facts.email),
                "name": said.name or None,
                "no_order": facts.is_not_at_hand(subject) or None,
            }
        case "ticket_status":
            number = said.find(facts.ticket_reference)
            return {"ticket_number": number, "email": said.find(facts.email)}
    return {}


def _product(said: Said) -> str | None:
    """Return the product's reference, or its name as written by the customer."""
    named = said.find(facts.product_reference) or facts.product_name(said.subject)
    terms = "" if named or said.is_report else facts.search_terms(said.subject)
    return (named or terms)[:_MAX_TEXT_CHARS] or None


def _meant(signs: dict[str, re.Pattern[str]], text: str) -> str | None:
    """Return the first value whose pattern matches the text, or None."""
    plain = folded(text)
    return next((value for value, words in signs.items() if words.search(plain)), None)


_TOPICS = word_table(r"""
retours: (?:retour|renvoy|rembours|retract|echang|annul|refund)\w*|change d'avis
garanties: (?:garanti|warranty)\w*
livraison: (?:livr|transport|carton|delai|expedi|montage|monter|etage|shipping)\w*|frais de port
horaires: (?:horaire|ouv(?:er|r)|ferm|heure|dimanche|feries|opening)\w*
contact: (?:adresse|magasin|boutique|showroom|parking|telephone|contact|joindre)\w*|ou etes
    numero de tel|vous trouver|vous voir
""")
_REASONS = word_table(r"""
danger: (?:danger|bless|effondr|ecroul|etincelle|brul|bascul|tombe|electrocut|fumee)\w*
    feu|coupee?
reclamation: (?:scandal|hont|inadmiss|inaccept|voleur|escroc|arnaqu|plainte|avocat|tribunal)\w*
    (?:marre|assez|colere|furieu|personne ne|unacceptable|lawyer)\w*
demande_du_client: (?:conseill|humain|quelqu'un|personne|rappele|appele|someone|agent)\w*
""")
_COMPONENTS = word_table(r"""
structure: (?:structure|cadre|effondr|fissur|pied|latte|chassis)\w*
mechanism: (?:mecani|relax|convertible|tiroir|charniere|verin|electrique)\w*
fabric: (?:tissu|cuir|dechir|accroc|decolor|couture|velours|housse)\w*
cushions: (?:coussin|assise|mousse|affaiss)\w*
""")
_ROOMS = word_table(r"""
salon: salons?
salle à manger: salles? a manger
chambre: chambres?
décoration: deco(?:rations?)?
""")
_FURNITURE = word_table(r"""
salon: (?:canape|fauteuil|table basse|meuble tv|pouf|banquette|sofa)\w*
salle à manger: (?:chaise|buffet|vaisselier|repas)\w*|tables?
chambre: (?:matelas|sommier|armoire|commode|chevet|dressing)\w*|lits?
décoration: (?:tapis|lampe|miroir|vase|coussin|rideau|luminaire|lampadaire)\w*
""")
