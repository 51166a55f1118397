"""E-mails of a production site that has no mail server: nobody sends them, and nobody sees them.

Django's console backend prints whole e-mails. In development that is what one wants to see; in
production the output is kept in logs, and an e-mail has an address and a link that opens a ticket.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

WARNING = "EMAIL_URL=console:// with DEBUG=0: e-mails are not sent, and their texts are not shown"


class NoMailServerError(OSError):
    """Nobody is there to send an e-mail: the same as a server that cannot be reached."""


class UnsentMailBackend(BaseEmailBackend):
    """Takes no e-mail: none may count as sent, and none is shown."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Refuse them.

        Raises:
            NoMailServerError: always, unless there is none to send.
        """
        if email_messages and not self.fail_silently:
            raise NoMailServerError("EMAIL_URL=console:// names no server")
        return 0
