from __future__ import annotations

from django.conf import settings
from django.db import models


class ContactRequest(models.Model):
    """An e-mail that a customer left to be called back, when no adviser could come.

    ``session_ref``: ``ref_of`` the conversation; it is deleted when that one is erased. Each
    leaves an address once. ``lives_until``: what the conversation is sure to live for, unless it
    is erased; None when it was in a worker's memory, which may be lost.
    """

    session_ref = models.CharField("conversation", max_length=16, db_index=True)
    email = models.EmailField("e-mail")
    subject = models.CharField("demande", max_length=500, blank=True)
    asked_at = models.DateTimeField("reçue le", auto_now_add=True)
    lives_until = models.DateTimeField(null=True, editable=False)
    handled_at = models.DateTimeField("traitée le", null=True, blank=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="traitée par",
    )

    class Meta:
        verbose_name = "demande de rappel"
        verbose_name_plural = "demandes de rappel"
        ordering = ["-asked_at"]
        default_permissions = ("view", "change", "delete")
        constraints = [
            models.UniqueConstraint(fields=["session_ref", "email"], name="contact_once")
        ]

    def __str__(self) -> str:
        return f"Demande du {self.asked_at:%d/%m/%Y %H:%M}"
