"""Every model of the app, where Django looks for them."""

from chat.access.models import ApiKey

__all__ = ["ApiKey"]
