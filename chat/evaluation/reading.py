"""From YAML files to conversations: all of them, or every mistake with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

import yaml

from chat import shop
from chat.assistant.tools import TOOLS
from chat.evaluation.blocks import Block, Page, Problem
from chat.evaluation.types import (
    CATEGORIES,
    FORM_FIELDS,
    PRESSES,
    PRIORITIES,
    ROWS,
    USUAL_MOMENT,
    USUAL_TIME,
    Conversation,
    CustomerTurn,
    Expected,
    WantedCall,
    WantedForm,
)
from chat.language import LANGUAGES
from chat.tickets.forms import Step

#: Those that come with the software.
CONVERSATIONS = Path(__file__).with_name("conversations")

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_AMOUNT = re.compile(r"(\d{1,7})(?:\.(\d{2}))?")
_MAX_FILE_BYTES = 1_000_000


class BadConversations(Exception):
    """The files have mistakes: nothing can be played."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def read_conversations(folder: Path = CONVERSATIONS) -> list[Conversation]:
    """Return the conversations of all ``*.yaml`` in a folder, by file and place.

    Raises:
        BadConversations: with every mistake; also when there is no conversation.
    """
    files = sorted(folder.glob("*.yaml"))
    problems: list[Problem] = []
    conversations: list[Conversation] = []
    lines: dict[str, str] = {}
    for path in files:
        page = Page(path.name)
        for conversation, line in _read_file(path, page):
            if conversation.name in lines:
                first = lines[conversation.name]
                message = f"le nom {conversation.name} est déjà pris ({first})."
                page.problems.append(Problem(path.name, line, message))
            lines.setdefault(conversation.name, f"{path.name}:{line}")
            conversations.append(conversation)
        problems += page.problems
    if not problems and not conversations:
        problems.append(Problem(str(folder), 1, "aucune conversation dans ce dossier."))
    if problems:
        raise BadConversations(problems)
    return conversations


def _read_file(path: Path, page: Page) -> list[tuple[Conversation, int]]:
    try:
        raw = path.read_bytes()
        if len(raw) > _MAX_FILE_BYTES:
            raise yaml.YAMLError("fichier trop long")
        node = yaml.compose(raw.decode(), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        page.problems.append(Problem(page.file, line, f"fichier illisible : {_told(error)}"))
        return []
    if node is None:
        return []
    return [(_conversation(one), one.node.start_mark.line + 1) for one in page.blocks(node)]


def _told(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error)


def _conversation(block: Block) -> Conversation:
    page = block.page
    name = block.text("name", required=True)
    if name and not _NAME.fullmatch(name):
        page.blame(block.values["name"], "name : minuscules, chiffres et traits d'union.")
    setup_node = block.get("setup")
    setup = page.block(setup_node) if setup_node is not None else None
    turns = tuple(_turn(page.block(node)) for node in block.nodes("turns"))
    if not turns and block.is_block:
        page.blame(block.node, "turns : au moins un message du client.")
    conversation = Conversation(
        name=name,
        category=block.choice("category", CATEGORIES, required=True),
        about=block.text("about"),
        at=_moment(block),
        products=setup.texts("products") if setup else (),
        orders=setup.texts("orders") if setup else (),
        never=block.phrases("never"),
        turns=turns,
    )
    for one in filter(None, (block, setup)):
        one.finish()
    return conversation


def _moment(block: Block) -> datetime:
    """Return the moment of ``today``, "2026-11-23" or "2026-11-23T20:30", Paris time."""
    text = block.text("today")
    if not text:
        return USUAL_MOMENT
    try:
        moment = datetime.fromisoformat(text)
        if len(text) == len("2026-11-23"):
            moment = datetime.combine(moment.date(), USUAL_TIME)
    except ValueError:
        block.page.blame(block.values["today"], "today : comme 2026-11-23 ou 2026-11-23T20:30.")
        return USUAL_MOMENT
    if moment.tzinfo is not None:
        block.page.blame(block.values["today"], "today : l'heure de Paris, sans fuseau.")
    return moment.replace(tzinfo=shop.PARIS)


def _turn(block: Block) -> CustomerTurn:
    text, press = block.text("customer"), block.choice("press", PRESSES)
    edits = _edits(block)
    if sum(map(bool, (text, press, edits))) != 1 and block.is_block:
        block.page.blame(block.node, "un message : customer, press ou edit, et un seul des trois.")
    node = block.get("expect")
    if node is None:
        expected = Expected()
    else:
        expectations = block.page.block(node)
        expected = _expected(expectations)
        expectations.finish()
    block.finish()
    return CustomerTurn(text, expected, press, edits)


def _edits(block: Block) -> dict[str, str]:
    node = block.get("edit")
    if node is None:
        return {}
    fields = block.page.block(node)
    edits = {name: fields.text(name) for name in FORM_FIELDS if name in fields.values}
    fields.finish()
    return edits


def _form(block: Block) -> WantedForm | None:
    """Return what the form must be: fields as patterns and a step, or ``none``."""
    node = block.get("form")
    if node is None:
        return None
    if isinstance(node, yaml.ScalarNode) and node.value == "none":
        return WantedForm(is_there=False)
    form = block.page.block(node)
    step = form.choice("step", [step.value for step in Step])
    patterns = {
        name: block.page.phrase(value)
        for name in FORM_FIELDS
        if (value := form.get(name)) is not None
    }
    form.finish()
    return WantedForm(is_there=True, step=step, fields=patterns)


def _expected(block: Block) -> Expected:
    return Expected(
        tools=tuple(_wanted_calls(block)),
        no_tools=_known_tools(block),
        rows=_rows(block),
        priority=block.choice("priority", PRIORITIES),
        asked=block.flag("asked"),
        says=block.groups("says"),
        announces=block.groups("announces"),
        amounts_cents=tuple(_amounts(block)),
        dates=tuple(_dates(block)),
        never=block.phrases("never"),
        language=block.choice("language", LANGUAGES),
        interrupted=block.flag("interrupted") or False,
        error=block.text("error"),
        sources=block.texts("sources"),
        form=_form(block),
        min_chars=block.whole("min_chars"),
        max_chars=block.whole("max_chars"),
    )


def _tool_names() -> set[str]:
    return {tool.name for tool in TOOLS}


def _wanted_calls(block: Block) -> Iterable[WantedCall]:
    for node in block.nodes("tools"):
        if isinstance(node, yaml.ScalarNode):
            yield WantedCall(_known_tool(block.page, node, node.value))
            continue
        call = block.page.block(node)
        for name, arguments in call.values.items():
            given = block.page.block(arguments)
            values = {key: block.page.value(value) for key, value in given.values.items()}
            yield WantedCall(_known_tool(block.page, node, name), values)


def _known_tool(page: Page, node: yaml.Node, name: str) -> str:
    if name not in _tool_names():
        page.blame(node, f"outil inconnu : {name}.")
    return name


def _known_tools(block: Block) -> tuple[str, ...]:
    node = block.get("no_tools")
    if isinstance(node, yaml.ScalarNode) and node.value == "all":
        return ("all",)
    return tuple(
        _known_tool(block.page, one, block.page.text(one)) for one in block.nodes("no_tools")
    )


def _rows(block: Block) -> dict[str, int]:
    node = block.get("rows")
    if node is None:
        return {}
    rows = block.page.block(node)
    counts = {name: rows.whole(name) for name in ROWS}
    rows.finish()
    return {name: count for name, count in counts.items() if count is not None}


def _amounts(block: Block) -> Iterable[int]:
    """Yield cents of amounts in euros, "1290" or "34.50"."""
    for node in block.nodes("amounts"):
        match = _AMOUNT.fullmatch(block.page.text(node))
        if match is None:
            block.page.blame(node, "amounts : des euros, comme 1290 ou 34.50.")
        else:
            yield int(match[1]) * 100 + int(match[2] or 0)


def _dates(block: Block) -> Iterable[date]:
    for node in block.nodes("dates"):
        try:
            yield date.fromisoformat(block.page.text(node))
        except ValueError:
            block.page.blame(node, "dates : des jours, comme 2027-03-12.")
