from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings

from chat.assistant.llm import close_llm, default_llm
from chat.evaluation.cache import AnswerCache
from chat.evaluation.differences import keep_run, read_last
from chat.evaluation.page import as_page
from chat.evaluation.reading import CONVERSATIONS, BadConversations, read_conversations
from chat.evaluation.recording import RecordingLLM
from chat.evaluation.results import Played
from chat.evaluation.run import Run
from chat.evaluation.runner import MissingData, Plan, play
from chat.evaluation.stage import (
    answering,
    load_demonstration,
    own_database,
    own_memory,
    played_clock,
)
from chat.evaluation.text import as_text
from chat.evaluation.types import CATEGORIES, Conversation
from chat.management.assistant_process import COMMAND, local_assistant
from chat.management.console import Exit, OperatorCommand, cannot, leave_with, progress
from chat.management.files import write_whole
from chat.reports.phrases import moment
from chat.sessions.types import now
from meuble_project.env import ROOT

LOCAL_MODEL = "assistant local"
#: It answers at once: nobody reads along.
AT_ONCE = (*COMMAND, "--first-token-ms", "0", "--tokens-per-s", "0")
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

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["together"] <= MAX_TOGETHER:
            raise cannot(f"--together : de 1 à {MAX_TOGETHER}.")
        if not options["timeout_s"] > 0:
            raise cannot("--timeout-s : plus que 0.")
        conversations = chosen(options["conversations"], options["only"], options["category"])
        logging.getLogger("chat").setLevel(logging.ERROR)  # a line for each turn is too many
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
    """Return the conversations to play.

    Raises:
        CommandError: they cannot be read, or none is left.
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


def _run(conversations: list[Conversation], options: dict[str, Any], path: Path) -> Run:
    is_local = settings.ENV.uses_local_assistant
    model = LOCAL_MODEL if is_local else settings.ENV.openai_model
    began, made_at = time.perf_counter(), now()
    played = _play_on_stage(conversations, options, model, is_local=is_local)
    return Run(
        played=tuple(played),
        model=model,
        made_at=made_at,
        seconds=time.perf_counter() - began,
        last=read_last(path, model),
    )


def _play_on_stage(
    conversations: list[Conversation], options: dict[str, Any], model: str, *, is_local: bool
) -> list[Played]:
    """Play the conversations in a shop of their own. The local assistant is never cached: its
    own code is part of what is looked at.
    """
    cache = None
    if not is_local and not options["no_cache"]:
        cache = AnswerCache(options["keep"] / "answers.jsonl")
    with ExitStack() as stage:
        stage.enter_context(own_memory())
        if is_local:
            # Read when the model's client is made, at the first turn.
            settings.LOCAL_ASSISTANT_URL = stage.enter_context(local_assistant(AT_ONCE))
        stage.enter_context(own_database())
        load_demonstration()
        stage.enter_context(played_clock())
        server = settings.ENV.openai_base_url or "openai"
        llm = RecordingLLM(
            default_llm, f"{model} {settings.ENV.openai_reasoning_effort} {server}", cache
        )
        stage.enter_context(answering(llm))
        tell = stage.enter_context(progress("Conversations", "jouées"))
        plan = Plan(options["together"], options["timeout_s"])
        try:
            return asyncio.run(_play_and_close(conversations, plan, tell))
        except MissingData as missing:
            raise cannot(f"La démonstration n'a pas ce qu'il faut : {missing}") from missing


async def _play_and_close(conversations: list[Conversation], plan: Plan, tell: Any) -> list[Played]:
    try:
        return await play(conversations, plan, tell)
    finally:
        await close_llm()
