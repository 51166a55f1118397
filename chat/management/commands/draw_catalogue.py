from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from chat.catalog.drawings.draw import draw
from chat.catalog.loader import DEMO_FILE, read_catalogue

FOLDER = Path(__file__).resolve().parents[2] / "static" / "chat" / "catalog"


class Command(BaseCommand):
    help = "Draw the products of a catalogue file from their sizes and colours, one SVG each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", default=DEMO_FILE)
        parser.add_argument("--into", type=Path, default=FOLDER)

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["into"]
        folder.mkdir(parents=True, exist_ok=True)
        drawn = 0
        for row in read_catalogue(options["file"]):
            picture = draw(row.values) if row.values.get("image") else None
            if picture is not None:
                (folder / row.values["image"]).write_text(picture, encoding="utf-8")
                drawn += 1
        self.stdout.write(f"{drawn} dessins dans {folder}")
