"""All that runs while something is measured: Redis, the model, our worker, the floor, "before"."""

from __future__ import annotations

import importlib.util
import json
import tempfile
import urllib.request
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core import signing

from chat.bench.children import CannotRun, Child
from chat.bench.driving import Drivers
from chat.bench.own_redis import OwnRedis
from chat.bench.plan import TOKENS
from chat.sessions import cookie
from chat.simulator.words import tokens
from meuble_project.env import Env

SECRET_KEY = "0123456789-of-a-key-that-signs-only-what-the-bench-measures"  # noqa: S105 # nosec B105
#: As ``chat.sessions.cookie`` signs; another one, and every socket is refused.
COOKIE_SALT = "chat.sessions.cookie"
DEVELOPMENT = ("starlette", "uvicorn", "httptools", "uvloop")
#: One letter more and the simulator would cut a word in two tokens.
WORDS = ("Pour", "un", "petit", "salon", "mieux", "vaut", "choisir", "des", "meubles", "simples")


def missing() -> list[str]:
    """Return the development dependencies that are not installed."""
    return [name for name in DEVELOPMENT if importlib.util.find_spec(name) is None]


def answer_text(count: int = TOKENS) -> str:
    """Return an answer of so many tokens, in sentences as an assistant writes them."""
    words = [WORDS[n % len(WORDS)] for n in range(count)]
    for n in range(len(WORDS) - 1, count, len(WORDS)):
        words[n] = "."
    text = " ".join(words).replace(" .", ".")
    assert len(tokens(text)) == count, "the simulator counts otherwise"  # nosec B101
    return text


class Site:
    """Everything runs while inside ``with``.

    ``worker``: `manage.py serve` as in production (``DEBUG=0``, a key for the API), without the
    limits that protect it from one address. ``profiled``: it says where its time went.
    """

    def __init__(self, *, drivers: int = 1, profiled: bool = False) -> None:
        self._drivers = drivers
        self._profiled = profiled
        self._stack = ExitStack()
        self.key = ""
        self.pids: dict[str, int] = {}

    def __enter__(self) -> Site:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        self.redis = self._stack.enter_context(OwnRedis(self.folder / "redis"))
        preparing = self._child("preparing", ["-m", "chat.bench.preparing"], self.redis.url, "")
        model = self._child("model", _managed("local_assistant"), self.redis.url, "")
        self.model_url = f"{model.url()}/v1"
        relay = self._child("relay", ["-m", "chat.bench.relay", self.model_url])
        naive = self._child("naive", ["-m", "chat.bench.naive", self.model_url, self.redis.url])
        driving = [
            self._child(f"driver-{n}", ["-m", "chat.bench.driver"]) for n in range(self._drivers)
        ]
        self.key = preparing.line()
        self.worker = self.start_worker(self.redis.url)
        self.relay_url, self.naive_url = relay.url(), naive.url()
        self.drivers = Drivers(driving)
        self.pids = {
            "ours": self.worker.pid,
            "relay": relay.pid,
            "naive": naive.pid,
            "model": model.pid,
            "redis": self.redis.pid,
        }
        self.url = self.worker.url()

    def start_worker(self, redis_url: str) -> Child:
        """Start one more; its ``url`` says when it is ready."""
        command = _managed("serve")
        if self._profiled:
            command = ["-m", "chat.bench.profiled", str(self.profile), *command[2:]]
        return self._child("worker", command, redis_url, self.model_url)

    @property
    def profile(self) -> Path:
        return self.folder / "profile.json"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def pace(self, first_ms: int, tokens_per_s: float) -> dict[str, Any]:
        """Have the model answer everything at this pace (0 tokens a second: at once).

        Return the script for drivers.
        """
        text = answer_text()
        say = {"kind": "say", "text": text, "times": None}
        paced = {**say, "first_token_ms": first_ms, "tokens_per_s": tokens_per_s}
        self._tell_model("DELETE", None)
        self._tell_model("POST", paced)
        interval_s = 1 / tokens_per_s if tokens_per_s else 0
        return {"tokens": tokens(text), "first_s": first_ms / 1000, "interval_s": interval_s}

    def cookies(self, count: int) -> list[str]:
        """Return what so many visitors' browsers would send, without asking for a page each."""
        signer = signing.Signer(key=SECRET_KEY, salt=COOKIE_SALT)
        return [f"{cookie.NAME}={signer.sign(cookie.new_session_id())}" for _ in range(count)]

    def _child(
        self, name: str, arguments: list[str], redis_url: str = "", model_url: str = ""
    ) -> Child:
        log = self.folder / f"{name}.log"
        environ = _environ(self.folder, redis_url or "memory://", model_url)
        child = Child(name, arguments, log=log, environ=environ)
        self._stack.callback(child.end)
        return child

    def _tell_model(self, method: str, fault: dict[str, Any] | None) -> None:
        request = urllib.request.Request(  # noqa: S310 - our own, on loopback
            self.model_url.replace("/v1", "/faults"),
            method=method,
            data=None if fault is None else json.dumps(fault).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 # nosec B310
        except OSError as error:
            raise CannotRun(f"the local assistant did not take its script: {error}") from error


def _managed(command: str) -> list[str]:
    """``manage.py COMMAND`` on any port, which ends with this process."""
    return ["-m", "chat.management.lifeline", command, "--port", "0"]


def _environ(folder: Path, redis_url: str, model_url: str) -> dict[str, str]:
    """Present but empty means the default, and wins over ``.env``."""
    return {field.name.upper(): "" for field in fields(Env)} | {
        "DEBUG": "0",
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "127.0.0.1",
        "COOKIE_SECURE": "0",
        "REDIS_URL": redis_url,
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "MEDIA_DIR": str(folder / "media"),
        "OPENAI_API_KEY": "bench",
        "OPENAI_BASE_URL": model_url,
        "CHAT_RATE_PER_MINUTE": "0",
        "CHAT_RATE_PER_ADDRESS_PER_MINUTE": "0",
        "API_RATE_PER_MINUTE": "0",
        "SOCKETS_PER_ADDRESS": "1000000",
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "meuble_project.settings",
        "PYTHONUTF8": "1",
    }
