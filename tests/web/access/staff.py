"""The staff of the shop, with the rights of their groups, and browsers that log in."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client

PASSWORD = "un-mot-de-passe-de-test"
ADVISERS, MANAGERS = "Conseillers", "Responsables"


def make_groups() -> None:
    """As the migrations do; a test that empties the tables has taken its groups away."""
    editor: Any = SimpleNamespace(connection=connection)
    import_module("chat.migrations.0003_groups").make_groups(apps, editor)
    for migration in ("0012_tickets", "0016_ticket_erasure"):
        import_module(f"chat.migrations.{migration}").give_rights(apps, editor)


def staff(username: str, group: str = "", *, is_superuser: bool = False) -> User:
    """An account of the staff, in one group or none."""
    make_groups()
    user: User = get_user_model().objects.create_user(
        username=username, password=PASSWORD, is_staff=True, is_superuser=is_superuser
    )
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def browser_of(username: str, password: str = PASSWORD, address: str = "192.0.2.1") -> Client:
    """A browser that has just logged in through the page."""
    browser = Client(REMOTE_ADDR=address)
    log_in(browser, username, password)
    return browser


def log_in(browser: Client, username: str, password: str = PASSWORD, **headers: str) -> Any:
    """Send the login form; 302 when it was right."""
    return browser.post(
        "/admin/login/",
        {"username": username, "password": password, "next": "/admin/"},
        headers=headers,
    )


def is_in(browser: Client) -> bool:
    """Whether the admin lets this browser in."""
    return bool(browser.get("/admin/password_change/").status_code == 200)
