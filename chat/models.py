"""Every model of the app, where Django looks for them."""

from chat.access.models import ApiKey, Settings
from chat.catalog.models import Category, Product
from chat.numbers.models import DailyNumber, WrittenBatch
from chat.orders.models import Order, OrderLine
from chat.photos.models import Photo
from chat.reports.models import CleanupReport
from chat.sessions.models import ChatSession
from chat.takeover.models import ContactRequest
from chat.tickets.models import CannedAnswer, OutgoingMail, Ticket, TicketEntry

__all__ = [
    "ApiKey",
    "CannedAnswer",
    "Category",
    "ChatSession",
    "CleanupReport",
    "ContactRequest",
    "DailyNumber",
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
