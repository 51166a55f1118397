from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

MAX_PHOTOS = 5


class FileRemoval(models.Model):
    """File of a deleted photo that is still to be removed from the disk; see ``removals.py``."""

    name = models.CharField(max_length=32, unique=True)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Photo(models.Model):
    """Photo sent by a customer, re-encoded; its files are managed by ``chat.shop.photos.files``.

    ``session_ref``: ``ref_of`` the conversation. ``slot``: index below ``MAX_PHOTOS``, unique per
    conversation, so that the database refuses a sixth photo. ``sha256``: of the original upload,
    for deduplication. ``ticket_number``: "" without a ticket. ``stored_bytes``: of both files.
    ``has_conversation``: whether the conversation has a message; a photo sent before the first
    message is deleted unless one follows.
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
    stored_bytes = models.PositiveIntegerField("place prise (octets)", default=0, db_default=0)
    has_conversation = models.BooleanField(
        "conversation commencée", default=False, db_default=False
    )
    sha256 = models.CharField("empreinte", max_length=64)
    sent_at = models.DateTimeField("envoyée le", auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = "photo"
        verbose_name_plural = "photos"
        ordering = ["sent_at", "slot"]
        default_permissions = ()  # visible with the permission for conversations or tickets
        indexes = [
            models.Index(
                fields=["sent_at"],
                condition=Q(has_conversation=False, ticket_number=""),
                name="photo_unclaimed",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["session_ref", "slot"], name="photo_slot_once"),
            models.UniqueConstraint(fields=["session_ref", "sha256"], name="photo_once"),
            models.CheckConstraint(condition=Q(slot__lt=MAX_PHOTOS), name="photo_slot_in_range"),
        ]

    def __str__(self) -> str:
        return f"Photo du {self.sent_at:%d/%m/%Y %H:%M}"
