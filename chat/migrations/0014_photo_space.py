from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import F, Q


def fill(apps: Any, schema_editor: Any) -> None:
    """What is there was sent before anybody asked: it stays, and takes at least its picture."""
    photos = apps.get_model("chat", "Photo").objects
    photos.update(stored_bytes=F("bytes"), has_conversation=True)


class Migration(migrations.Migration):
    dependencies = [("chat", "0013_photos")]

    operations = [
        migrations.AddField(
            "photo",
            "stored_bytes",
            models.PositiveIntegerField("place prise (octets)", default=0, db_default=0),
        ),
        migrations.AddField(
            "photo",
            "has_conversation",
            models.BooleanField("conversation commencée", default=False, db_default=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            "photo",
            models.Index(
                fields=["sent_at"],
                condition=Q(has_conversation=False, ticket_number=""),
                name="photo_unclaimed",
            ),
        ),
    ]
