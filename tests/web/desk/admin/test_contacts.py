from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from chat.conversations.handover.models import ContactRequest

LIST = "admin:chat_contactrequest_changelist"

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked() -> ContactRequest:
    return ContactRequest.objects.create(session_ref="0" * 16, email="camille@example.test")


def test_request_is_marked_as_handled_by_whoever_did_it_first(admin_client, client, asked):
    choice = {"action": "mark_handled", "_selected_action": [asked.pk]}
    admin_client.post(reverse(LIST), choice)
    asked.refresh_from_db()
    first = (asked.handled_by, asked.handled_at)
    client.force_login(User.objects.create_superuser("karim"))
    client.post(reverse(LIST), choice)

    asked.refresh_from_db()
    assert first[0] is not None
    assert first[0].get_username() == "admin"
    assert (asked.handled_by, asked.handled_at) == first


def test_request_is_opened_again(admin_client, asked):
    for action in ("mark_handled", "mark_open"):
        admin_client.post(reverse(LIST), {"action": action, "_selected_action": [asked.pk]})

    asked.refresh_from_db()
    assert (asked.handled_by, asked.handled_at) == (None, None)


def test_requests_are_read_and_never_made_here(admin_client, asked):
    page = admin_client.get(reverse("admin:chat_contactrequest_change", args=[asked.pk]))

    assert b"camille@example.test" in page.content
    assert b'name="email"' not in page.content
    assert admin_client.get(reverse("admin:chat_contactrequest_add")).status_code == 403
