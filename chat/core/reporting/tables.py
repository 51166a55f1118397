"""Tables as text, Markdown, CSV and HTML, shared by all reports. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

#: First characters of a cell that spreadsheets execute as a formula.
#: Source: OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield lines with aligned columns: the first column and bars (█) to the left, the others to
    the right. An empty ``head`` is omitted.
    """
    lines = [head, *rows] if head else list(rows)
    if not lines:
        return
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        first, *others = (
            cell.ljust(width) if n == 0 or "█" in cell else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join([first, *others]).rstrip()


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield lines, the last one empty; the first column is aligned left, the others right."""
    for cells in (head, ["---", *["---:"] * (len(head) - 1)], *rows):
        yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
    yield ""


def csv_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a CSV table in which formulas are escaped (see ``safe_cell``)."""
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator="\r\n").writerow
    write(head)
    for row in rows:
        write([safe_cell(value) for value in row])
    return buffer.getvalue()


def safe_cell(value: Any) -> Any:
    """Escape a cell that a spreadsheet would run as a formula, with a leading apostrophe."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


@dataclass(frozen=True, slots=True)
class HTMLTable:
    """Context of ``reporting/_table.html``: the first column holds row headers, the others numbers
    except those at ``text_columns``. Cells are escaped unless they are safe strings.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: Collection[int] = ()

    def aligned_head(self) -> list[tuple[str, bool]]:
        """Return each header cell with whether its column holds numbers."""
        return self._aligned(self.head)

    def aligned_rows(self) -> list[list[tuple[str, bool]]]:
        return [self._aligned(row) for row in self.rows]

    def _aligned(self, cells: Sequence[str]) -> list[tuple[str, bool]]:
        return [(cell, n > 0 and n not in self.text_columns) for n, cell in enumerate(cells)]
