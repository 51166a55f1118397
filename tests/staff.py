"""The staff of the shop, as tests meet them, and conversations for them to see."""

from __future__ import annotations

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, User
from django.test import AsyncClient

from chat.conversations.store.protocol import WEB_OWNER, Store
from chat.core.ids import ref_of
from tests.builders import answer_to, done, leased, question

PASSWORD = "meuble-de-france"
ALL = ("view", "takeover", "end", "export", "erase")
#: Who may do what with conversations; Zoé has an account of no use here.
CAST: dict[str, tuple[str, ...]] = {
    "karim": ("view", "takeover", "end"),
    "claire": ("view", "takeover", "end"),
    "luc": ("view",),
    "nadia": ALL,
    "omar": (),
    "zoe": ALL,
}


def make_person(username: str) -> User:
    """Get or make this person of the cast."""
    found = get_user_model().objects.filter(username=username).first()
    if found is not None:
        return found
    person: User = get_user_model().objects.create_user(
        username, password=PASSWORD, first_name=username.capitalize(), is_staff=username != "zoe"
    )
    rights = [f"{right}_chatsession" for right in CAST[username]]
    person.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return person


async def logged_in(username: str, *, enforce_csrf_checks: bool = False) -> AsyncClient:
    """A browser of this person; of Camille, whom nobody knows by name, when it is empty."""
    client = AsyncClient(enforce_csrf_checks=enforce_csrf_checks)
    if username:
        person = await database_sync_to_async(make_person)(username)
        await client.aforce_login(person)
    return client


async def begin(
    store: Store, session_id: str, text: str = "Bonjour", answer: str = "Bonjour, je vous écoute."
) -> str:
    """Have a customer ask and, unless ``answer`` is empty, be answered. Return the ref."""
    await store.accept(session_id, WEB_OWNER, question(text, "q1"), create="always")
    if answer:
        lease = await leased(store, "q1", session_id)
        await store.finish(lease, done(lease), answer_to(lease, answer))
    return ref_of(session_id)
