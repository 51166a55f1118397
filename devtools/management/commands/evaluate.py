from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import signal
import subprocess  # nosec B404
import sys
import tempfile
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command

from chat.assistant.llm import MODEL_URL
from chat.core import runtime
from chat.core.clock import now
from chat.core.reporting.french import moment
from chat.management.console import Exit, OperatorCommand, cannot, leave_with, progress
from chat.management.files import write_whole
from chat.management.local_assistant_process import COMMAND, local_assistant
from devtools.evaluation.cache import AnswerCache
from devtools.evaluation.differences import keep_run, read_last
from devtools.evaluation.page import as_page
from devtools.evaluation.reading import CONVERSATIONS, BadConversations, read_conversations
from devtools.evaluation.recording import RecordingLLM
from devtools.evaluation.results import Played
from devtools.evaluation.run import Run
from devtools.evaluation.runner import MissingData, Plan, play
from devtools.evaluation.sandbox import (
    EVALUATED_LLM,
    answering,
    is_sandbox,
    load_demonstration,
    played_clock,
    sandbox_variables,
)
from devtools.evaluation.text import as_text
from devtools.evaluation.types import CATEGORIES, Conversation
from meuble_project.env import ROOT, environment_with

LOCAL_MODEL = "assistant local"
#: Local assistant without delays.
AT_ONCE = (*COMMAND, "--first-token-ms", "0", "--tokens-per-s", "0")
LIFELINE = (sys.executable, "-m", "chat.management.exit_with_parent", "evaluate")
MAX_TOGETHER = 32


class Command(OperatorCommand):
    help = (
        "Play the conversations of the evaluation against the configured model (without a key: "
        "the local assistant) and say what does not hold. Uses a database and a memory of its "
        "own. Exit codes: 0 all hold, 1 some do not, 2 it could not."
    )
    requires_system_checks = []
    interrupted = (
        "Interrompu : rien n'a été gardé de cette exécution, sauf les réponses déjà reçues."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only", metavar="PATTERN", help="names that match, a regular expression"
        )
        parser.add_argument("--category", choices=list(CATEGORIES), action="append")
        parser.add_argument("--together", type=int, default=4, help="conversations at once")
        parser.add_argument("--timeout-s", type=float, default=120.0, help="of one conversation")
        parser.add_argument(
            "--keep",
            type=Path,
            default=ROOT / ".evaluation",
            metavar="FOLDER",
            help="where answers of the model and the last run are kept",
        )
        parser.add_argument("--no-cache", action="store_true", help="ask the model every time")
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
        parser.add_argument("--html", type=Path, metavar="FILE", help="write a report")
        parser.add_argument(
            "--conversations",
            type=Path,
            default=CONVERSATIONS,
            metavar="FOLDER",
            help="YAML files to play instead of those that come with the software",
        )
        # Set by the command when it restarts itself in the environment of the sandbox.
        parser.add_argument("--sandbox", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["together"] <= MAX_TOGETHER:
            raise cannot(f"--together : de 1 à {MAX_TOGETHER}.")
        if not options["timeout_s"] > 0:
            raise cannot("--timeout-s : plus que 0.")
        conversations = chosen(options["conversations"], options["only"], options["category"])
        if options["sandbox"] is None:
            play_in_sandbox(options)
            return
        if not is_sandbox(settings.ENV, options["sandbox"]):
            raise cannot("--sandbox : ce processus a d'autres données que celles de ce dossier.")
        for package in ("chat", "devtools"):
            logging.getLogger(package).setLevel(logging.ERROR)  # a line for each turn is too many
        path = options["keep"] / "last.json"
        run = _run(conversations, options, path)
        if options["html"]:
            write_whole(options["html"], as_page(run, settings.ENV.shop_name))
        if options["json"]:
            self.stdout.write(json.dumps(run.to_json(), ensure_ascii=False, indent=1))
        else:
            self.stdout.write(as_text(run), ending="")
        try:
            keep_run(path, run.model, run.played, moment(run.made_at))
        except OSError as error:
            raise cannot(f"Impossible d'écrire {path} : {error.strerror}.") from error
        leave_with(Exit.FINE if run.passed else Exit.FOUND)


def chosen(folder: Path, only: str | None, categories: list[str] | None) -> list[Conversation]:
    """Return the selected conversations.

    Raises:
        CommandError: they cannot be read, or none is selected.
    """
    try:
        pattern = re.compile(only or "")
    except re.error as error:
        raise cannot(f"--only : expression régulière invalide ({error}).") from error
    try:
        conversations = read_conversations(folder)
    except BadConversations as bad:
        raise cannot("\n".join(map(str, bad.problems))) from bad
    left = [
        one
        for one in conversations
        if pattern.search(one.name) and one.category in (categories or CATEGORIES)
    ]
    if not left:
        raise cannot("Aucune conversation ne correspond.")
    return left


def play_in_sandbox(options: dict[str, Any]) -> None:
    """Run this command again in a child process with isolated data, and exit with its exit code.

    The child has its own process session, so that Ctrl-C reaches it once, and it ends with this
    process in all cases.

    Raises:
        SystemExit: with its exit code, if not 0.
        CommandError: the child was killed.
    """
    with (
        tempfile.TemporaryDirectory(prefix="evaluate-") as folder,
        subprocess.Popen(  # noqa: S603 - a command of ours # nosec B603
            [*LIFELINE, *_arguments(options), f"--sandbox={folder}"],
            stdin=subprocess.PIPE,
            env=environment_with(sandbox_variables(Path(folder))),
            cwd=ROOT,
            start_new_session=True,
        ) as process,
    ):
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            code = process.wait()
    if code < 0:
        raise cannot(f"Les conversations n'ont pas pu être jouées (signal {-code}).")
    if code:
        raise SystemExit(code)


def _arguments(options: dict[str, Any]) -> list[str]:
    """Return the options as command-line arguments, with absolute paths."""
    flags = [
        f"--{name.replace('_', '-')}" for name in ("no_cache", "json", "traceback") if options[name]
    ]
    values = [
        f"--{name.replace('_', '-')}={options[name]}"
        for name in ("only", "together", "timeout_s")
        if options[name] is not None
    ]
    paths = [
        f"--{name}={options[name].absolute()}"
        for name in ("keep", "html", "conversations")
        if options[name] is not None
    ]
    return [*flags, *values, *paths, *(f"--category={one}" for one in options["category"] or ())]


def _run(conversations: list[Conversation], options: dict[str, Any], path: Path) -> Run:
    is_local = settings.ENV.uses_local_assistant
    model = LOCAL_MODEL if is_local else settings.ENV.openai_model
    began, made_at = time.perf_counter(), now()
    played = _play_here(conversations, options, model, is_local=is_local)
    return Run(
        played=tuple(played),
        model=model,
        made_at=made_at,
        seconds=time.perf_counter() - began,
        last=read_last(path, model),
    )


def _play_here(
    conversations: list[Conversation], options: dict[str, Any], model: str, *, is_local: bool
) -> list[Played]:
    """Play the conversations in this process's sandbox.

    The local assistant is never cached, since the evaluation covers its code too.
    """
    cache = None
    if not is_local and not options["no_cache"]:
        cache = AnswerCache(options["keep"] / "answers.jsonl")
    call_command("migrate", verbosity=0)
    load_demonstration()
    with ExitStack() as stack:
        if is_local:
            url = stack.enter_context(local_assistant(AT_ONCE))
            stack.enter_context(runtime.override(MODEL_URL.to(url)))
        stack.enter_context(played_clock())
        server = settings.ENV.openai_base_url or "openai"
        llm = RecordingLLM(
            EVALUATED_LLM.get, f"{model} {settings.ENV.openai_reasoning_effort} {server}", cache
        )
        stack.enter_context(answering(llm))
        tell = stack.enter_context(progress("Conversations", "jouées"))
        plan = Plan(options["together"], options["timeout_s"])
        try:
            return asyncio.run(_play_and_close(conversations, plan, tell))
        except MissingData as missing:
            raise cannot(f"La démonstration n'a pas ce qu'il faut : {missing}") from missing


async def _play_and_close(conversations: list[Conversation], plan: Plan, tell: Any) -> list[Played]:
    try:
        return await play(conversations, plan, tell)
    finally:
        await runtime.current().aclose()
