from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.timesince import timesince

from chat.core import clock
from chat.shop.catalog import phrases
from chat.shop.catalog.models import Category, Product


class LinesField(forms.CharField):
    """A list of texts, one on each line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def validate(self, value: Any) -> None:
        if any(len(line) > 200 for line in value):
            raise forms.ValidationError("Une ligne dépasse 200 caractères.")
        if len(value) > 20:
            raise forms.ValidationError("Vingt lignes au plus.")

    def run_validators(self, value: Any) -> None:
        """Its lines are checked above; those of a text do not apply to a list."""


class ProductForm(forms.ModelForm[Product]):
    materials = LinesField(label="Matières", required=False, help_text="Une par ligne.")
    colours = LinesField(label="Coloris", required=False, help_text="Un par ligne.")
    features = LinesField(label="Atouts", required=False, help_text="Un par ligne.")
    known_problems = LinesField(label="Points d'attention", required=False)

    class Meta:
        model = Product
        fields = "__all__"  # noqa: DJ007 - ProductAdmin.fieldsets says which


class StockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock_state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in", "en stock"), ("out", "épuisé"), ("unknown", "inconnu"), ("old", "à relever")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "in":
                return queryset.filter(stock__gt=0)
            case "out":
                return queryset.filter(stock=0)
            case "unknown":
                return queryset.filter(stock=None)
            case "old":
                return queryset.filter(stock_at__lt=clock.now() - phrases.STOCK_STALE)
        return queryset


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin[Category]):
    list_display = ["name", "slug", "position"]
    list_editable = ["position"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin[Product]):
    form = ProductForm
    list_display = [
        *("thumbnail", "reference", "name", "category", "price", "stock_and_age", "is_active")
    ]
    list_display_links = ["thumbnail", "reference", "name"]
    list_filter = ["is_active", "category", StockFilter]
    list_select_related = ["category"]
    list_per_page = 50
    search_fields = ["reference", "name", "name_words", "fact_words"]
    ordering = ["reference"]
    actions = ["activate", "deactivate"]
    readonly_fields = ["drawing", "updated_at"]
    fieldsets = [
        (None, {"fields": [("reference", "is_active"), "name", "category", "description"]}),
        ("Prix, délai et stock", {
            "fields": [
                ("price_min_cents", "price_max_cents"),
                ("delivery_weeks_min", "delivery_weeks_max"),
                ("stock", "stock_at"),
            ]
        }),
        ("Ce que c'est", {
            "fields": ["materials", "colours", "features", ("seats", "seats_unfolded")]
        }),
        ("Dimensions, en millimètres", {
            "fields": [
                ("width_mm", "depth_mm", "height_mm"),
                ("unfolded_width_mm", "unfolded_depth_mm", "unfolded_height_mm"),
                ("packed_width_mm", "packed_depth_mm", "packed_height_mm"),
                ("bed_width_mm", "bed_length_mm"),
            ]
        }),
        ("Après l'achat", {"fields": ["guarantee", "care", "known_problems"]}),
        ("Dessin", {"fields": ["image", "drawing", "updated_at"]}),
    ]  # fmt: skip

    def get_view_on_site_url(self, obj: Product | None = None) -> str | None:
        """Return the product's own page, which only an active product has.

        Django's way there, ``/admin/r/…``, asks for the name of the site and shows a page that
        does not exist.
        """
        return obj.get_absolute_url() if obj is not None and obj.is_active else None

    @admin.display(description="")
    def thumbnail(self, product: Product) -> str:
        return self._picture(product, 80)

    @admin.display(description="aperçu")
    def drawing(self, product: Product) -> str:
        return self._picture(product, 320)

    def _picture(self, product: Product, width: int) -> str:
        url = phrases.image_url(product)
        if not url:
            return "—"
        picture = '<img src="{}" width="{}" height="{}" alt="" loading="lazy">'
        return format_html(picture, url, width, width * 3 // 4)

    @admin.display(description="prix", ordering="price_min_cents")
    def price(self, product: Product) -> str:
        return phrases.price(product)

    @admin.display(description="stock", ordering="stock")
    def stock_and_age(self, product: Product) -> str:
        if product.stock is None or product.stock_at is None:
            return "inconnu"
        return f"{product.stock} (il y a {timesince(product.stock_at, depth=1)})"

    @admin.action(description="Mettre en vente", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._set_active(request, queryset, active=True)

    @admin.action(description="Retirer de la vente", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        self._set_active(request, queryset, active=False)

    def _set_active(
        self, request: HttpRequest, queryset: QuerySet[Product], *, active: bool
    ) -> None:
        changed = list(queryset.exclude(is_active=active))
        Product.objects.filter(pk__in=[product.pk for product in changed]).update(is_active=active)
        said = "Mis en vente." if active else "Retiré de la vente."
        for product in changed:
            self.log_change(request, product, said)
        self.message_user(request, f"{len(changed)} produit(s) : {said}", messages.SUCCESS)
