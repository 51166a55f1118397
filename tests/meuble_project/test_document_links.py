"""Links between the pages lead to files and headings; the paths in the README exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from meuble_project.env import ROOT
from tests.documents import read_page

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub derives them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_a_file_and_a_heading(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if link.startswith(("http:", "https:")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_paths_in_the_readme_exist():
    quoted = read_page(ROOT / "README.md").quoted
    paths = {word for word in quoted if re.fullmatch(r"[\w.-]+(?:/[\w.-]*)+", word)}

    assert len(paths) > 20
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []
