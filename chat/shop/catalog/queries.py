"""What is asked of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from chat.catalog import index
from chat.catalog.colours import family_of
from chat.catalog.models import Product
from chat.catalog.understanding import understand
from chat.catalog.wanted import Range, Wanted
from chat.catalog.words import words_of

#: "180x90": how far a side may be from that, in percent.
FOOTPRINT_PERCENT = 6


@dataclass(frozen=True, slots=True)
class Found:
    """``relaxed``: what had to be left out to find these, in French; empty when all was met.

    ``corrected``: misspelt words and what was looked for instead, folded.
    """

    products: tuple[Product, ...]
    relaxed: tuple[str, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()


def on_sale() -> QuerySet[Product]:
    return Product.objects.filter(is_active=True).select_related("category")


def find_products(text: str, limit: int = 5) -> list[Product]:
    """Return the products on sale with this reference or name ("Canapé OSLO", "oslo").

    One where the text names one; several where it says only what they have in common.
    """
    wanted = understand(text)
    if wanted.reference:
        return list(on_sale().filter(reference=wanted.reference))
    exact = on_sale().filter(name__iexact=text.strip()[:100])[:1]
    words = wanted.words or tuple(words_of(text)[:8])
    if exact or not words:
        return list(exact)
    found = search(Wanted(words=words), limit * 5)
    asked = {corrected for _, corrected in found.corrected} | set(words)
    named = [p for p in found.products if not found.relaxed and asked & set(p.name_words.split())]
    own = [product for product in named if _own_name(product) & asked]
    return (own or named)[:limit]


def _own_name(product: Product) -> set[str]:
    """Return the words by which it is called, not those for what it is."""
    return {word for part in product.name.split() if part.isupper() for word in words_of(part)}


def search(wanted: Wanted, limit: int) -> Found:
    """Return the products that suit best, the best first: reference, name, then the rest.

    Two queries where something suits. Nothing does: misspelt words are put right, then wishes
    are given up one by one, and both are said. Nothing wanted: nothing found.
    """
    if not wanted:
        return Found(())
    if products := _suiting(wanted, limit):
        return Found(products)
    wanted, corrected = _put_right(wanted)
    if corrected and (products := _suiting(wanted, limit)):
        return Found(products, corrected=corrected)
    for less, relaxed in _given_up(wanted):
        if less and (products := _suiting(less, limit)):
            return Found(products, relaxed, corrected)
    return Found(())


def _suiting(wanted: Wanted, limit: int) -> tuple[Product, ...]:
    if wanted.reference:
        return tuple(on_sale().filter(reference=wanted.reference))
    chosen = on_sale().filter(_filter_of(wanted))
    if not wanted.words:
        cheapest = [] if wanted.cheapest_first else [Coalesce(F("stock"), 0).desc()]
        rows = chosen.order_by(*cheapest, "price_min_cents", "reference")[: limit * 5]
        return _ranked(rows, {}, wanted)[:limit]
    ranks = index.matches(wanted.words)
    rows = chosen.filter(pk__in=ranks) if ranks else Product.objects.none()
    return _ranked(rows, ranks, wanted)[:limit]


def _ranked(
    rows: QuerySet[Product], ranks: dict[int, float], wanted: Wanted
) -> tuple[Product, ...]:
    """Put the best first: its name is what was asked, the very shade, the rank, in stock."""
    asked = set(wanted.words)

    def key(product: Product) -> tuple[object, ...]:
        head = set(product.head_words.split())
        named = bool(asked) and asked <= set(product.name_words.split())
        shades = all(f"|{colour}|" in product.colour_words for colour in wanted.colours)
        return (
            not named,
            not head & asked,
            not shades,
            product.price_min_cents if wanted.cheapest_first else 0,
            _spare_seats(product, wanted.seats.at_least),
            -round(ranks.get(product.pk, 0.0), 2),
            not product.stock,
            product.price_min_cents,
            product.reference,
        )

    return tuple(sorted(rows, key=key))


def _spare_seats(product: Product, wanted: int | None) -> int:
    """Return how many places are too many: none where a leaf makes up for it."""
    return max((product.seats or 0) - wanted, 0) if wanted else 0


def _filter_of(wanted: Wanted) -> Q:
    chosen = Q()
    if wanted.category:
        chosen &= Q(category__slug=wanted.category)
    for colour in wanted.colours:
        chosen &= Q(colour_words__contains=f"|{family_of(colour)}|")
    for name, value in (("lte", wanted.price.at_most), ("gte", wanted.price.at_least)):
        if value is not None:
            field = "price_min_cents" if name == "lte" else "price_max_cents"
            chosen &= Q(**{f"{field}__{name}": value})
    if wanted.seats.at_least is not None:
        enough = wanted.seats.at_least
        chosen &= Q(seats__gte=enough) | Q(seats_unfolded__gte=enough)
    if wanted.seats.at_most is not None:
        chosen &= Q(seats__lte=wanted.seats.at_most)
    for limit in wanted.sizes:
        chosen &= _within(f"{limit.side}_mm", limit.mm)
    if wanted.footprint_mm:
        chosen &= _footprint(*wanted.footprint_mm)
    return chosen & _within("bed_width_mm", wanted.bed_mm)


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


def _put_right(wanted: Wanted) -> tuple[Wanted, tuple[tuple[str, str], ...]]:
    """Replace the words that no product has by those that were meant."""
    corrected: dict[str, str] = {}
    for word in wanted.words:
        if not index.matches([word]) and (meant := index.meant(word)):
            corrected[word] = meant
    words = tuple(dict.fromkeys(corrected.get(word, word) for word in wanted.words))
    return replace(wanted, words=words), tuple(corrected.items())


def _given_up(wanted: Wanted) -> Iterator[tuple[Wanted, tuple[str, ...]]]:
    """Yield what is left of the wishes: each given up alone, then more and more of them."""
    wishes = [*_wishes(wanted)]
    words = wanted.words
    for change, said in wishes[:1]:
        yield change(wanted), (said,)
    for word in reversed(words[1:]):
        yield _without(wanted, word), (f"sans « {word} »",)
    for change, said in wishes[1:]:
        yield change(wanted), (said,)
    less = wanted
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


def _without(wanted: Wanted, word: str) -> Wanted:
    return replace(wanted, words=tuple(other for other in wanted.words if other != word))


def _wishes(wanted: Wanted) -> Iterator[tuple[Callable[[Wanted], Wanted], str]]:
    """Yield what can be given up, what costs a customer least first."""
    if wanted.colours:
        said = f"dans d'autres coloris que {' et '.join(wanted.colours)}"
        yield lambda less: replace(less, colours=()), said
    if wanted.sizes or wanted.footprint_mm:
        yield (
            lambda less: replace(less, sizes=(), footprint_mm=None),
            "dans d'autres dimensions",
        )
    if wanted.bed_mm:
        yield lambda less: replace(less, bed_mm=Range()), "dans d'autres largeurs de couchage"
    if wanted.seats:
        yield lambda less: replace(less, seats=Range()), "pour un autre nombre de places"
    if wanted.price:
        yield lambda less: replace(less, price=Range()), "hors du budget indiqué"
    if wanted.category:
        yield lambda less: replace(less, category=""), "dans d'autres pièces"
