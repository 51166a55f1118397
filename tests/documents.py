"""A strict reader of the pages in ``docs/``: their tables, code blocks and quoted words.

Tests compare these with the code. A row or a block of a damaged shape is refused with its line:
a regular expression over the text would leave it out, and with it what it says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r" *```")
_OPENING = re.compile(r" *```\w*")
_SEPARATOR = re.compile(r"\|(?: ?:?-+:? ?\|)+")
_ITEM = re.compile(r" *(?:-|\d+\.) ")


class DamagedPage(AssertionError):
    """A page that is no proper Markdown; the message has file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Table:
    """``section``: the heading above it, "" for none. ``rows``: as many cells as ``columns``."""

    section: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Code between two fences. ``language``: as the first one names it, or ""."""

    section: str
    language: str
    lines: tuple[str, ...]


@dataclass(slots=True)
class Page:
    """``quoted``: what stands between backticks in text and tables, in order."""

    name: str
    tables: list[Table] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)

    def rows(self, *columns: str) -> list[tuple[str, ...]]:
        """Return the rows of every table with these columns, of which there must be one."""
        found = [table for table in self.tables if table.columns == columns]
        known = sorted({table.columns for table in self.tables})
        assert found, f"{self.name} has no table {columns}, but {known}"
        return [row for table in found for row in table.rows]


def read_page(path: Path) -> Page:
    """Read a page.

    Raises:
        DamagedPage: a row without pipes at both ends, of another number of cells than its header,
            or apart from it; a table without separator; a fence or a backtick without its partner.
    """
    return parse_page(path.name, path.read_text(encoding="utf-8"))


def parse_page(name: str, text: str) -> Page:
    """As ``read_page``, of this text."""
    page, section = Page(name), ""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        end = _end_of_paragraph(name, lines, at)
        paragraph = lines[at:end]
        if _FENCE.match(paragraph[0]):
            language = paragraph[0].strip().removeprefix("```")
            page.blocks.append(Block(section, language, tuple(paragraph[1:-1])))
        elif any("|" in re.sub(r"`[^`]*`", "", line) for line in paragraph):
            page.tables.append(_table(name, at, section, paragraph))
            page.quoted += _quoted(name, at, paragraph)
        elif paragraph[0].startswith("#"):
            section = paragraph[0].lstrip("#").strip()
            page.quoted += _quoted(name, at, paragraph)
        else:
            page.quoted += _quoted(name, at, paragraph)
        at = end
    return page


def _end_of_paragraph(name: str, lines: list[str], at: int) -> int:
    """Return where the code block, the heading or the run of lines ends that begins at ``at``."""
    if _FENCE.match(lines[at]):
        if not _OPENING.fullmatch(lines[at]):
            raise DamagedPage(f"{name}:{at + 1}: no fence that opens a block: {lines[at]}")
        for end in range(at + 1, len(lines)):
            if _FENCE.match(lines[end]):
                if lines[end].strip() != "```":
                    raise DamagedPage(f"{name}:{end + 1}: opens a block inside of another")
                return end + 1
        raise DamagedPage(f"{name}:{at + 1}: this code block has no end")
    end = at + 1
    if not lines[at] or lines[at].startswith("#"):
        return end
    while end < len(lines) and lines[end] and not _FENCE.match(lines[end]):
        if _ITEM.match(lines[end]):
            break
        end += 1
    return end


def _table(name: str, at: int, section: str, lines: list[str]) -> Table:
    for number, line in enumerate(lines, at + 1):
        if not (line.startswith("|") and line.endswith("|")):
            raise DamagedPage(f"{name}:{number}: a row of a table begins and ends with |: {line}")
    if len(lines) < 3 or not _SEPARATOR.fullmatch(lines[1]):
        raise DamagedPage(f"{name}:{at + 1}: a table has a header, |---| below it, and rows")
    header, *rows = (_cells(line) for line in (lines[0], *lines[2:]))
    for number, row in enumerate(rows, at + 3):
        if len(row) != len(header):
            raise DamagedPage(f"{name}:{number}: {len(row)} cells, the header has {len(header)}")
    if len(_cells(lines[1])) != len(header):
        raise DamagedPage(f"{name}:{at + 2}: not as many columns as the header has")
    return Table(section, header, tuple(rows))


def _cells(line: str) -> tuple[str, ...]:
    """Split at the pipes; those written as ``\\|`` belong to a cell."""
    return tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])


def _quoted(name: str, at: int, lines: list[str]) -> list[str]:
    parts = lines if lines[0].startswith("|") else ["\n".join(lines)]
    quoted: list[str] = []
    for number, part in enumerate(parts, at + 1):
        if part.count("`") % 2:
            raise DamagedPage(f"{name}:{number}: a backtick without its partner: {part}")
        quoted += re.findall(r"`([^`]*)`", part)
    return quoted
