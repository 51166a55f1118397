"""What the shop sells that suits a customer's wishes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chat.assistant.tools.product_source import source_of
from chat.assistant.tools.types import BadArguments, Tool, ToolContext
from chat.core.json import JSON
from chat.core.lookups import look_up
from chat.shop.catalog import phrases
from chat.shop.catalog.models import Product
from chat.shop.catalog.queries import Found, search
from chat.shop.catalog.query import ProductQuery, Range
from chat.shop.catalog.query_parser import MAX_QUERY_CHARS, parse_query, take_colours
from chat.shop.catalog.words import folded

MAX_PRODUCTS = 6
MAX_PRICE_EUR = 100_000

#: By what the model calls it, the slug of a category.
CATEGORIES = {
    "salon": "salon",
    "salle à manger": "salle-a-manger",
    "chambre": "chambre",
    "décoration": "decoration",
}


async def _run(arguments: JSON, _context: ToolContext) -> JSON:
    query = _query_of(arguments)
    return _payload(await look_up(search, query, MAX_PRODUCTS))


def _query_of(arguments: JSON) -> ProductQuery:
    """Return the parsed query, narrowed by the other arguments.

    Raises:
        BadArguments: an argument is missing or of another kind, or nothing is looked for.
    """
    text = arguments.get("query")
    if not isinstance(text, str) or len(text) > MAX_QUERY_CHARS:
        raise BadArguments(f"query doit être un texte de {MAX_QUERY_CHARS} caractères au plus.")
    query = _with_price(parse_query(text), arguments.get("max_price_eur"))
    query = _with_category(_with_colour(query, arguments.get("colour")), arguments)
    if not query:
        raise BadArguments("query doit dire ce qui est cherché : un meuble, un prix, une taille.")
    return query


def _with_price(query: ProductQuery, price: Any) -> ProductQuery:
    if price is None:
        return query
    if isinstance(price, bool) or not isinstance(price, int | float):
        raise BadArguments("max_price_eur doit être un nombre d'euros.")
    if not 1 <= price <= MAX_PRICE_EUR:
        raise BadArguments(f"max_price_eur doit être entre 1 et {MAX_PRICE_EUR}.")
    return replace(query, price=Range(query.price.at_least, round(price * 100)))


def _with_colour(query: ProductQuery, colour: Any) -> ProductQuery:
    if colour is None or colour == "":
        return query
    if not isinstance(colour, str) or len(colour) > 60:
        raise BadArguments("colour doit être un texte court.")
    colours, _ = take_colours(folded(colour))
    if not colours:
        return replace(query, words=tuple(dict.fromkeys((*query.words, *folded(colour).split()))))
    return replace(query, colours=tuple(dict.fromkeys((*query.colours, *colours))))


def _with_category(query: ProductQuery, arguments: JSON) -> ProductQuery:
    category = arguments.get("category")
    if category is None:
        return query
    if not isinstance(category, str) or category not in CATEGORIES:
        raise BadArguments(f"category doit être l'une de : {', '.join(CATEGORIES)}.")
    return replace(query, category=CATEGORIES[category])


def _payload(found: Found) -> JSON:
    if not found.products:
        return {"produits": [], "remarque": "Aucun produit du catalogue ne correspond."}
    told: JSON = {"produits": [_line(product) for product in found.products]}
    told["sources"] = [source_of(product) for product in found.products]
    if found.relaxed:
        told["message"] = (
            "Rien ne correspond exactement ; le plus proche, " + ", ".join(found.relaxed) + " :"
        )
    elif found.corrected:
        told["message"] = "Cherché : " + ", ".join(right for _, right in found.corrected) + "."
    return told


def _line(product: Product) -> JSON:
    line = {
        "name": product.name,
        "reference": product.reference,
        "price": phrases.price(product),
        "coloris": ", ".join(product.colours),
        "dimensions": phrases.dimensions(product),
        "couchage": phrases.bed_size(product),
        "places": phrases.seats(product),
        "stock": phrases.stock(product),
        "livraison": phrases.delivery(product),
    }
    return {name: value for name, value in line.items() if value}


TOOL = Tool(
    name="search_products",
    label="Recherche dans le catalogue…",
    description=(
        "Cherche des meubles dans le catalogue du magasin : nom, matière, coloris, prix, taille, "
        "nombre de places. Donne nom, référence, prix et stock."
    ),
    parameters={
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "description": "Ce que le client cherche, avec ses mots : « table 6 personnes ».",
            },
            "max_price_eur": {"type": ["number", "null"], "description": "Budget, en euros."},
            "colour": {"type": ["string", "null"], "description": "Coloris souhaité."},
            "category": {"type": ["string", "null"], "enum": [*CATEGORIES, None]},
        },
        "required": ["query", "max_price_eur", "colour", "category"],
        "additionalProperties": False,
    },
    run=_run,
)
