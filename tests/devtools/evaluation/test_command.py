from __future__ import annotations

import json
import subprocess

import pytest
from django.core.management import CommandError, call_command

from chat.management.commands.evaluate import chosen
from tests.evaluation.builders import write
from tests.management.conftest import manage

FINE = """
- name: hello
  category: courtesy
  turns:
    - customer: Bonjour
      expect: {language: fr}
- name: sofa
  category: advice
  turns:
    - customer: Je cherche un canapé bleu
      expect: {tools: [search_products]}
"""


@pytest.fixture
def evaluate(tmp_path):
    """Run the command on conversations of its own; what it keeps is apart, too."""
    folder = tmp_path / "conversations"
    folder.mkdir()
    write(folder, FINE)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        paths = ("--conversations", str(folder), "--keep", str(tmp_path / "keep"))
        # A database that is not there: it has one of its own.
        return manage("evaluate", *paths, *arguments, DATABASE_URL="sqlite:////nowhere/db.sqlite3")

    return run


def test_run_that_holds_ends_with_0_and_is_compared_with_the_next(evaluate, tmp_path):
    page = tmp_path / "report.html"
    first = evaluate("--html", str(page))
    assert (first.returncode, first.stderr) == (0, "")
    assert "Première exécution" in first.stdout
    assert "<h1>Évaluation de l'assistant</h1>" in page.read_text("utf-8")

    write(tmp_path / "conversations", FINE.replace("language: fr", "language: de"))
    second = evaluate("--json")

    assert second.returncode == 1
    told = json.loads(second.stdout)
    assert (told["passed"], told["failed"]) == (1, 1)
    assert told["changed"]["newly_failing"] == ["hello"]
    assert told["conversations"][1]["turns"][0]["tools"][0]["name"] == "search_products"


@pytest.mark.parametrize(
    "only, categories, names",
    [
        (None, None, ["hello", "sofa"]),
        ("^sof", None, ["sofa"]),
        (None, ["courtesy"], ["hello"]),
        ("o", ["advice", "law"], ["sofa"]),
    ],
)
def test_only_what_was_chosen_is_played(tmp_path, only, categories, names):
    write(tmp_path, FINE)

    assert [one.name for one in chosen(tmp_path, only, categories)] == names


@pytest.mark.parametrize(
    "options, said",
    [
        ({"only": "("}, "expression régulière invalide"),
        ({"only": "nothing-like-this"}, "Aucune conversation"),
        ({"category": ["law"]}, "Aucune conversation"),
        ({"together": 0}, "--together"),
        ({"together": 33}, "--together"),
        ({"timeout_s": 0}, "--timeout-s"),
    ],
)
def test_wrong_usage_ends_with_2(tmp_path, options, said):
    with pytest.raises(CommandError, match=said) as refused:
        call_command("evaluate", conversations=write(tmp_path, FINE), **options)

    assert refused.value.returncode == 2


def test_mistakes_end_with_2_and_their_lines(evaluate, tmp_path):
    write(tmp_path / "conversations", FINE.replace("language", "langue"))

    done = evaluate()

    assert done.returncode == 2
    assert "some.yaml:6 : champ inconnu : langue" in done.stderr
    assert "Traceback" not in done.stderr
