from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError

from chat.catalog.loader import load_demo_catalogue
from chat.orders.loader import DEMO_ORDERS, load_orders

USERNAME = "demo"
#: Who else works in the shop of the demonstration: account, first name shown to customers, group.
STAFF = (("claire", "Claire", "Conseillers"), ("responsable", "Responsable", "Responsables"))


class Command(BaseCommand):
    help = (
        "Prepare a development machine: an administrator, an adviser and a manager, with new "
        "passwords at each run. Refused in production."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ENV.debug:
            raise CommandError("make_demo creates an administrator: it needs DEBUG=1.")
        load_demo_catalogue()
        load_orders(DEMO_ORDERS)
        password = renew_account(USERNAME, is_superuser=True)
        self.stdout.write(f"Administration : /admin/ — {USERNAME} / {password}")
        for username, first_name, group in STAFF:
            password = renew_account(username, first_name=first_name, groups=[group])
            self.stdout.write(f"  {group} : {username} / {password}")


def renew_account(
    username: str,
    *,
    first_name: str = "",
    is_superuser: bool = False,
    groups: Sequence[str] = (),
) -> str:
    """Create or update an account of the demonstration and return its new password.

    ``groups``: names of those that it is in, and of no others.
    """
    password = secrets.token_urlsafe(9)
    account = {
        "first_name": first_name,
        "is_staff": True,
        "is_superuser": is_superuser,
        "is_active": True,
    }
    user, _ = get_user_model().objects.update_or_create(username=username, defaults=account)
    user.set_password(password)
    user.save(update_fields=["password"])
    user.groups.set(Group.objects.filter(name__in=groups))
    return password
