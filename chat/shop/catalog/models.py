from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact
from django.urls import reverse

from chat.shop.catalog import index
from chat.shop.catalog.product_words import words_of_product
from chat.shop.catalog.query_parser import colour_words

#: Upper bounds of a length in mm and of a price in cents.
MAX_MM = 10_000
MAX_CENTS = 10_000_000
MAX_SEATS = 30
MAX_WEEKS = 52
SIZE_FIELDS = tuple(
    f"{state}{side}_mm"
    for state in ("", "unfolded_", "packed_")
    for side in ("width", "depth", "height")
)
BED_FIELDS = ("bed_width_mm", "bed_length_mm")


class Category(models.Model):
    slug = models.SlugField("code", max_length=40, unique=True)
    name = models.CharField("nom", max_length=60, unique=True)
    position = models.PositiveSmallIntegerField("ordre", default=0)

    class Meta:
        verbose_name = "catégorie"
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


def check_texts(value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise ValidationError("Une liste de textes est attendue.")


def _size(label: str) -> models.PositiveIntegerField[int | None, int | None]:
    return models.PositiveIntegerField(
        label, null=True, blank=True, validators=[MinValueValidator(1)]
    )


def _texts(label: str) -> models.JSONField[list[str], list[str]]:
    return models.JSONField(label, default=list, blank=True, validators=[check_texts])


class Product(models.Model):
    """Product of the shop. Its name is a kind and a proper name in capitals: "Canapé OSLO"."""

    reference = models.CharField(
        "référence",
        max_length=11,
        unique=True,
        validators=[RegexValidator(r"\A[A-Z]{3}-[A-Z]{3}-[0-9]{3}\Z", "Comme SAL-CAP-001.")],
    )
    name = models.CharField("nom", max_length=100)
    category = models.ForeignKey(
        Category, models.PROTECT, related_name="products", verbose_name="catégorie"
    )
    description = models.TextField("description", max_length=2000, blank=True)
    price_min_cents = models.PositiveIntegerField("prix, en centimes")
    #: Equal to ``price_min_cents`` for a single price.
    price_max_cents = models.PositiveIntegerField("prix le plus haut, en centimes")
    materials = _texts("matières")
    colours = _texts("coloris")
    features = _texts("atouts")
    known_problems = _texts("points d'attention")
    width_mm = _size("largeur, en mm")
    depth_mm = _size("profondeur, en mm")
    height_mm = _size("hauteur, en mm")
    unfolded_width_mm = _size("largeur dépliée, en mm")
    unfolded_depth_mm = _size("profondeur dépliée, en mm")
    unfolded_height_mm = _size("hauteur dépliée, en mm")
    #: Size of the largest parcel, which must pass through the door.
    packed_width_mm = _size("largeur du plus grand colis, en mm")
    packed_depth_mm = _size("profondeur du plus grand colis, en mm")
    packed_height_mm = _size("hauteur du plus grand colis, en mm")
    bed_width_mm = _size("largeur du couchage, en mm")
    bed_length_mm = _size("longueur du couchage, en mm")
    seats = models.PositiveSmallIntegerField("places", null=True, blank=True)
    seats_unfolded = models.PositiveSmallIntegerField("places, déplié", null=True, blank=True)
    guarantee = models.TextField("garantie", max_length=500, blank=True)
    delivery_weeks_min = models.PositiveSmallIntegerField("livraison, en semaines")
    delivery_weeks_max = models.PositiveSmallIntegerField("livraison au plus tard, en semaines")
    care = models.TextField("entretien", max_length=1000, blank=True)
    #: None: unknown. Counted at ``stock_at``.
    stock = models.PositiveIntegerField("stock", null=True, blank=True)
    stock_at = models.DateTimeField("stock relevé le", null=True, blank=True)
    image = models.CharField(
        "dessin",
        max_length=60,
        blank=True,
        validators=[RegexValidator(r"\A[a-z0-9-]+\.svg\Z", "Un nom de fichier comme oslo.svg.")],
    )
    is_active = models.BooleanField("en vente", default=True)
    updated_at = models.DateTimeField("modifié le", auto_now=True)
    #: Search texts, see ``product_words``. Written by ``save``.
    head_words = models.TextField(editable=False, default="")
    name_words = models.TextField(editable=False, default="")
    fact_words = models.TextField(editable=False, default="")
    text_words = models.TextField(editable=False, default="")
    colour_words = models.CharField(max_length=300, editable=False, default="")

    class Meta:
        verbose_name = "produit"
        ordering = ["reference"]
        constraints = [
            models.CheckConstraint(
                name="product_price_is_a_range",
                condition=Q(price_min_cents__gte=1, price_max_cents__lte=MAX_CENTS)
                & Q(price_max_cents__gte=F("price_min_cents")),
                violation_error_message="Le prix le plus haut est au moins égal au prix, positif.",
            ),
            models.CheckConstraint(
                name="product_delivery_is_a_range",
                condition=Q(delivery_weeks_max__gte=F("delivery_weeks_min"))
                & Q(delivery_weeks_max__lte=MAX_WEEKS),
                violation_error_message="Les délais de livraison sont inversés ou trop longs.",
            ),
            models.CheckConstraint(
                name="product_stock_has_its_time",
                condition=Q(stock=None, stock_at=None)
                | Q(stock__isnull=False, stock_at__isnull=False),
                violation_error_message="Un stock se donne avec la date de son relevé.",
            ),
            models.CheckConstraint(
                name="product_seats_are_a_range",
                condition=Q(seats=None, seats_unfolded=None)
                | Q(seats__range=(1, MAX_SEATS), seats__isnull=False)
                & (
                    Q(seats_unfolded=None)
                    | Q(seats_unfolded__gte=F("seats"), seats_unfolded__lte=MAX_SEATS)
                ),
                violation_error_message="Les places dépliées sont au moins les places pliées.",
            ),
            models.CheckConstraint(
                name="product_sizes_are_possible",
                condition=Q(
                    *(
                        Q(**{name: None}) | Q(**{f"{name}__gte": 1, f"{name}__lte": MAX_MM})
                        for name in (*SIZE_FIELDS, *BED_FIELDS)
                    )
                ),
                violation_error_message="Une dimension est nulle ou dépasse 10 m.",
            ),
            models.CheckConstraint(
                name="product_reference_is_whole",
                condition=Exact(Length("reference"), 11),
                violation_error_message="La référence ressemble à SAL-CAP-001.",
            ),
        ]
        indexes = [models.Index(fields=["is_active", "price_min_cents"], name="product_by_price")]

    def __str__(self) -> str:
        return f"{self.name} ({self.reference})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and update the search texts and the index; ``queryset.update`` does not."""
        self.renew_words()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], *WORD_FIELDS}
        super().save(*args, **kwargs)
        index.put({self.pk: self.indexed_texts()})

    def get_absolute_url(self) -> str:
        return reverse("chat:product", args=[self.reference])

    def indexed_texts(self) -> list[str]:
        return [self.head_words, self.name_words, self.fact_words, self.text_words]

    def renew_words(self) -> None:
        words = words_of_product(
            name=self.name,
            category=self.category.name,
            materials=self.materials,
            colours=self.colours,
            features=self.features,
            description=self.description,
        )
        self.head_words, self.name_words = words.head, words.name
        self.fact_words, self.text_words = words.facts, words.text
        self.colour_words = colour_words(self.colours)[:300]


#: Fields that ``renew_words`` writes.
WORD_FIELDS = ("head_words", "name_words", "fact_words", "text_words", "colour_words")
