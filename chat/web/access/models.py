from __future__ import annotations

from django.db import models


class ApiKey(models.Model):
    """The right of one program to use the API. It sees only the sessions that it made."""

    name = models.CharField("nom", max_length=100, help_text="Le programme qui s'en sert.")
    #: The part of the key that is no secret: it finds the row.
    prefix = models.CharField("préfixe", max_length=12, unique=True, editable=False)
    #: SHA-256 of the rest, in hexadecimal.
    secret_hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField("créée le", editable=False)
    #: To the minute.
    last_used_at = models.DateTimeField("dernier usage", null=True, editable=False)
    revoked_at = models.DateTimeField("révoquée le", null=True, editable=False)

    class Meta:
        verbose_name = "clé d'API"
        verbose_name_plural = "clés d'API"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} (mdf_{self.prefix}_…)"

    @property
    def owner(self) -> str:
        """Who owns the sessions that this key makes, e.g. ``"key:3"``."""
        return f"key:{self.pk}"


class Settings(models.Model):
    """No table: it carries the right to read the configuration of the running worker, and the
    staff's rights on one another's logins.
    """

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = (("end_logins", "Peut déconnecter partout un membre du personnel"),)
        verbose_name = "réglages"
        verbose_name_plural = "réglages"

    def __str__(self) -> str:
        return "réglages"
