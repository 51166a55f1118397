from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from devtools.local_assistant.completions import MAX_RECORDED
from devtools.local_assistant.faults import Pace
from devtools.local_assistant.server import LIVELY, start


class Command(BaseCommand):
    help = "Run the local assistant alone: OpenAI's API on loopback, no key, no network."
    requires_system_checks = []  # needs neither database nor Redis

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
        parser.add_argument("--port", type=int, default=0, help="0: the system chooses")
        parser.add_argument("--first-token-ms", type=int, default=LIVELY.first_token_ms)
        parser.add_argument(
            "--tokens-per-s", type=float, default=LIVELY.tokens_per_s, help="0: no pace"
        )
        parser.add_argument(
            "--keep-requests",
            type=int,
            default=0,
            help=f"how many request bodies GET /requests shows, at most {MAX_RECORDED}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["first_token_ms"] < 0 or options["tokens_per_s"] < 0:
            raise CommandError("Les durées et débits ne peuvent pas être négatifs.")
        if not 0 <= options["keep_requests"] <= MAX_RECORDED:
            raise CommandError(f"--keep-requests : de 0 à {MAX_RECORDED}.")
        try:
            asyncio.run(self._serve(options))
        except ValueError as error:
            raise CommandError("L'assistant local n'écoute que sur cette machine.") from error
        except (OSError, OverflowError) as error:
            raise CommandError(f"Impossible d'écouter sur ce port : {error}") from error

    async def _serve(self, options: dict[str, Any]) -> None:
        """Answer until SIGTERM or SIGINT."""
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        pace = Pace(first_token_ms=options["first_token_ms"], tokens_per_s=options["tokens_per_s"])
        server = await start(
            options["host"], options["port"], pace=pace, keep_requests=options["keep_requests"]
        )
        try:
            self.stdout.write(f"Assistant local : {server.url}")
            self.stdout.flush()
            await stopped.wait()
        finally:
            await server.close()
