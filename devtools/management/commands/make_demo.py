from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError

from chat.shop.orders.loader import load_orders
from devtools.demo.data import DEMO_ORDERS, load_demo_catalogue
from meuble_project.env import ROOT

USERNAME = "demo"
#: Staff of the demonstration: account, first name displayed to customers, group.
STAFF = (("claire", "Claire", "Conseillers"), ("responsable", "Responsable", "Responsables"))


class Command(BaseCommand):
    help = (
        "Prepare a development machine: an administrator, an adviser and a manager, whose "
        "passwords are made at the first run and shown at each. Refused in production."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ENV.debug:
            raise CommandError("make_demo creates an administrator: it needs DEBUG=1.")
        load_demo_catalogue()
        load_orders(DEMO_ORDERS)
        passwords = demo_passwords((USERNAME, *(username for username, _, _ in STAFF)))
        put_account(USERNAME, passwords[USERNAME], is_superuser=True)
        self.stdout.write(f"Administration : /admin/ — {USERNAME} / {passwords[USERNAME]}")
        for username, first_name, group in STAFF:
            put_account(username, passwords[username], first_name=first_name, groups=[group])
            self.stdout.write(f"  {group} : {username} / {passwords[username]}")


def passwords_file() -> Path:
    """Return ``MEDIA_DIR/demo_passwords.json``, which may not exist yet.

    Refused: passwords derived from ``SECRET_KEY``, which is the same everywhere in development.
    """
    return ROOT / settings.ENV.media_dir / "demo_passwords.json"


def demo_passwords(usernames: Sequence[str]) -> dict[str, str]:
    """Return random passwords for these accounts, unique to this installation.

    Stored in a file that only this user can read, and regenerated if that file is invalid.

    Raises:
        CommandError: the file cannot be written.
    """
    path = passwords_file()
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        found = None
    kept = found if isinstance(found, dict) else {}
    passwords = {
        name: kept[name] if _is_password(kept.get(name)) else secrets.token_urlsafe(9)
        for name in usernames
    }
    if passwords != kept:
        _write_private(path, json.dumps(passwords, indent=2))
    return passwords


def _is_password(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and value.strip() != ""


def _write_private(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # an existing file may have wider permissions
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def put_account(
    username: str,
    password: str,
    *,
    first_name: str = "",
    is_superuser: bool = False,
    groups: Sequence[str] = (),
) -> None:
    """Create an account of the demonstration, or reset it.

    A correct password is not set again, since a new hash would end the account's sessions.

    ``groups``: names of all its groups.
    """
    account = {
        "first_name": first_name,
        "is_staff": True,
        "is_superuser": is_superuser,
        "is_active": True,
    }
    user, _ = get_user_model().objects.update_or_create(username=username, defaults=account)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    user.groups.set(Group.objects.filter(name__in=groups))
