"""The page of a product, for customers: what it is, what it costs, whether it passes the door."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from chat.shop.catalog import phrases
from chat.shop.catalog.door_fit import DOOR_CM
from chat.shop.catalog.models import Product
from chat.shop.catalog.queries import on_sale
from chat.web.pages.counting import counted

logger = logging.getLogger(__name__)

CACHE_CONTROL = "public, max-age=300"
#: When the database may be back.
RETRY_AFTER_S = 60


@counted
@require_safe
def product(request: HttpRequest, reference: str) -> HttpResponse:
    """Show a product on sale; another way of writing its reference leads to the same page."""
    if reference != reference.upper():
        return redirect("chat:product", reference.upper())
    try:
        found = get_object_or_404(on_sale(), reference=reference)
    except DatabaseFailure as error:
        logger.warning("a product could not be shown: %s", type(error).__name__)
        away = {"shop_phone": settings.ENV.shop_phone}
        response = render(request, "catalog/away.html", away, status=503)
        response["Retry-After"] = str(RETRY_AFTER_S)
        return response
    width, height, said = _door(request)
    context = {
        "product": found,
        "shop_name": settings.ENV.shop_name,
        "shop_phone": settings.ENV.shop_phone,
        "shop_email": settings.ENV.shop_email,
        "image_url": phrases.image_url(found),
        "price": phrases.price(found),
        "stock": phrases.stock(found),
        "delivery": phrases.delivery(found),
        "facts": _facts(found),
        "door_width": width,
        "door_height": height,
        "door_said": said,
        "door_least": DOOR_CM[0],
        "door_most": DOOR_CM[1],
        "passage": phrases.passage(found, width * 10, height * 10) if width and height else "",
    }
    response = render(request, "catalog/product.html", context)
    response["Cache-Control"] = CACHE_CONTROL
    return response


def _facts(found: Product) -> list[tuple[str, str]]:
    facts = (
        ("Dimensions", phrases.dimensions(found)),
        ("Déplié", phrases.dimensions(found, "unfolded_")),
        ("Couchage", phrases.bed_size(found)),
        ("Places", phrases.seats(found)),
        ("Coloris", ", ".join(found.colours)),
        ("Matières", ", ".join(found.materials)),
        ("Plus grand colis", phrases.dimensions(found, "packed_")),
        ("Référence", found.reference),
    )
    return [(label, value) for label, value in facts if value]


def _door(request: HttpRequest) -> tuple[int, int, str]:
    """Return the opening in cm and what is wrong with it; zeros where none was given."""
    said = request.GET.get("largeur", ""), request.GET.get("hauteur", "")
    sides = [
        int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0 for text in said
    ]
    if not any(said):
        return 0, 0, ""
    if not all(DOOR_CM[0] <= side <= DOOR_CM[1] for side in sides):
        problem = f"Donnez la largeur et la hauteur de la porte, de {DOOR_CM[0]} à {DOOR_CM[1]} cm."
        return 0, 0, problem
    return sides[0], sides[1], ""
