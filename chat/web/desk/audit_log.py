"""What the staff did, in the admin's own log."""

from __future__ import annotations

from channels.db import database_sync_to_async
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from chat.conversations.models import ChatSession
from chat.web.desk.permissions import Staff


@database_sync_to_async
def trace(staff: Staff, ref: str, what: str, flag: int = CHANGE) -> LogEntry:
    """Write that this person did ``what``, a French sentence, to the conversation ``ref``."""
    return LogEntry.objects.create(
        user_id=staff.user_id,
        content_type=ContentType.objects.get_for_model(ChatSession),
        object_id=ref,
        object_repr=name_of(ref),
        action_flag=flag,
        change_message=what,
    )


@database_sync_to_async
def traces(ref: str) -> list[LogEntry]:
    """Return what was done to the conversation, first things first, also after its erasure."""
    kind = ContentType.objects.get_for_model(ChatSession)
    entries = LogEntry.objects.filter(content_type=kind, object_id=ref).select_related("user")
    return list(entries.order_by("action_time", "pk"))


def name_of(ref: str) -> str:
    return f"Session {ref[:8]}"
