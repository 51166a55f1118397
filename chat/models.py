"""Every model of the app, where Django looks for them."""

from chat.conversations.handover.models import ContactRequest
from chat.conversations.models import ChatSession
from chat.ops.reports.models import CleanupReport
from chat.ops.stats.models import DailyNumber, WrittenBatch
from chat.shop.catalog.models import Category, Product
from chat.shop.orders.models import Order, OrderLine
from chat.shop.photos.models import FileRemoval, Photo
from chat.shop.tickets.models import CannedAnswer, OutgoingMail, Ticket, TicketEntry
from chat.web.access.models import ApiKey, Settings

__all__ = [
    "ApiKey",
    "CannedAnswer",
    "Category",
    "ChatSession",
    "CleanupReport",
    "ContactRequest",
    "DailyNumber",
    "FileRemoval",
    "Order",
    "OrderLine",
    "OutgoingMail",
    "Photo",
    "Product",
    "Settings",
    "Ticket",
    "TicketEntry",
    "WrittenBatch",
]
