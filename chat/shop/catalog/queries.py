"""Queries on the catalogue: products by name, and search with relaxation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from chat.shop.catalog import index
from chat.shop.catalog.models import Product
from chat.shop.catalog.query import ProductQuery, Range
from chat.shop.catalog.query_parser import family_of, parse_query
from chat.shop.catalog.words import words_of

#: Tolerance of the sides of a footprint such as "180x90", in percent.
FOOTPRINT_PERCENT = 6


@dataclass(frozen=True, slots=True)
class Found:
    """Search result. ``relaxed``: criteria that were dropped, in French; empty if all were met.

    ``corrected``: pairs of a misspelt word and its replacement, folded.
    """

    products: tuple[Product, ...]
    relaxed: tuple[str, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()


def on_sale() -> QuerySet[Product]:
    return Product.objects.filter(is_active=True).select_related("category")


def find_products(text: str, limit: int = 5) -> list[Product]:
    """Return the products on sale with this reference or name ("Canapé OSLO", "oslo").

    One product for a unique name; several if the text matches only their common part.
    """
    query = parse_query(text)
    if query.reference:
        return list(on_sale().filter(reference=query.reference))
    exact = on_sale().filter(name__iexact=text.strip()[:100])[:1]
    words = query.words or tuple(words_of(text)[:8])
    if exact or not words:
        return list(exact)
    found = search(ProductQuery(words=words), limit * 5)
    asked = {corrected for _, corrected in found.corrected} | set(words)
    named = [p for p in found.products if not found.relaxed and asked & set(p.name_words.split())]
    own = [product for product in named if _own_name(product) & asked]
    return (own or named)[:limit]


def _own_name(product: Product) -> set[str]:
    """Return the words of a product's proper name, without those of its kind."""
    return {word for part in product.name.split() if part.isupper() for word in words_of(part)}


def search(query: ProductQuery, limit: int) -> Found:
    """Return the best matches, best first: by reference, by name, then by the other criteria.

    Two SQL queries if anything matches. Otherwise misspelt words are corrected, then criteria are
    dropped one by one, and the result reports both. An empty query finds nothing.
    """
    if not query:
        return Found(())
    if products := _matching(query, limit):
        return Found(products)
    query, corrected = _corrected(query)
    if corrected and (products := _matching(query, limit)):
        return Found(products, corrected=corrected)
    for less, relaxed in _relaxed(query):
        if less and (products := _matching(less, limit)):
            return Found(products, relaxed, corrected)
    return Found(())


def _matching(query: ProductQuery, limit: int) -> tuple[Product, ...]:
    if query.reference:
        return tuple(on_sale().filter(reference=query.reference))
    chosen = on_sale().filter(_filter_of(query))
    if not query.words:
        cheapest = [] if query.cheapest_first else [Coalesce(F("stock"), 0).desc()]
        rows = chosen.order_by(*cheapest, "price_min_cents", "reference")[: limit * 5]
        return _ranked(rows, {}, query)[:limit]
    ranks = index.matches(query.words)
    rows = chosen.filter(pk__in=ranks) if ranks else Product.objects.none()
    return _ranked(rows, ranks, query)[:limit]


def _ranked(
    rows: QuerySet[Product], ranks: dict[int, float], query: ProductQuery
) -> tuple[Product, ...]:
    """Sort by name and kind, exact shade, price (if asked), spare seats, rank, stock."""
    asked = set(query.words)

    def key(product: Product) -> tuple[object, ...]:
        head = set(product.head_words.split())
        named = bool(asked) and asked <= set(product.name_words.split())
        shades = all(f"|{colour}|" in product.colour_words for colour in query.colours)
        return (
            not named,
            not head & asked,
            not shades,
            product.price_min_cents if query.cheapest_first else 0,
            _spare_seats(product, query.seats.at_least),
            -round(ranks.get(product.pk, 0.0), 2),
            not product.stock,
            product.price_min_cents,
            product.reference,
        )

    return tuple(sorted(rows, key=key))


def _spare_seats(product: Product, seats: int | None) -> int:
    """Return the number of surplus seats, without those of an extension leaf."""
    return max((product.seats or 0) - seats, 0) if seats else 0


def _filter_of(query: ProductQuery) -> Q:
    chosen = Q()
    if query.category:
        chosen &= Q(category__slug=query.category)
    for colour in query.colours:
        chosen &= Q(colour_words__contains=f"|{family_of(colour)}|")
    for name, value in (("lte", query.price.at_most), ("gte", query.price.at_least)):
        if value is not None:
            field = "price_min_cents" if name == "lte" else "price_max_cents"
            chosen &= Q(**{f"{field}__{name}": value})
    if query.seats.at_least is not None:
        enough = query.seats.at_least
        chosen &= Q(seats__gte=enough) | Q(seats_unfolded__gte=enough)
    if query.seats.at_most is not None:
        chosen &= Q(seats__lte=query.seats.at_most)
    for limit in query.sizes:
        chosen &= _within(f"{limit.side}_mm", limit.mm)
    if query.footprint_mm:
        chosen &= _footprint(*query.footprint_mm)
    return chosen & _within("bed_width_mm", query.bed_mm)


def _within(field: str, bounds: Range) -> Q:
    chosen = Q()
    if bounds.at_least is not None:
        chosen &= Q(**{f"{field}__gte": bounds.at_least})
    if bounds.at_most is not None:
        chosen &= Q(**{f"{field}__lte": bounds.at_most})
    return chosen


def _footprint(one: int, other: int) -> Q:
    def near(field: str, mm: int) -> Q:
        margin = mm * FOOTPRINT_PERCENT // 100
        return _within(field, Range(mm - margin, mm + margin))

    return (near("width_mm", one) & near("depth_mm", other)) | (
        near("width_mm", other) & near("depth_mm", one)
    )


def _corrected(query: ProductQuery) -> tuple[ProductQuery, tuple[tuple[str, str], ...]]:
    """Correct the words that no product contains; return the corrections too."""
    corrected: dict[str, str] = {}
    for word in query.words:
        if not index.matches([word]) and (meant := index.meant(word)):
            corrected[word] = meant
    words = tuple(dict.fromkeys(corrected.get(word, word) for word in query.words))
    return replace(query, words=words), tuple(corrected.items())


def _relaxed(query: ProductQuery) -> Iterator[tuple[ProductQuery, tuple[str, ...]]]:
    """Yield relaxed queries: each criterion dropped alone, then more and more of them."""
    wishes = [*_droppable(query)]
    words = query.words
    for change, said in wishes[:1]:
        yield change(query), (said,)
    for word in reversed(words[1:]):
        yield _without(query, word), (f"sans « {word} »",)
    for change, said in wishes[1:]:
        yield change(query), (said,)
    less = query
    all_said: list[str] = []
    for change, said in wishes:
        less, all_said = change(less), [*all_said, said]
        yield less, tuple(all_said)
    for kept in range(len(words) - 1, 0, -1):
        dropped = [f"sans « {word} »" for word in words[kept:]]
        yield replace(less, words=words[:kept]), (*all_said, *dropped)
    for word in words[1:]:
        others = [f"sans « {other} »" for other in words if other != word]
        yield replace(less, words=(word,)), (*all_said, *others)


def _without(query: ProductQuery, word: str) -> ProductQuery:
    return replace(query, words=tuple(other for other in query.words if other != word))


def _droppable(query: ProductQuery) -> Iterator[tuple[Callable[[ProductQuery], ProductQuery], str]]:
    """Yield the criteria that can be dropped, the least important first."""
    if query.colours:
        said = f"dans d'autres coloris que {' et '.join(query.colours)}"
        yield lambda less: replace(less, colours=()), said
    if query.sizes or query.footprint_mm:
        yield (
            lambda less: replace(less, sizes=(), footprint_mm=None),
            "dans d'autres dimensions",
        )
    if query.bed_mm:
        yield lambda less: replace(less, bed_mm=Range()), "dans d'autres largeurs de couchage"
    if query.seats:
        yield lambda less: replace(less, seats=Range()), "pour un autre nombre de places"
    if query.price:
        yield lambda less: replace(less, price=Range()), "hors du budget indiqué"
    if query.category:
        yield lambda less: replace(less, category=""), "dans d'autres pièces"
