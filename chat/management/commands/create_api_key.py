from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.web.access.models import ApiKey
from chat.web.access.services import create_key

MAX_NAME_CHARS = ApiKey._meta.get_field("name").max_length or 100


class Command(BaseCommand):
    help = "Make a key for a program that uses the API. It is printed once, never again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the program that will use it, e.g. 'site web'")
        parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        if not 0 < len(name) <= MAX_NAME_CHARS:
            raise CommandError(f"NAME: expected 1 to {MAX_NAME_CHARS} characters")
        row, text = create_key(name)
        if options["json"]:
            self.stdout.write(json.dumps({"id": row.pk, "name": row.name, "key": text}))
            return
        self.stdout.write(text)
        self.stderr.write(
            f"Clé n° {row.pk} pour « {name} » : notez-la, elle ne sera plus affichée."
        )
        self.stderr.write("Usage : Authorization: Bearer <clé>. À révoquer dans l'administration.")
