from __future__ import annotations

from django.contrib import admin

from chat.shop.orders.models import Order, OrderLine


class OrderLineInline(admin.TabularInline[OrderLine, Order]):
    model = OrderLine
    extra = 0


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin[Order]):
    """Orders come from ``import_orders``; what is put right here, the next import writes over."""

    list_display = [
        *("number", "customer_name", "ordered_at", "delivered_at", "is_distance_sale", "total"),
    ]
    list_filter = [("delivered_at", admin.EmptyFieldListFilter), "is_distance_sale"]
    date_hierarchy = "ordered_at"
    search_fields = ["number", "email", "customer_name", "lines__name", "lines__product_reference"]
    inlines = [OrderLineInline]

    @admin.display(description="total", ordering="total_cents")
    def total(self, order: Order) -> str:
        return f"{order.total_cents / 100:,.2f} €".replace(",", "\u202f").replace(".", ",")
