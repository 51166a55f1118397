from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

MAX_PHOTOS = 5


class Photo(models.Model):
    """A photo that a customer sent, clean; its files are ``chat.photos.files``'.

    ``session_ref``: ``ref_of`` the conversation. ``slot``: which of its ``MAX_PHOTOS`` places it
    takes: the database itself refuses a sixth. ``sha256``: of the file as it was sent, which is
    kept once. ``ticket_number``: "" while it belongs to no ticket.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session_ref = models.CharField("conversation", max_length=16)
    slot = models.PositiveSmallIntegerField("place")
    problem = models.CharField("problème", max_length=20, blank=True)
    ticket_number = models.CharField("dossier", max_length=20, blank=True, db_index=True)
    name = models.CharField("fichier", max_length=32, unique=True)
    width = models.PositiveIntegerField("largeur (px)")
    height = models.PositiveIntegerField("hauteur (px)")
    bytes = models.PositiveIntegerField("taille (octets)")
    sha256 = models.CharField("empreinte", max_length=64)
    sent_at = models.DateTimeField("envoyée le", auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = "photo"
        verbose_name_plural = "photos"
        ordering = ["sent_at", "slot"]
        default_permissions = ()  # seen by those who see conversations or tickets
        constraints = [
            models.UniqueConstraint(fields=["session_ref", "slot"], name="photo_slot_once"),
            models.UniqueConstraint(fields=["session_ref", "sha256"], name="photo_once"),
            models.CheckConstraint(condition=Q(slot__lt=MAX_PHOTOS), name="photo_slot_in_range"),
        ]

    def __str__(self) -> str:
        return f"Photo du {self.sent_at:%d/%m/%Y %H:%M}"
