from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.urls import reverse

from tests.web.access.staff import ADVISERS, MANAGERS, browser_of, make_groups, staff

pytestmark = pytest.mark.django_db

TALK = {
    "chat.view_chatsession",
    "chat.takeover_chatsession",
    "chat.end_chatsession",
    "chat.view_contactrequest",
    "chat.change_contactrequest",
    "chat.view_ticket",
    "chat.change_ticket",
    "chat.view_ticketentry",
    "chat.view_cannedanswer",
}
RULE = {
    "chat.export_chatsession",
    "chat.erase_chatsession",
    "chat.view_cleanupreport",
    "chat.delete_cleanupreport",
    "chat.view_dailynumber",
    "chat.view_apikey",
    "chat.add_apikey",
    "chat.change_apikey",
    "chat.view_settings",
    "chat.end_logins",
    "chat.export_ticket",
    "chat.delete_ticket",
    "chat.delete_contactrequest",
    "chat.add_cannedanswer",
    "chat.change_cannedanswer",
    "chat.view_outgoingmail",
    "auth.view_user",
}
SETTINGS = "admin:chat_settings_changelist"
NUMBERS = "admin:chat_dailynumber_changelist"
KEYS = "admin:chat_apikey_changelist"
NEW_KEY = "admin:chat_apikey_add"
USERS = "admin:auth_user_changelist"
NEW_USER = "admin:auth_user_add"


@pytest.mark.parametrize("group, rights", [(ADVISERS, TALK), (MANAGERS, TALK | RULE)])
def test_group_has_these_rights_and_no_others(group, rights):
    assert staff("someone", group).get_all_permissions() == rights


def test_groups_are_made_twice_without_harm_and_taken_away_again():
    migration = import_module("chat.migrations.0003_groups")
    make_groups()
    before = Permission.objects.count()
    added = Permission.objects.get(codename="add_user")
    Group.objects.get(name=ADVISERS).permissions.add(added)
    make_groups()

    assert Group.objects.filter(permissions=added).get().name == ADVISERS
    assert Permission.objects.count() == before
    migration.remove_groups(apps, SimpleNamespace(connection=connection))
    assert not Group.objects.filter(name__in=[ADVISERS, MANAGERS]).exists()


def test_rights_made_on_an_empty_database_are_those_that_django_would_make():
    def named():
        return set(Permission.objects.values_list("content_type__model", "codename", "name"))

    make_groups()
    Permission.objects.all().delete()
    make_groups()
    ours = named()
    for label in ("chat", "auth"):
        create_permissions(apps.get_app_config(label), verbosity=0)

    assert len(ours) == len(TALK | RULE)
    assert ours <= named()
    assert len(named()) == Permission.objects.count()


@pytest.mark.parametrize(
    "page, advisers, managers",
    [
        (SETTINGS, 403, 200),
        (NUMBERS, 403, 200),
        (KEYS, 403, 200),
        (NEW_KEY, 403, 200),
        (USERS, 403, 200),
        (NEW_USER, 403, 403),
    ],
)
def test_pages_open_to_those_who_have_the_right(page, advisers, managers):
    staff("claire", ADVISERS)
    staff("zoé")
    staff("karim", MANAGERS)
    staff("admin", is_superuser=True)

    answers = {
        name: browser_of(name).get(reverse(page)).status_code
        for name in ("zoé", "claire", "karim", "admin")
    }

    assert answers == {"zoé": 403, "claire": advisers, "karim": managers, "admin": 200}


def test_who_sees_accounts_changes_none_and_reads_no_password():
    claire, _ = staff("claire", ADVISERS), staff("karim", MANAGERS)
    browser = browser_of("karim")
    url = reverse("admin:auth_user_change", args=[claire.pk])

    page = browser.get(url).content.decode()
    refused = browser.post(url, {"username": "claire", "is_superuser": "on"})
    new_password = reverse("admin:auth_user_password_change", args=[claire.pk])
    passwords = {browser.get(new_password).status_code, browser.post(new_password).status_code}
    claire.refresh_from_db()

    assert "claire" in page
    assert "Mot de passe" not in page
    assert claire.password[-6:] not in page
    assert passwords == {403}
    assert refused.status_code == 403
    assert not claire.is_superuser


def test_numbers_are_read_only_even_for_an_administrator():
    staff("admin", is_superuser=True)
    browser = browser_of("admin")

    assert browser.get(reverse("admin:chat_dailynumber_add")).status_code == 403
