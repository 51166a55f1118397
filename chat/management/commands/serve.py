from __future__ import annotations

import logging
import os
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

from channels.routing import get_default_application
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.management import BaseCommand, CommandError, call_command
from twisted.internet.error import CannotListenError

from chat.assistant.turn import hand_over_turns, sweep
from chat.management.assistant_process import local_assistant
from chat.numbers.ledger import keep_numbers
from chat.tickets.postman import send_mails
from meuble_project.server.worker import Worker


class Command(BaseCommand):
    help = "Start one worker: pages, API and WebSockets. Ends politely on SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="0: any that is free")

    def handle(self, *, host: str, port: int, **options: Any) -> None:
        collect_stale_static_files()
        with ExitStack() as children:
            if settings.ENV.uses_local_assistant:
                # Read when the model's client is made, at the first turn.
                settings.LOCAL_ASSISTANT_URL = children.enter_context(local_assistant())
            worker = Worker(
                get_default_application(),
                host=host,
                port=port,
                grace_s=settings.ENV.shutdown_grace_s,
                background=[sweep, keep_numbers, send_mails],
                hand_over=hand_over_turns,
            )
            try:
                url = worker.listen()
            except CannotListenError as error:
                reason = getattr(error.socketError, "strerror", None) or error.socketError
                raise CommandError(f"Impossible d'écouter sur {host}:{port} : {reason}") from error
            self.stdout.write(f"Écoute sur {url}")
            self.stdout.flush()
            worker.run()
        leave()


def collect_stale_static_files() -> None:
    """Prepare hashed files where ``DEBUG=0`` needs them: none were made, or sources are newer."""
    storage: Any = staticfiles_storage
    if isinstance(storage, ManifestFilesMixin) and _is_stale(storage):
        call_command("collectstatic", interactive=False, verbosity=0)


def _is_stale(storage: Any) -> bool:
    manifest = Path(storage.path(storage.manifest_name))
    if not manifest.exists():
        return True
    made_at = manifest.stat().st_mtime
    sources = (
        Path(source.path(name)) for finder in get_finders() for name, source in finder.list(None)
    )
    return any(source.stat().st_mtime > made_at for source in sources)


def leave() -> NoReturn:
    """End the process now that all is done; Python would wait for threads, and one that hangs in
    a database would keep a stopped worker alive until it is killed.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
