"""Parser of the conversations in YAML files; reports all errors with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

import yaml

from chat.assistant.tools import TOOLS
from chat.core.text import LANGUAGES
from chat.shop import hours
from chat.shop.tickets.draft import Step
from devtools.evaluation.types import (
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
from devtools.evaluation.yaml_nodes import YamlFile, YamlMapping, YamlProblem

#: Conversations shipped with the software.
CONVERSATIONS = Path(__file__).with_name("conversations")

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_AMOUNT = re.compile(r"(\d{1,7})(?:\.(\d{2}))?")
_MAX_FILE_BYTES = 1_000_000


class BadConversations(Exception):
    """The files have errors, so nothing is played."""

    def __init__(self, problems: Sequence[YamlProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def read_conversations(folder: Path = CONVERSATIONS) -> list[Conversation]:
    """Return the conversations of all ``*.yaml`` in a folder, ordered by file and position.

    Raises:
        BadConversations: with all errors; also for a folder without conversations.
    """
    files = sorted(folder.glob("*.yaml"))
    problems: list[YamlProblem] = []
    conversations: list[Conversation] = []
    lines: dict[str, str] = {}
    for path in files:
        file = YamlFile(path.name)
        for conversation, line in _read_file(path, file):
            if conversation.name in lines:
                first = lines[conversation.name]
                message = f"le nom {conversation.name} est déjà pris ({first})."
                file.problems.append(YamlProblem(path.name, line, message))
            lines.setdefault(conversation.name, f"{path.name}:{line}")
            conversations.append(conversation)
        problems += file.problems
    if not problems and not conversations:
        problems.append(YamlProblem(str(folder), 1, "aucune conversation dans ce dossier."))
    if problems:
        raise BadConversations(problems)
    return conversations


def _read_file(path: Path, file: YamlFile) -> list[tuple[Conversation, int]]:
    try:
        raw = path.read_bytes()
        if len(raw) > _MAX_FILE_BYTES:
            raise yaml.YAMLError("fichier trop long")
        node = yaml.compose(raw.decode(), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        file.problems.append(YamlProblem(file.file, line, f"fichier illisible : {_told(error)}"))
        return []
    if node is None:
        return []
    return [(_conversation(one), one.node.start_mark.line + 1) for one in file.mappings(node)]


def _told(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error)


def _conversation(mapping: YamlMapping) -> Conversation:
    file = mapping.file
    name = mapping.text("name", required=True)
    if name and not _NAME.fullmatch(name):
        file.blame(mapping.values["name"], "name : minuscules, chiffres et traits d'union.")
    setup_node = mapping.get("setup")
    setup = file.mapping(setup_node) if setup_node is not None else None
    turns = tuple(_turn(file.mapping(node)) for node in mapping.nodes("turns"))
    if not turns and mapping.is_mapping:
        file.blame(mapping.node, "turns : au moins un message du client.")
    conversation = Conversation(
        name=name,
        category=mapping.choice("category", CATEGORIES, required=True),
        about=mapping.text("about"),
        at=_moment(mapping),
        products=setup.texts("products") if setup else (),
        orders=setup.texts("orders") if setup else (),
        never=mapping.phrases("never"),
        turns=turns,
    )
    for one in filter(None, (mapping, setup)):
        one.finish()
    return conversation


def _moment(mapping: YamlMapping) -> datetime:
    """Return the moment of ``today``, "2026-11-23" or "2026-11-23T20:30", Paris time."""
    text = mapping.text("today")
    if not text:
        return USUAL_MOMENT
    try:
        moment = datetime.fromisoformat(text)
        if len(text) == len("2026-11-23"):
            moment = datetime.combine(moment.date(), USUAL_TIME)
    except ValueError:
        mapping.file.blame(mapping.values["today"], "today : comme 2026-11-23 ou 2026-11-23T20:30.")
        return USUAL_MOMENT
    if moment.tzinfo is not None:
        mapping.file.blame(mapping.values["today"], "today : l'heure de Paris, sans fuseau.")
    return moment.replace(tzinfo=hours.PARIS)


def _turn(mapping: YamlMapping) -> CustomerTurn:
    text, press = mapping.text("customer"), mapping.choice("press", PRESSES)
    edits = _edits(mapping)
    if sum(map(bool, (text, press, edits))) != 1 and mapping.is_mapping:
        mapping.file.blame(
            mapping.node, "un message : customer, press ou edit, et un seul des trois."
        )
    node = mapping.get("expect")
    if node is None:
        expected = Expected()
    else:
        expectations = mapping.file.mapping(node)
        expected = _expected(expectations)
        expectations.finish()
    mapping.finish()
    return CustomerTurn(text, expected, press, edits)


def _edits(mapping: YamlMapping) -> dict[str, str]:
    node = mapping.get("edit")
    if node is None:
        return {}
    fields = mapping.file.mapping(node)
    edits = {name: fields.text(name) for name in FORM_FIELDS if name in fields.values}
    fields.finish()
    return edits


def _form(mapping: YamlMapping) -> WantedForm | None:
    """Return the expected draft: fields as patterns and a step, or ``none``."""
    node = mapping.get("form")
    if node is None:
        return None
    if isinstance(node, yaml.ScalarNode) and node.value == "none":
        return WantedForm(is_there=False)
    form = mapping.file.mapping(node)
    step = form.choice("step", [step.value for step in Step])
    patterns = {
        name: mapping.file.phrase(value)
        for name in FORM_FIELDS
        if (value := form.get(name)) is not None
    }
    form.finish()
    return WantedForm(is_there=True, step=step, fields=patterns)


def _expected(mapping: YamlMapping) -> Expected:
    return Expected(
        tools=tuple(_wanted_calls(mapping)),
        no_tools=_known_tools(mapping),
        rows=_rows(mapping),
        priority=mapping.choice("priority", PRIORITIES),
        asked=mapping.flag("asked"),
        says=mapping.groups("says"),
        announces=mapping.groups("announces"),
        amounts_cents=tuple(_amounts(mapping)),
        dates=tuple(_dates(mapping)),
        never=mapping.phrases("never"),
        language=mapping.choice("language", LANGUAGES),
        interrupted=mapping.flag("interrupted") or False,
        error=mapping.text("error"),
        sources=mapping.texts("sources"),
        form=_form(mapping),
        min_chars=mapping.whole("min_chars"),
        max_chars=mapping.whole("max_chars"),
    )


def _tool_names() -> set[str]:
    return {tool.name for tool in TOOLS}


def _wanted_calls(mapping: YamlMapping) -> Iterable[WantedCall]:
    for node in mapping.nodes("tools"):
        if isinstance(node, yaml.ScalarNode):
            yield WantedCall(_known_tool(mapping.file, node, node.value))
            continue
        call = mapping.file.mapping(node)
        for name, arguments in call.values.items():
            given = mapping.file.mapping(arguments)
            values = {key: mapping.file.value(value) for key, value in given.values.items()}
            yield WantedCall(_known_tool(mapping.file, node, name), values)


def _known_tool(file: YamlFile, node: yaml.Node, name: str) -> str:
    if name not in _tool_names():
        file.blame(node, f"outil inconnu : {name}.")
    return name


def _known_tools(mapping: YamlMapping) -> tuple[str, ...]:
    node = mapping.get("no_tools")
    if isinstance(node, yaml.ScalarNode) and node.value == "all":
        return ("all",)
    return tuple(
        _known_tool(mapping.file, one, mapping.file.text(one)) for one in mapping.nodes("no_tools")
    )


def _rows(mapping: YamlMapping) -> dict[str, int]:
    node = mapping.get("rows")
    if node is None:
        return {}
    rows = mapping.file.mapping(node)
    counts = {name: rows.whole(name) for name in ROWS}
    rows.finish()
    return {name: count for name, count in counts.items() if count is not None}


def _amounts(mapping: YamlMapping) -> Iterable[int]:
    """Yield cents of amounts in euros, "1290" or "34.50"."""
    for node in mapping.nodes("amounts"):
        match = _AMOUNT.fullmatch(mapping.file.text(node))
        if match is None:
            mapping.file.blame(node, "amounts : des euros, comme 1290 ou 34.50.")
        else:
            yield int(match[1]) * 100 + int(match[2] or 0)


def _dates(mapping: YamlMapping) -> Iterable[date]:
    for node in mapping.nodes("dates"):
        try:
            yield date.fromisoformat(mapping.file.text(node))
        except ValueError:
            mapping.file.blame(node, "dates : des jours, comme 2027-03-12.")
