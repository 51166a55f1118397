from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

USERNAME = "demo"


class Command(BaseCommand):
    help = "Prepare a development machine: an administrator with a new password at each run."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.ENV.debug:
            raise CommandError("make_demo creates an administrator: it needs DEBUG=1.")
        password = renew_administrator()
        self.stdout.write(f"Administration : /admin/ — {USERNAME} / {password}")


def renew_administrator() -> str:
    """Create or update the demonstration's administrator and return the new password."""
    password = secrets.token_urlsafe(9)
    rights = {"is_staff": True, "is_superuser": True, "is_active": True}
    user, _ = get_user_model().objects.update_or_create(username=USERNAME, defaults=rights)
    user.set_password(password)
    user.save(update_fields=["password"])
    return password
