"""Reader of JSON and CSV import files: bounded, with line numbers, values unconverted."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 20_000_000
MAX_ROWS = 20_000
#: Default nesting: an object of texts, numbers and lists of texts.
MAX_DEPTH = 3

_BLANK = re.compile(r"[ \t\r\n]*")


class Unreadable(Exception):
    """The file as a whole cannot be read; the text gives the reason in French."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """Unvalidated row. ``line``: first line, from 1. ``fields``: by column; texts in CSV."""

    line: int
    fields: dict[str, object]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Error of one row, in French; ``column`` is "" for the row as a whole."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        where = f"ligne {self.line}" + (f", colonne {self.column}" if self.column else "")
        return f"{where} : {self.message}"


def read_file(
    path: Path,
    *,
    max_depth: int = MAX_DEPTH,
    max_rows: int = MAX_ROWS,
    max_bytes: int = MAX_BYTES,
) -> tuple[list[RawRow], list[RowProblem]]:
    """Read the rows of a ``.json`` or ``.csv`` file; see ``read_rows``.

    Pipes and devices are refused, since reading them could block.

    Raises:
        Unreadable: as ``read_rows``, or the file does not exist.
    """
    kind = path.suffix.lower()
    if kind not in {".json", ".csv"}:
        raise Unreadable("Le nom du fichier doit finir par .json ou .csv.")
    if not path.is_file():
        raise Unreadable("Ce n'est pas un fichier.")
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise Unreadable(f"Fichier illisible : {error.strerror}.") from error
    return read_rows(
        content,
        is_csv=kind == ".csv",
        max_depth=max_depth,
        max_rows=max_rows,
        max_bytes=max_bytes,
    )


def read_rows(
    content: bytes,
    *,
    is_csv: bool,
    max_depth: int = MAX_DEPTH,
    max_rows: int = MAX_ROWS,
    max_bytes: int = MAX_BYTES,
) -> tuple[list[RawRow], list[RowProblem]]:
    """Return the rows of a JSON or CSV file, and the errors of malformed ones.

    ``max_depth``: maximum nesting of a row, counting the row itself and its values: 2 is flat.

    Raises:
        Unreadable: not UTF-8, too large, not in this format, or too many rows.
    """
    if len(content) > max_bytes:
        raise Unreadable(f"Le fichier dépasse {max_bytes // 1_000_000} Mo.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"ligne {line} : le fichier n'est pas en UTF-8.") from error
    if "\x00" in text:
        raise Unreadable("Le fichier contient des octets nuls : ce n'est pas un texte.")
    rows, problems = _csv_rows(text, max_rows) if is_csv else _json_rows(text, max_depth, max_rows)
    if not rows and not problems:
        raise Unreadable("Le fichier est vide.")
    return rows, problems


def _csv_rows(text: str, max_rows: int) -> tuple[list[RawRow], list[RowProblem]]:
    header = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[RawRow] = []
    problems: list[RowProblem] = []
    try:
        names = [name.strip() for name in next(reader, [])]
        _check_header(names)
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) > len(names) or (len(cells) < len(names) and any(cells)):
                message = f"{len(cells)} cellules au lieu de {len(names)}."
                problems.append(RowProblem(line, "", message))
            elif any(cell.strip() for cell in cells):
                rows.append(RawRow(line, dict(zip(names, cells, strict=True))))
            line = reader.line_num + 1
            _check_count(len(rows) + len(problems), max_rows)
    except csv.Error as error:
        raise Unreadable(f"ligne {reader.line_num} : CSV illisible ({error}).") from error
    return rows, problems


def _check_header(names: list[str]) -> None:
    if not any(names):
        raise Unreadable("Le fichier est vide : la première ligne nomme les colonnes.")
    twice = {name for name in names if name and names.count(name) > 1}
    if twice or "" in names:
        said = ", ".join(sorted(twice)) or "une colonne sans nom"
        raise Unreadable(f"ligne 1 : colonnes en double ou sans nom : {said}.")


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise Unreadable(f"Le fichier compte plus de {most} lignes.")


def _json_rows(text: str, max_depth: int, max_rows: int) -> tuple[list[RawRow], list[RowProblem]]:
    rows: list[RawRow] = []
    problems: list[RowProblem] = []
    for line, value in _json_items(text):
        if isinstance(value, dict) and _depth(value, max_depth) <= max_depth:
            rows.append(RawRow(line, value))
        else:
            problems.append(RowProblem(line, "", "Un objet simple est attendu."))
        _check_count(len(rows) + len(problems), max_rows)
    return rows, problems


def _json_items(text: str) -> Iterator[tuple[int, object]]:
    """Yield each element of the list with its first line."""
    decoder = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_object)
    at, line = _after_blanks(text, 0), 1
    if text[at : at + 1] != "[":
        raise Unreadable("Une liste JSON est attendue : [ {…}, {…} ].")
    counted = 0
    at = _after_blanks(text, at + 1)
    while text[at : at + 1] != "]":
        line += text.count("\n", counted, at)
        counted = at
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise Unreadable(_json_fault(error, line)) from error
        yield line, value
        at = _after_blanks(text, at)
        if text[at : at + 1] == ",":
            at = _after_blanks(text, at + 1)
            if text[at : at + 1] == "]":
                line += text.count("\n", counted, at)
                raise Unreadable(f"ligne {line} : JSON illisible, une virgule de trop.")
        elif text[at : at + 1] != "]":
            line += text.count("\n", counted, at)
            raise Unreadable(f"ligne {line} : JSON illisible, une virgule ou ] est attendue.")
    if text[at + 1 :].strip():
        raise Unreadable("Il reste du texte après la liste JSON.")


def _after_blanks(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _json_fault(error: Exception, line: int) -> str:
    if isinstance(error, RecursionError):
        return f"ligne {line} : JSON imbriqué à l'excès."
    if isinstance(error, json.JSONDecodeError):
        return f"ligne {error.lineno}, colonne {error.colno} : JSON illisible."
    return f"ligne {line} : {str(error)[:100]}."


def _refuse(name: str) -> object:
    raise ValueError(f"{name} n'est pas un nombre")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("un champ est donné deux fois dans le même objet")
    return found


def _depth(value: object, most: int) -> int:
    """Return the nesting of a value. The JSON parser's own limit bounds the recursion."""
    level, values = 0, [value]
    while values and level <= most:
        level += 1
        lists = [item for item in values if isinstance(item, list)]
        objects = [item for item in values if isinstance(item, dict)]
        values = [child for item in lists for child in item]
        values += [child for item in objects for child in item.values()]
    return level
