"""The shop as it runs: ``manage.py serve`` with its local assistant, as processes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO

from meuble_project.env import ROOT, Env

#: On a busy machine Django takes half a minute to load; a test is ended after 60 s.
START_S = 50
END_S = 30


@dataclass
class Shop:
    """One worker on loopback, sessions in its memory, database and log in ``folder``.

    ``migrated``: a database with all tables; the shop gets a copy.
    ``stop`` then ``start`` brings it back at the same address, with no memory of anybody.
    """

    folder: Path
    migrated: Path
    url: str = ""
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def database(self) -> Path:
        return self.folder / "db.sqlite3"

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Return once it listens."""
        port = self.url.rpartition(":")[2] or "0"
        if not self.database.exists():
            shutil.copyfile(self.migrated, self.database)
        self._process = self._manage("serve", "--host", "127.0.0.1", "--port", port)
        assert self._process.stdout is not None
        found = re.search(r"https?://\S+", self._process.stdout.readline())
        assert found, (self.folder / "serve.log").read_text()
        self.url = found.group()

    def manage(self, *arguments: str) -> None:
        """Run a command of the shop's to its end."""
        process = self._manage(*arguments)
        process.communicate(timeout=START_S)
        assert process.returncode == 0, (self.folder / "serve.log").read_text()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it; nothing happens when it is not running."""
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.communicate(timeout=END_S)
        self._process = None

    def _manage(self, *arguments: str) -> subprocess.Popen[str]:
        with self._log() as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def _log(self) -> IO[str]:
        return (self.folder / "serve.log").open("a")

    def _environment(self) -> dict[str, str]:
        """Deaf to the developer's: present but empty means the default, and wins over .env."""
        return {
            **{item.name.upper(): "" for item in fields(Env)},
            "PATH": os.defpath,
            "DEBUG": "1",
            "REDIS_URL": "memory://",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "MEDIA_DIR": f"{self.folder}/media",
            "CHAT_RATE_PER_MINUTE": "0",
            "PHOTO_RATE_PER_MINUTE": "0",
            "SOCKETS_PER_ADDRESS": "1000",
            "CIRCUIT_FAILURES": "1000",
            "SHUTDOWN_GRACE_S": "1",
            "SHOP_PHONE": "01 02 03 04 05",
            "SHOP_EMAIL": "bonjour@example.test",
        }
