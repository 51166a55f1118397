"""``make dev`` as a developer uses it: in a checkout of its own, whose files change."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from meuble_project.env import ROOT, Env

LISTENS = "Écoute sur"
PATIENCE_S = 60
#: What nothing that ``serve`` runs imports or reads.
NOT_SERVED = {"tests", "docs", "deploy", "staticfiles", "media"}

#: Workers that start and are ended: see ``RUN_AGAIN`` of tests/conftest.py.
pytestmark = pytest.mark.flaky(reruns=1)


@dataclass
class Developer:
    """Edits files of a checkout in which ``make dev`` runs."""

    checkout: Path
    url: str
    process: subprocess.Popen[str]

    def wait_for(self, text: str) -> None:
        """Read what the terminal shows, up to a line with this text."""
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if text in line:
                return
        pytest.fail(f"make dev ended without {text!r}: {''.join(seen)}")

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.checkout / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def get(self, path: str) -> tuple[str, str]:
        """Return the text at this address and how long it may be kept."""
        with urllib.request.urlopen(f"{self.url}{path}") as answer:  # noqa: S310 - of our own
            return answer.read().decode(), answer.headers.get("Cache-Control", "")

    def running(self) -> list[str]:
        """Return the commands of the processes that work in the checkout."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink() == self.checkout:
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:  # it has ended, or is another user's
                continue
        return [command for command in found if command]


def _obey_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def developer(tmp_path: Path) -> Iterator[Developer]:
    checkout = tmp_path / "checkout"
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("chat", "server", "meuble_project", "devtools", "templates"):
        shutil.copytree(ROOT / name, checkout / name, ignore=ignore)
    for name in ("Makefile", "manage.py"):
        shutil.copy2(ROOT / name, checkout / name)
    (checkout / ".venv").symlink_to((ROOT / ".venv").resolve())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = [f"{field.name.upper()}=" for field in fields(Env)]
    variables.append("DJANGO_SETTINGS_MODULE=meuble_project.settings")
    variables.append(
        "OPENAI_BASE_URL=http://127.0.0.1:9/v1"
    )  # the local assistant starts in seconds
    process = subprocess.Popen(
        # What is installed here is taken as it is.
        ["env", *variables, "make", "--old-file=.venv/.dev", "dev", f"PORT={port}"],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # As at a terminal, where Ctrl-C counts; a parent in the background may ignore it.
        preexec_fn=_obey_interrupts,
    )
    yield Developer(checkout.resolve(), f"http://127.0.0.1:{port}", process)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.timeout(180)
def test_changes_are_served_and_one_key_stops_everything(developer: Developer):
    developer.wait_for(LISTENS)
    assert len(developer.running()) >= 3, "make, the watcher, the server"

    developer.edit("templates/chat/rules.html", "Garanties et droits", "Droits et garanties")
    developer.wait_for(LISTENS)
    assert "Droits et garanties" in developer.get("/garanties/")[0]

    developer.edit("chat/web/pages/rules.py", "max-age=300", "max-age=299")
    developer.wait_for(LISTENS)
    assert "max-age=299" in developer.get("/garanties/")[1]

    style = developer.checkout / "chat/static/chat/css/rules.css"
    style.write_text("/* changed */")
    text, kept = developer.get("/static/chat/css/rules.css")
    assert text == "/* changed */"
    assert "max-age=0" in kept

    os.killpg(developer.process.pid, signal.SIGINT)  # as a terminal does for Ctrl-C
    developer.process.wait(PATIENCE_S)
    assert developer.running() == []


def test_every_folder_that_is_served_is_watched():
    """A new package would be served, and its changes would not."""
    [watched] = re.findall(r"^WATCHED := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    packages = {path.parent.name for path in ROOT.glob("[a-z]*/*.py")}

    assert set(watched.split()) == (packages - NOT_SERVED) | {"templates", "manage.py"}
