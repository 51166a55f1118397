"""A product as the page cites it: what its card shows."""

from __future__ import annotations

from chat.core.json import JSON
from chat.shop.catalog import phrases
from chat.shop.catalog.models import Product


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
