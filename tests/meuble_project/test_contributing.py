"""The steps of ``docs/contributing.md`` lead to files, names and commands that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from meuble_project.env import ROOT
from tests.documents import read_page

PAGES = {name: read_page(ROOT / name) for name in ("CONTRIBUTING.md", "docs/contributing.md")}
TEXTS = {name: (ROOT / name).read_text() for name in PAGES}
QUOTED = sorted({words for page in PAGES.values() for words in page.quoted})
PATH = re.compile(r"(?:[\w.*-]*(?:/[\w.*-]+)+/?|[\w-]+/)(?:::\w+)?")
COMMAND = re.compile(
    r"(?:make|node --test|pre-commit|grep -rn \w+|(?:[A-Z_]+=\S+ )*\.venv/bin/python)( .+)?"
    r"|TEST_REDIS_URL=\S+ make test"
)
#: Quoted with a slash or "::", and no path: a prefix, and the form of what follows.
OTHERS = {"file::name", "memory://"}
ADDRESSES = {"/api/docs"}
#: What a reader is told to write stands in capitals.
NAMED = [words for words in QUOTED if PATH.fullmatch(words) and "NAME" not in words]
FILES = [name for name in NAMED if name not in ADDRESSES]
TARGETS = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


def commands(page: str) -> Iterator[str]:
    """Yield those of the code blocks and those quoted, without the comments behind them."""
    for block in PAGES[page].blocks:
        yield from (re.sub(r" +# .*", "", line) for line in block.lines)
    yield from (words for words in PAGES[page].quoted if COMMAND.fullmatch(words))


def test_each_change_has_its_steps():
    recipes = TEXTS["docs/contributing.md"]

    assert re.findall(r"^## (.+)$", recipes, re.MULTILINE) == [
        *("A prompt", "A tool", "An error", "A setting", "A session field"),
        *("A column of the desk", "An e-mail", "A page", "A language"),
    ]
    for recipe in recipes.split("\n## ")[1:]:
        assert "tests/" in recipe, recipe.partition("\n")[0]


def test_steps_name_files_and_what_is_in_them():
    assert len(FILES) > 60
    assert len([name for name in FILES if "::" in name]) > 30


def test_whatever_is_quoted_with_a_slash_is_a_path_or_a_command():
    """What is neither would be checked by none of the tests below."""
    with_slash = [words for words in QUOTED if "/" in words or "::" in words]
    known = [
        words
        for words in with_slash
        if PATH.fullmatch(words) or COMMAND.fullmatch(words) or words.startswith("{% ")
    ]

    assert sorted(set(with_slash) - set(known)) == sorted(OTHERS)


@pytest.mark.parametrize("named", FILES)
def test_named_file_exists_and_has_the_name(named):
    path, _, name = named.partition("::")

    assert (ROOT / path).exists()
    if name:
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text()), f"{path} has no {name}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)\)", TEXTS[page])
    mentioned = re.sub(r"`[^`]*`|\[[^]]*\]\([^)\s]*\)", "", TEXTS[page])

    assert links
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []
    assert re.findall(r"\S+\.md\b", mentioned) == [], "a page that is neither linked nor quoted"


@pytest.mark.parametrize("page", PAGES)
def test_commands_name_targets_and_tests_that_exist(page):
    found = list(commands(page))
    made = [command.split()[1:] for command in found if command.startswith("make ")]
    made = [[word for word in words if "=" not in word] for words in made]
    paths = [
        word for command in found for word in re.split("[ =]", command) if word.startswith("tests/")
    ]

    assert made
    assert {target for words in made for target in words} <= TARGETS
    assert [command for command in found if not COMMAND.fullmatch(command)] == []
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_table_of_targets_has_them_all():
    rows = PAGES["CONTRIBUTING.md"].rows("target", "effect")

    assert sorted(target for target, _ in rows) == sorted(
        f"`make {target}`" for target in TARGETS - {"help", "install"}
    )
