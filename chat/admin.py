"""Each noun registers its own pages; importing them is what Django asks of this file."""

from chat.access.admin import ApiKeyAdmin

__all__ = ["ApiKeyAdmin"]
