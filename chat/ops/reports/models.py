from __future__ import annotations

from django.db import models
from django.utils import timezone


class CleanupReport(models.Model):
    """What ``cleanup_report`` found at one moment: numbers, never a word of a conversation.

    ``details``: what the report shows besides, as JSON of numbers and ``ref_of`` sessions.
    """

    made_at = models.DateTimeField("établi le", auto_now_add=True)
    since = models.DateTimeField("depuis", null=True)
    active = models.PositiveIntegerField("actives")
    expired = models.PositiveIntegerField("expirées depuis")
    orphaned = models.PositiveIntegerField("orphelines")
    removed = models.PositiveIntegerField("retirées")
    bytes = models.PositiveBigIntegerField("taille en octets")
    details = models.JSONField("détails", default=dict)

    class Meta:
        verbose_name = "rapport de nettoyage"
        verbose_name_plural = "rapports de nettoyage"
        ordering = ["-made_at"]
        get_latest_by = "made_at"
        default_permissions = ("view", "delete")

    def __str__(self) -> str:
        return f"Rapport du {timezone.localtime(self.made_at):%d/%m/%Y %H:%M}"
