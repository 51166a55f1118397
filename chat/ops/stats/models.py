from __future__ import annotations

from django.db import models


class DailyNumber(models.Model):
    """One number of one day, summed over all workers. No text, no id of anybody.

    ``name``: ``"turns.done"``, ``"tokens.prompt"``, ``"first_text.0.5"`` (answers whose first
    text came within so many seconds, and after the bucket before).
    """

    day = models.DateField("jour")
    name = models.CharField("nombre", max_length=60)
    value = models.BigIntegerField("valeur", default=0)

    class Meta:
        verbose_name = "nombre du jour"
        verbose_name_plural = "nombres par jour"
        ordering = ["-day", "name"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["day", "name"], name="one_number_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class WrittenBatch(models.Model):
    """The last batch of numbers of one worker: who cannot tell whether its commit arrived looks
    here before it writes again.
    """

    id = models.UUIDField(primary_key=True)
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "lot de nombres"
        verbose_name_plural = "lots de nombres"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)
