from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from devtools.evaluation.differences import keep_run, read_last
from devtools.management.commands.evaluate import LOCAL_MODEL, Command, chosen
from meuble_project.env import ROOT
from tests.devtools.evaluation.builders import played, write
from tests.management.conftest import PATIENCE_S, command_line, manage

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


def test_run_that_holds_ends_with_0_and_is_kept(evaluate, tmp_path):
    page = tmp_path / "report.html"
    done = evaluate("--html", str(page))

    assert (done.returncode, done.stderr) == (0, "")
    assert "Première exécution" in done.stdout
    assert "<h1>Évaluation de l'assistant</h1>" in page.read_text("utf-8")
    last = read_last(tmp_path / "keep" / "last.json", LOCAL_MODEL)
    assert last is not None
    assert {name: one["passed"] for name, one in last.results.items()} == {
        "hello": True,
        "sofa": True,
    }


def test_run_that_does_not_hold_ends_with_1_and_is_compared_with_the_last(evaluate, tmp_path):
    keep_run(tmp_path / "keep" / "last.json", LOCAL_MODEL, [played("hello")], "hier")
    write(tmp_path / "conversations", FINE.replace("language: fr", "language: de"))
    done = evaluate("--json")

    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["passed"], told["failed"]) == (1, 1)
    assert told["changed"]["newly_failing"] == ["hello"]
    assert told["conversations"][1]["turns"][0]["tools"][0]["name"] == "search_products"


def test_nothing_is_played_on_the_data_of_the_shop(tmp_path):
    with pytest.raises(CommandError, match="d'autres données") as refused:
        call_command("evaluate", conversations=write(tmp_path, FINE), sandbox=tmp_path)

    assert refused.value.returncode == 2


@pytest.fixture
def playing(tmp_path) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """The command while a conversation is played, and the connection to the model, on which
    nothing is answered. It ends with the process that plays.
    """
    folder = tmp_path / "conversations"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as model:
        model.settimeout(PATIENCE_S)
        arguments = (f"--conversations={write(folder, FINE)}", "--only=hello")
        command = command_line(
            *("evaluate", f"--keep={tmp_path / 'keep'}", *arguments),
            OPENAI_BASE_URL=f"http://127.0.0.1:{model.getsockname()[1]}/v1",
            CHAT_TIMEOUT_S="600",
            TMPDIR=str(tmp_path),
        )
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        try:
            connection, _ = model.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                yield process, connection
        finally:
            process.kill()
            process.communicate()


def has_ended(connection: socket.socket) -> bool:
    """Wait for the end of the process that plays."""
    while connection.recv(65536):
        pass
    return True


def test_who_plays_ends_with_the_command_however_that_ends(playing):
    process, connection = playing
    process.kill()

    assert has_ended(connection)


def test_ctrl_c_is_said_once(playing):
    process, connection = playing
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=PATIENCE_S)

    assert has_ended(connection)
    assert (process.returncode, out) == (130, "")
    assert errors.strip().splitlines() == [Command.interrupted]


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
