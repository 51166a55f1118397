from __future__ import annotations

import re

import pytest
from django.urls import reverse

from chat.web.access.keys import hash_of, split_key
from chat.web.access.models import ApiKey
from chat.web.access.services import create_key

LIST = "admin:chat_apikey_changelist"

pytestmark = pytest.mark.django_db


def test_a_key_made_in_the_admin_is_shown_once_and_works(admin_client):
    page = admin_client.post(
        reverse("admin:chat_apikey_add"), {"name": "site web"}, follow=True
    ).content.decode()
    again = admin_client.get(reverse(LIST)).content.decode()

    [text] = re.findall(r"mdf_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", page)
    row = ApiKey.objects.get(name="site web")
    assert row.secret_hash == hash_of(split_key(text)[1])
    assert text not in again
    assert row.secret_hash not in again


def test_a_change_of_name_leaves_the_key_alone(admin_client):
    row, _text = create_key("site web")
    before = row.secret_hash

    page = admin_client.post(
        reverse("admin:chat_apikey_change", args=[row.pk]), {"name": "caisse"}, follow=True
    )

    row.refresh_from_db()
    assert page.status_code == 200
    assert (row.name, row.secret_hash) == ("caisse", before)


def test_keys_are_revoked_and_never_deleted(admin_client):
    row, _text = create_key("site web")
    admin_client.post(reverse(LIST), {"action": "revoke", "_selected_action": [row.pk]})
    refused = admin_client.post(reverse("admin:chat_apikey_delete", args=[row.pk]))

    row.refresh_from_db()
    assert row.revoked_at is not None
    assert refused.status_code == 403
