"""One conversation, as an operator names it: found, read, and who did what to it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.contrib.contenttypes.models import ContentType
from django.core.management.base import CommandError

from chat.conversations.models import ChatSession
from chat.conversations.store.adviser_store import StaffNote
from chat.conversations.store.protocol import ANY_OWNER
from chat.conversations.store.redis.store import RedisStore
from chat.conversations.types import Session
from chat.core.errors import SessionNotFound, SessionUnreadable
from chat.core.ids import is_id, ref_of
from chat.management.console import Exit, cannot

REF = re.compile(r"[0-9a-f]{16}\Z")


@dataclass(frozen=True, slots=True)
class Found:
    session: Session
    staff_notes: list[StaffNote]

    @property
    def ref(self) -> str:
        return ref_of(self.session.id)


async def find(store: RedisStore, name: str) -> Found:
    """Return the conversation of this reference, or of this whole id.

    Raises:
        CommandError: there is none, or no more; exit code 3.
    """
    try:
        session = await store.load(await _id_of(store, name), ANY_OWNER)
    except SessionUnreadable as error:
        what = "Cette version ne sait pas la lire : elle est de côté (voir « sessions restore »)."
        raise cannot(what) from error
    except SessionNotFound as error:
        what = "Aucune conversation de cette référence : expirée, effacée, ou jamais commencée."
        raise CommandError(what, returncode=Exit.NOT_FOUND) from error
    return Found(session, await store.staff_notes(session.id))


async def set_aside_id(store: RedisStore, name: str) -> str:
    """Return the id of what was set aside under this reference, or this whole id.

    Raises:
        CommandError: there is none; exit code 3.
    """
    for id_ in await store.unreadable():
        if name in (id_, ref_of(id_)):
            return id_
    raise CommandError("Rien n'est de côté sous ce nom.", returncode=Exit.NOT_FOUND)


async def _id_of(store: RedisStore, name: str) -> str:
    if REF.match(name):
        try:
            return await store.find(name)
        except SessionNotFound:
            pass  # a program may have chosen such an id
    if not is_id(name):
        raise SessionNotFound
    return name


class Operator:
    """The member of the staff in whose name the command acts."""

    def __init__(self, user: AbstractUser) -> None:
        self._user = user
        self.user_id: int = user.pk
        self.name = user.get_username()
        #: As the desk shows them.
        self.shown = user.get_short_name() or user.get_full_name() or self.name

    @classmethod
    def named(cls, username: str | None, permission: str) -> Operator:
        """Return that user, or the only administrator there is.

        Raises:
            CommandError: nobody, several, or without the right.
        """
        users = get_user_model()._default_manager.filter(is_active=True)
        if username is None:
            chosen = list(users.filter(is_superuser=True)[:2])
            if len(chosen) != 1:
                many = "plusieurs administrateurs" if chosen else "aucun administrateur"
                raise cannot(f"--as NOM est nécessaire : il y a {many}.")
        else:
            chosen = list(users.filter(**{get_user_model().USERNAME_FIELD: username}))
            if not chosen:
                raise cannot(f"--as : aucun compte actif ne s'appelle « {username} ».")
        user = chosen[0]
        if not user.has_perm(f"chat.{permission}"):
            raise cannot(f"« {user.get_username()} » n'a pas ce droit ({permission}).")
        return cls(user)

    def write_down(self, ref: str, what: str, flag: int = CHANGE) -> None:
        """Write in the admin's log that they did this, a French sentence, to the conversation."""
        LogEntry.objects.create(
            user_id=self._user.pk,
            content_type=ContentType.objects.get_for_model(ChatSession),
            object_id=ref,
            object_repr=f"Session {ref[:8]}",
            action_flag=flag,
            change_message=f"{what} (ligne de commande)",
        )
