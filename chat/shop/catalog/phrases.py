"""French descriptions of a product, shared by its page, the admin and the model's tools."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.templatetags.static import static

from chat.core import clock
from chat.shop.catalog.door_fit import Box, DoorFit, fits_through
from chat.shop.catalog.models import Product
from chat.shop.hours import PARIS

#: Age of a stock count above which it is reported as uncertain.
STOCK_STALE = timedelta(days=7)
#: Middle parts of the references of seats, which can be tilted.
_SEATS = {"CAP", "FAU"}


def euros(cents: int) -> str:
    """Format cents as "1 299 €", or "34,50 €" for a fraction."""
    whole, rest = divmod(cents, 100)
    said = f"{whole:,}".replace(",", "\u202f")
    return f"{said},{rest:02} €" if rest else f"{said} €"


def price(product: Product) -> str:
    low, high = product.price_min_cents, product.price_max_cents
    return euros(low) if low == high else f"de {euros(low)} à {euros(high)}"


def centimetres(mm: int) -> str:
    return f"{mm / 10:g}".replace(".", ",")


def dimensions(product: Product, state: str = "") -> str:
    """Return "L 212 × P 92 × H 84 cm", "" if unknown. ``state``: prefix such as "unfolded_"."""
    sides = (("L", "width"), ("P", "depth"), ("H", "height"))
    known = [(letter, getattr(product, f"{state}{side}_mm")) for letter, side in sides]
    said = [f"{letter} {centimetres(mm)}" for letter, mm in known if mm]
    return f"{' × '.join(said)} cm" if said else ""


def bed_size(product: Product) -> str:
    if not product.bed_width_mm:
        return ""
    length = f" × {centimetres(product.bed_length_mm)}" if product.bed_length_mm else ""
    return f"{centimetres(product.bed_width_mm)}{length} cm"


def seats(product: Product) -> str:
    if not product.seats:
        return ""
    more = f", {product.seats_unfolded} déplié" if product.seats_unfolded else ""
    return f"{product.seats}{more}"


def delivery(product: Product) -> str:
    low, high = product.delivery_weeks_min, product.delivery_weeks_max
    if high == 0:
        return "immédiate"
    if low == high:
        return f"{high} semaine{'s' if high > 1 else ''}"
    return f"de {low} à {high} semaines"


def stock(product: Product, now: datetime | None = None) -> str:
    """Return the stock with the date of its count, never worded as a promise."""
    if product.stock is None or product.stock_at is None:
        return "à confirmer par un conseiller"
    day = f"{product.stock_at.astimezone(PARIS):%d/%m/%Y}"
    said = f"{product.stock} en stock" if product.stock else "pas en stock, à commander"
    stale = (now or clock.now()) - product.stock_at > STOCK_STALE
    return f"{said} (relevé du {day}{', à confirmer' if stale else ''})"


def image_url(product: Product) -> str:
    """Return the URL of the product's drawing, or ""."""
    return static(f"chat/catalog/{product.image}") if product.image else ""


def box_of(product: Product) -> Box | None:
    """Return the box that must pass through the door: the largest parcel if known."""
    seat = product.reference[4:7] in _SEATS
    for state in ("packed_", ""):
        width, depth, height = (
            getattr(product, f"{state}{side}_mm") for side in ("width", "depth", "height")
        )
        if width and depth and height:
            tilts = seat and not state
            return Box(width, depth, height, is_seat=tilts, is_parcel=bool(state))
    return None


def passage(product: Product, door_width_mm: int, door_height_mm: int) -> str:
    """Describe in French whether a product passes through a door."""
    box = box_of(product)
    if box is None:
        return "À confirmer par un conseiller : ses dimensions ne sont pas connues."
    found = fits_through(box, door_width_mm, door_height_mm)
    what = "le plus grand colis" if box.is_parcel else "le meuble"
    sizes = f"{centimetres(box.width)} × {centimetres(box.depth)} × {centimetres(box.height)} cm"
    return (
        f"{_verdict(found, what)} Calculé pour {what} de {sizes} ; couloir et escalier à vérifier."
    )


def _verdict(found: DoorFit, what: str) -> str:
    margin = centimetres(abs(found.margin_mm))
    match found.verdict:
        case "yes":
            return f"Oui : {what} passe {found.how}, avec {margin} cm de reste."
        case "maybe":
            return f"À confirmer par un conseiller : {what} ne passerait qu'{found.how}."
    return f"Non : il manque {margin} cm pour que {what} passe."
