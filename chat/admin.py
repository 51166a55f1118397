"""Each noun registers its own pages; importing them is what Django asks of this file."""

from chat.web.access.admin import ApiKeyAdmin
from chat.web.access.staff_admin import SettingsAdmin, StaffAdmin
from chat.web.desk.admin.catalog import CategoryAdmin, ProductAdmin
from chat.web.desk.admin.contacts import ContactRequestAdmin
from chat.web.desk.admin.orders import OrderAdmin
from chat.web.desk.admin.photos import PhotoAdmin
from chat.web.desk.admin.reports import CleanupReportAdmin
from chat.web.desk.admin.sessions import ChatSessionAdmin
from chat.web.desk.admin.stats import DailyNumberAdmin
from chat.web.desk.admin.tickets import CannedAnswerAdmin, OutgoingMailAdmin, TicketAdmin

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
