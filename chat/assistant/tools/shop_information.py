"""Opening hours, contact, delivery and returns."""

from __future__ import annotations

from django.conf import settings

from chat.assistant.tools.types import BadArguments, Tool, ToolContext
from chat.core.clock import now
from chat.core.json import JSON
from chat.shop import hours as shop
from chat.shop.tickets.law import CONFORMITY_YEARS, WITHDRAWAL_DAYS
from chat.shop.tickets.warranty import LABELS, YEARS

TOPICS = ("horaires", "contact", "livraison", "retours", "garanties")


async def _run(arguments: JSON, _context: ToolContext) -> JSON:
    topic = arguments.get("topic")
    match topic:
        case "horaires":
            return _hours()
        case "contact":
            env = settings.ENV
            return {"magasin": env.shop_name, "telephone": env.shop_phone, "email": env.shop_email}
        case "livraison":
            return {
                "livraison": "Sur rendez-vous, à l'étage et dans la pièce de votre choix.",
                "delai": "Il dépend du meuble ; il figure sur la fiche produit et sur la commande.",
            }
        case "retours":
            return {
                "retractation": f"{WITHDRAWAL_DAYS} jours après la livraison pour un achat à "
                "distance, sauf fabrication sur mesure.",
                "source": "Code de la consommation, article L221-18",
                "sources": [_rule("law.withdrawal", "Rétractation d'un achat à distance")],
            }
        case "garanties":
            parts = (f"{LABELS[part]} {years} ans" for part, years in YEARS.items())
            return {
                "garantie_commerciale": f"{', '.join(parts)} à compter de la livraison.",
                "garantie_legale": f"Conformité : {CONFORMITY_YEARS} ans à compter de la"
                " livraison.",
                "source": "Code de la consommation, articles L217-3 et suivants",
                "sources": [
                    _rule("commercial.structure", "Garantie commerciale du magasin"),
                    _rule("law.conformity", "Garantie légale de conformité"),
                ],
            }
    raise BadArguments(f"topic doit être l'un de : {', '.join(TOPICS)}.")


def _rule(rule: str, label: str) -> JSON:
    return {"kind": "rule", "label": label, "ref": rule, "url": f"/garanties/#{rule}"}


def _hours() -> JSON:
    moment = now().astimezone(shop.PARIS)
    opening = {
        name: f"{hours[0]:%H:%M}-{hours[1]:%H:%M}" if hours else "fermé"
        for name, hours in zip(shop.DAYS, shop.OPENING, strict=True)
    }
    following = shop.next_opening(moment)
    today = shop.holiday_of(moment.date())
    return {
        "horaires": opening,
        "jours_feries": "fermé",
        "aujourd_hui": f"{shop.DAYS[moment.weekday()]}{f' ({today}, férié)' if today else ''}",
        "ouvert_maintenant": shop.is_open(moment),
        "prochaine_ouverture": f"{shop.DAYS[following.weekday()]} {following:%d/%m à %H:%M}",
    }


TOOL = Tool(
    name="shop_information",
    label="Consultation des informations du magasin…",
    description="Horaires d'ouverture, contact, livraison, retours ou garanties du magasin.",
    parameters={
        "type": "object",
        "properties": {"topic": {"type": "string", "enum": list(TOPICS)}},
        "required": ["topic"],
        "additionalProperties": False,
    },
    run=_run,
)
