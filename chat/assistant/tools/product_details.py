"""All that the shop says of one product, and whether it passes through the customer's door."""

from __future__ import annotations

from typing import Any

from chat.assistant.tools.product_source import source_of
from chat.assistant.tools.types import BadArguments, Tool, ToolContext
from chat.core.json import JSON
from chat.core.lookups import look_up
from chat.shop.catalog import phrases
from chat.shop.catalog.door_fit import DOOR_CM
from chat.shop.catalog.models import Product
from chat.shop.catalog.queries import find_products

MAX_PRODUCT_CHARS = 100
#: A description is cut there; the page of the product has it whole.
_MAX_TEXT_CHARS = 600


async def _run(arguments: JSON, _context: ToolContext) -> JSON:
    product_said = arguments.get("product")
    if not isinstance(product_said, str) or not 0 < len(product_said.strip()) <= MAX_PRODUCT_CHARS:
        raise BadArguments("product doit être une référence comme SAL-CAP-001, ou un nom.")
    door = _door(arguments.get("door_width_cm"), arguments.get("door_height_cm"))
    found = await look_up(find_products, product_said)
    if not found:
        return {"error": "Aucun produit du catalogue ne porte ce nom."}
    if len(found) > 1:
        names = [
            {"name": p.name, "reference": p.reference, "price": phrases.price(p)} for p in found
        ]
        return {"message": "Plusieurs produits portent ce nom : lequel ?", "produits": names}
    return _payload(found[0], door)


def _door(width: Any, height: Any) -> tuple[int, int] | None:
    """Return the opening in mm, or None; a door of unknown height has the usual 204 cm."""
    if width is None and height is None:
        return None
    if width is None:
        raise BadArguments("door_width_cm est nécessaire avec door_height_cm.")
    return _side("door_width_cm", width), _side("door_height_cm", 204 if height is None else height)


def _side(name: str, value: Any) -> int:
    least, most = DOOR_CM
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadArguments(f"{name} doit être un nombre de centimètres, de {least} à {most}.")
    return round(value * 10)


def _payload(product: Product, door: tuple[int, int] | None) -> JSON:
    told: JSON = {
        "name": product.name,
        "reference": product.reference,
        "price": phrases.price(product),
        "porte": phrases.passage(product, *door) if door else "",
        "dimensions": phrases.dimensions(product),
        "déplié": phrases.dimensions(product, "unfolded_"),
        "couchage": phrases.bed_size(product),
        "places": phrases.seats(product),
        "matières": ", ".join(product.materials),
        "coloris": ", ".join(product.colours),
        "stock": phrases.stock(product),
        "livraison": phrases.delivery(product),
        "garantie": product.guarantee,
        "atouts": ", ".join(product.features),
        "points_d_attention": " ".join(product.known_problems),
        "entretien": product.care,
        "categorie": product.category.name,
        "description": product.description,
        "fiche": product.get_absolute_url(),
    }
    shown = {name: value[:_MAX_TEXT_CHARS] for name, value in told.items() if value}
    return {**shown, "sources": [source_of(product)]}


TOOL = Tool(
    name="product_details",
    label="Lecture de la fiche produit…",
    description=(
        "Fiche d'un produit : prix, dimensions, matières, garantie, délai, entretien, points "
        "d'attention. Avec la taille d'une porte, dit si le meuble passe."
    ),
    parameters={
        "type": "object",
        "properties": {
            "product": {
                "type": "string",
                "description": "Référence (SAL-CAP-001) ou nom (« canapé OSLO »).",
            },
            "door_width_cm": {
                "type": ["number", "null"],
                "description": "Largeur de passage de la porte du client, en centimètres.",
            },
            "door_height_cm": {"type": ["number", "null"]},
        },
        "required": ["product", "door_width_cm", "door_height_cm"],
        "additionalProperties": False,
    },
    run=_run,
)
