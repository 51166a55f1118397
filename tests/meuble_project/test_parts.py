"""The table of parts in ``docs/architecture.md`` compared with their declarations."""

from __future__ import annotations

import ast

import pytest

from tests.documents import read_page
from tests.meuble_project.seam import PARTS, ROOT, Sources

COLUMNS = ("part", "type", "declared in", "lifetime")


def declared(sources: Sources) -> list[tuple[str, ...]]:
    """Return the rows of all parts that stand in these files, by name and module."""
    return sorted(
        (row for module in sources for row in _parts_of(sources, module)),
        key=lambda row: (row[0], row[2]),
    )


def _parts_of(sources: Sources, module: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for node in sources[module].body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if not isinstance(value, ast.Call) or sources.name(module, value.func) not in PARTS:
            continue
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Subscript(slice=kind)):
                made = ast.unparse(kind).replace("|", "\\|")
                rows.append((f"`{name}`", f"`{made}`", f"`{module}`", _lifetime(value)))
            case _:
                raise AssertionError(f"{module}:{node.lineno}: a part without its type")
    return rows


def _lifetime(call: ast.Call) -> str:
    lives = "event loop" if ast.unparse(call.func).startswith("LoopPart") else "worker"
    is_closed = any(one.arg in ("close", "aclose") for one in call.keywords)
    return f"{lives}, then closed" if is_closed else lives


def test_table_names_each_part_with_its_type_place_and_lifetime():
    rows = declared(Sources.below("chat", "devtools"))
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    written = read_page(ROOT / "docs" / "architecture.md").rows(*COLUMNS)
    assert written == rows, f"the table of docs/architecture.md is to be:\n{lines}"


def test_part_without_its_type_is_refused():
    source = "from chat.core.runtime import Part\nSTORE = Part('store', dict)"
    with pytest.raises(AssertionError, match=r"^chat\.sample:2: "):
        declared(Sources({"chat.sample": ast.parse(source)}))
