"""Processes of the bench: Redis, the model, our worker, the floor and "before"."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis
from django.core import signing
from dotenv import dotenv_values

from chat.conversations import cookie
from chat.management.exit_with_parent import Child, ChildFailed
from devtools.bench.drivers import Drivers
from devtools.bench.plan import ANSWER, Plan
from devtools.local_assistant.words import tokens
from devtools.redis_server import RedisServer
from meuble_project.env import Env

#: Salt of the session cookie. Must equal the product's, or every socket is refused.
COOKIE_SALT = "chat.sessions.cookie"
MISSING_REDIS = (
    "redis-server is not installed: the bench runs one of its own (apt install redis-server)."
)
#: Unmeasured turns of each side.
WARMING = 40


class Site:
    """Processes that run until the stack is closed. ``tell``: called with the current measurement.

    ``worker``: `manage.py serve` with the settings of ``worker.env``; ``profiled``: whether it
    writes a profile at its end.

    Raises:
        ChildFailed: a process is missing or did not start.
    """

    def __init__(
        self,
        stack: ExitStack,
        plan: Plan,
        tell: Callable[[str], None],
        *,
        drivers: int = 1,
        profiled: bool = False,
    ) -> None:
        self.plan, self.tell = plan, tell
        self._stack, self._is_profiled = stack, profiled
        self.folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        self.profile = self.folder / "profile.json"
        # An empty variable means the default, and takes precedence over ``.env``.
        self._environ = {field.name.upper(): "" for field in fields(Env)}
        settings = dotenv_values(Path(__file__).with_name("worker.env"))
        self._environ |= {name: value or "" for name, value in settings.items()}
        self._environ["DATABASE_URL"] = f"sqlite:///{self.folder}/db.sqlite3"
        self._environ["MEDIA_DIR"] = str(self.folder / "media")
        self.redis = self.start_redis("redis")
        preparing = self._start("preparing", "devtools.bench.worker", "prepare")
        model = self._start("model", *_managed("local_assistant"))
        self._environ["OPENAI_BASE_URL"] = model_url = model.url()
        floor, before = (
            self._start(name, "devtools.bench.floor", model_url, self.redis.url)
            for name in ("floor", "before")
        )
        driving = [self._start(f"driver-{n}", "devtools.bench.driver") for n in range(drivers)]
        self.drivers = Drivers(driving)
        self.headers = {"Authorization": f"Bearer {preparing.line()}"}
        self.worker = self.start_worker(self.redis)
        self.urls = {"ours": self.worker.url(), "floor": floor.url(), "before": before.url()}
        running = {"ours": self.worker, "floor": floor, "before": before, "model": model}
        self.pids = {name: child.process.pid for name, child in running.items()}
        self.pids["redis"] = self.redis.pid

    def start_redis(self, name: str, *, durable: bool = True) -> RedisServer:
        (self.folder / name).mkdir()
        server = RedisServer(self.folder / name, durable=durable)
        self._stack.callback(server.kill)  # its data need not be saved
        try:
            server.start()
        except FileNotFoundError as error:
            raise ChildFailed(MISSING_REDIS) from error
        except redis.RedisError as error:
            raise ChildFailed(f"redis-server did not start: {error}") from error
        return server

    def start_worker(self, server: RedisServer) -> Child:
        """Start another worker; reading its ``url`` waits until it is ready."""
        command = _managed("serve")
        if self._is_profiled:
            command = ("devtools.bench.worker", "profile", str(self.profile), *command[1:])
        return self._start("worker", *command, redis_url=server.url)

    def _start(self, name: str, *module: str, redis_url: str = "") -> Child:
        environ = self._environ | {"REDIS_URL": redis_url or self.redis.url}
        log = self.folder / f"{name}.log"
        child = Child(name, [sys.executable, "-m", *module], log=log, environ=environ)
        self._stack.callback(child.end)
        return child

    def pace(self, first_ms: int = 0, tokens_per_s: float = 0) -> dict[str, Any]:
        """Set the model's pace (0 tokens per second: unlimited). Return the script for drivers."""
        say = {"kind": "say", "text": ANSWER, "times": None}
        self._tell_model("DELETE", None)
        self._tell_model("POST", {**say, "first_token_ms": first_ms, "tokens_per_s": tokens_per_s})
        interval_s = 1 / tokens_per_s if tokens_per_s else 0
        return {"tokens": tokens(ANSWER), "first_s": first_ms / 1000, "interval_s": interval_s}

    def _tell_model(self, method: str, fault: dict[str, Any] | None) -> None:
        request = urllib.request.Request(  # noqa: S310 - our own, on loopback
            self._environ["OPENAI_BASE_URL"].replace("/v1", "/faults"),
            method=method,
            data=None if fault is None else json.dumps(fault).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 # nosec B310
        except OSError as error:
            raise ChildFailed(f"the local assistant did not take its script: {error}") from error

    def warm(self) -> None:
        """Warm up both sides, which creates clients and connections."""
        self.tell("warming up")
        job = {"kind": "turns", "count": WARMING, "conversations": WARMING // 4}
        job["script"] = self.pace()
        ours, floor = self.urls["ours"], self.urls["floor"]
        self.drivers.ask(job | {"url": ours, "path": "/api/chat", "headers": self.headers})
        self.drivers.ask(job | {"url": floor, "path": "/stream", "headers": {}})

    def cookies(self, count: int) -> list[str]:
        """Return signed cookies for a number of visitors, without requesting a page for each."""
        signer = signing.Signer(key=self._environ["SECRET_KEY"], salt=COOKIE_SALT)
        return [f"{cookie.NAME}={signer.sign(cookie.new_session_id())}" for _ in range(count)]


def _managed(command: str) -> tuple[str, ...]:
    """Return the command line of ``manage.py COMMAND`` on a free port, ending with this process."""
    return "chat.management.exit_with_parent", command, "--port", "0"
