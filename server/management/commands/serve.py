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
from django.utils.module_loading import import_string
from twisted.internet.error import CannotListenError

from chat.assistant.llm import MODEL_URL
from chat.conversations.realtime.events import Failed, encode
from chat.core import runtime
from chat.core.errors import PayloadTooLarge
from chat.core.supervisor import DRAIN
from chat.management.local_assistant_process import local_assistant
from chat.ops.cluster import refuse_cluster
from chat.shop.photos.confinement import hide_memory
from chat.tasks import SUPERVISOR, keep_conversations
from chat.turns.turn import hand_over_turns
from meuble_project import unsent_mail
from meuble_project.logs import log_python_errors
from server.worker import Worker

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Start one worker: pages, API and WebSockets. Ends politely on SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="0: any that is free")

    def handle(self, *, host: str, port: int, **options: Any) -> None:
        log_python_errors()
        if settings.ENV.redis_url.startswith("memory://") and not settings.ENV.debug:
            logger.warning(
                "REDIS_URL=memory:// with DEBUG=0: conversations live in this process alone, and "
                "are lost when it is killed; a second worker shows other conversations"
            )
        if settings.ENV.email_url.startswith("console:") and not settings.ENV.debug:
            logger.warning(unsent_mail.WARNING)
        refuse_cluster(settings.ENV.redis_url, settings.ENV.redis_sentinels)
        hide_memory()  # from decoders of photos, before there is one
        collect_stale_static_files()
        with ExitStack() as children:
            if settings.ENV.uses_local_assistant:
                url = children.enter_context(local_assistant())
                children.enter_context(runtime.override(MODEL_URL.to(url)))
            worker = Worker(
                get_default_application(),
                host=host,
                port=port,
                admit=import_string(settings.BODY_ADMISSION),
                sender_of=import_string(settings.BODY_SENDER),
                grace_s=settings.ENV.shutdown_grace_s,
                drain=DRAIN.get(),
                too_long=encode(Failed.from_error(PayloadTooLarge())),
                background=SUPERVISOR.get().run,
                hand_over=hand_over_turns,
                keep=keep_conversations,
            )
            try:
                url = worker.listen()
            except CannotListenError as error:
                reason = getattr(error.socketError, "strerror", None) or error.socketError
                raise CommandError(f"Impossible d'écouter sur {host}:{port} : {reason}") from error
            self.stdout.write(f"Écoute sur {url}")
            self.stdout.flush()
            worker.run()
        leave(1 if worker.has_lost else 0)


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


def leave(code: int) -> NoReturn:
    """End the process now that all is done; Python would wait for threads, and one that hangs in
    a database would keep a stopped worker alive until it is killed.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
