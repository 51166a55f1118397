"""Each noun registers its own pages; importing them is what Django asks of this file."""

from chat.access.admin import ApiKeyAdmin
from chat.access.staff_admin import SettingsAdmin, StaffAdmin
from chat.catalog.admin import CategoryAdmin, ProductAdmin
from chat.numbers.admin import DailyNumberAdmin
from chat.orders.admin import OrderAdmin
from chat.photos.admin import PhotoAdmin
from chat.reports.admin import CleanupReportAdmin
from chat.takeover.admin import ContactRequestAdmin
from chat.tickets.admin import CannedAnswerAdmin, OutgoingMailAdmin, TicketAdmin
from chat.views.desk.admin import ChatSessionAdmin

__all__ = [
    "ApiKeyAdmin",
    "CannedAnswerAdmin",
    "CategoryAdmin",
    "ChatSessionAdmin",
    "CleanupReportAdmin",
    "ContactRequestAdmin",
    "DailyNumberAdmin",
    "OrderAdmin",
    "OutgoingMailAdmin",
    "PhotoAdmin",
    "ProductAdmin",
    "SettingsAdmin",
    "StaffAdmin",
    "TicketAdmin",
]
