from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from chat.shop.orders.proof import CANONICAL

#: Parts of a piece of furniture that have a guarantee of their own.
COMPONENTS = ("structure", "mechanism", "fabric", "cushions")


class Order(models.Model):
    """Purchase, imported from the shop's till; read-only for conversations."""

    number = models.CharField(
        "numéro",
        max_length=14,
        unique=True,
        validators=[RegexValidator(rf"\A(?:{CANONICAL.pattern})\Z", "Comme CMD-2025-54321.")],
    )
    email = models.EmailField("e-mail")
    postcode = models.CharField("code postal", max_length=12)
    customer_name = models.CharField("client", max_length=120)
    ordered_at = models.DateTimeField("commandée le")
    delivered_at = models.DateTimeField("livrée le", null=True, blank=True)
    is_distance_sale = models.BooleanField("vente à distance", default=False)
    total_cents = models.PositiveIntegerField("total (centimes)")

    class Meta:
        verbose_name = "commande"
        verbose_name_plural = "commandes"
        ordering = ["-ordered_at", "number"]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """Article of an order.

    ``product_reference``: of a product that the catalogue may no longer hold.
    ``components``: subset of ``COMPONENTS``; empty if unknown.
    """

    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, related_name="lines", verbose_name="commande"
    )
    position = models.PositiveSmallIntegerField("rang", default=0)
    product_reference = models.CharField("référence", max_length=40)
    name = models.CharField("article", max_length=160)
    quantity = models.PositiveSmallIntegerField("quantité", default=1)
    unit_price_cents = models.PositiveIntegerField("prix unitaire (centimes)")
    components = models.JSONField("éléments", default=list, blank=True)
    made_to_measure = models.BooleanField("sur mesure", default=False)

    class Meta:
        verbose_name = "ligne de commande"
        verbose_name_plural = "lignes de commande"
        ordering = ["order", "position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="one_line_a_position"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"
