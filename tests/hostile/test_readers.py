"""No text of 4,000 characters costs much more to read than an ordinary one.

Reading is done on the event loop: whoever finds a text that takes 250 ms stops everybody. What is
compared is the CPU time of this thread, as ratios. A busy machine makes a measurement longer, never
shorter, so the least of several is compared, and only what stays bad is reported.
"""

from __future__ import annotations

import ast
import gc
import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.readers import HARMLESS, NO_READERS, READERS, Read, hostile_texts, repeated

CHARS = 4_000
#: How much dearer than ordinary text hostile text may be: "½" becomes three signs when folded.
#: A quadratic reader is 50 times as dear.
AT_MOST_TIMES = 25
#: What four times the length may cost: 4 when linear, 16 when quadratic.
AT_MOST_FOUR = 9
#: Below this, in seconds, a ratio says nothing. What costs less than this and than ordinary text
#: at a quarter of the length is not looked at more closely.
NOTHING_S = 0.001
#: How often, and for how long, a text that looks bad is measured again.
ROUNDS = 20
ENOUGH_S = 1.0
#: So many examples are enough.
ENOUGH = 3
ROOT = Path(__file__).parents[2]
EXPRESSIONS = {"compile", "sub", "subn", "match", "search", "findall", "finditer", "split"}
READ = [(f"{module}: {name}", read) for module, of in READERS.items() for name, read in of.items()]
WHOLE, QUARTER = hostile_texts(CHARS), hostile_texts(CHARS // 4)


def cost_s(read: Read, text: str) -> float:
    began_s = time.thread_time()
    read(text)
    return time.thread_time() - began_s


@pytest.fixture(autouse=True, scope="module")
def _no_collection() -> Iterator[None]:
    """No pause of the collector inside a measurement. Once for all: a full collection takes 0.1 s,
    and what the readers leave behind is freed by counting.
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("read", [read for _, read in READ], ids=[name for name, _ in READ])
def test_hostile_text_costs_about_as_much_as_ordinary_text(read: Read):
    ordinary, ordinary_s = dearest_ordinary_text(read)
    limit_s = max(NOTHING_S, ordinary_s) / 4
    looks_dear = (name for name, text in QUARTER.items() if cost_s(read, text) > limit_s)
    verdicts = (too_dear(read, name, ordinary) for name in looks_dear)
    slow = list(itertools.islice(filter(None, verdicts), ENOUGH))

    assert not slow, "\n".join(slow)


def dearest_ordinary_text(read: Read) -> tuple[str, float]:
    """Return the ordinary text that costs most, and its cost."""
    texts = [repeated(text, CHARS) for text in HARMLESS]
    costs_s = {text: min(cost_s(read, text) for _ in range(3)) for text in texts}
    return max(costs_s.items(), key=lambda item: item[1])


def too_dear(read: Read, name: str, ordinary: str) -> str:
    """Say how dear a text is; "" as soon as the least costs seen are good.

    The three texts are measured in turn, so that a busy moment meets all of them.
    """
    whole_s = quarter_s = ordinary_s = float("inf")
    began_s = time.thread_time()
    for _ in range(ROUNDS):
        whole_s = min(whole_s, cost_s(read, WHOLE[name]))
        quarter_s = min(quarter_s, cost_s(read, QUARTER[name]))
        ordinary_s = min(ordinary_s, cost_s(read, ordinary))
        times, four = whole_s / max(ordinary_s, NOTHING_S), whole_s / quarter_s
        if times <= AT_MOST_TIMES and four <= AT_MOST_FOUR:
            return ""
        if time.thread_time() - began_s > ENOUGH_S:
            break
    return (
        f"{name}: {whole_s * 1000:.1f} ms, {times:.1f} × ordinary ({ordinary_s * 1000:.2f} ms),"
        f" {four:.1f} × its quarter"
    )


def test_every_module_with_expressions_is_in_the_table():
    found = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "chat").rglob("*.py")
        if "migrations" not in path.relative_to(ROOT).parts and reads_with_expressions(path)
    }

    unknown = found - READERS.keys() - NO_READERS.keys()
    assert not unknown, f"put what reads in these into tests/hostile/readers.py: {unknown}"
    assert found >= NO_READERS.keys(), f"read nothing any more: {NO_READERS.keys() - found}"


def reads_with_expressions(path: Path) -> bool:
    """Whether a module uses ``re``, or Unicode's normal forms, which can be quadratic as well."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "re" and node.attr in EXPRESSIONS:
                return True
            if node.value.id == "unicodedata" and node.attr == "normalize":
                return True
    return False


def test_a_quadratic_reader_would_be_found():
    slow = re.compile(r"[\w-]+\.com\b")

    with pytest.raises(AssertionError, match="its quarter"):
        test_hostile_text_costs_about_as_much_as_ordinary_text(lambda text: slow.search(text))


def test_a_dear_reader_would_be_found():
    def read(text: str) -> None:
        for _ in range(200 if text.startswith("½") else 1):
            re.findall(r"\w", text)

    with pytest.raises(AssertionError, match="× ordinary"):
        test_hostile_text_costs_about_as_much_as_ordinary_text(read)


def test_a_linear_reader_passes_on_a_busy_machine():
    disturbed = itertools.cycle((100, 100, 1, 1, 1))

    def read(text: str) -> None:
        for _ in range(next(disturbed)):
            re.findall(r"\w", text)

    test_hostile_text_costs_about_as_much_as_ordinary_text(read)
