"""A product as the page cites it: what its card shows."""

from __future__ import annotations

from chat.catalog import phrases
from chat.catalog.models import Product
from chat.sessions.types import JSON


def source_of(product: Product) -> JSON:
    return {
        "kind": "product",
        "label": product.name,
        "ref": product.reference,
        "url": product.get_absolute_url(),
        "price": phrases.price(product),
        "size": phrases.dimensions(product),
        "stock": phrases.stock(product),
        "image": phrases.image_url(product),
    }
