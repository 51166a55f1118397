"""What the admin knows of chat sessions. They live in the session store, never in SQL."""

from __future__ import annotations

from django.db import models


class ChatSession(models.Model):
    """No table: it carries the staff's rights on conversations, and the admin's log of them.

    ``object_id`` of a log entry is the ``ref_of`` the session.
    """

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = (
            ("takeover_chatsession", "Peut prendre la main sur une conversation"),
            ("end_chatsession", "Peut mettre fin à une conversation"),
            ("export_chatsession", "Peut exporter une conversation"),
            ("erase_chatsession", "Peut effacer une conversation"),
        )
        verbose_name = "session active"
        verbose_name_plural = "sessions actives"

    def __str__(self) -> str:
        return "session"
