"""A Redis of the bench's own, on a free port."""

from __future__ import annotations

import shutil
import socket
import subprocess  # nosec B404
from pathlib import Path
from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from chat.bench.children import CannotRun

#: A port that was free may be taken before Redis binds it.
MAX_TRIES = 5
MISSING = "redis-server is not installed: the bench runs one of its own (apt install redis-server)."


class OwnRedis:
    """Started by ``with``. Its append-only file is written every second, as in production;
    ``durable=False``: nothing is written to disk.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"  # nosec B101
        return self._process.pid

    def __enter__(self) -> OwnRedis:
        if shutil.which("redis-server") is None:
            raise CannotRun(MISSING)
        self._folder.mkdir(exist_ok=True)
        for _ in range(MAX_TRIES):
            self.port = _free_port()
            if self._launch():
                return self
            self.__exit__()
        raise CannotRun(f"redis-server did not start, see {self._folder}/redis.log")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()  # nothing in it is worth a second
            self._process.wait()
            self._process = None

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)

    def info(self, section: str) -> dict[str, Any]:
        with self.client() as client:
            found: dict[str, Any] = client.info(section)
            return found

    def _launch(self) -> bool:
        self._process = subprocess.Popen(  # noqa: S603 - a command of ours # nosec B603 B607
            [  # noqa: S607 - where the operator has it
                "redis-server",
                *("--bind", "127.0.0.1", "--port", str(self.port), "--save", ""),
                *("--appendonly", "yes" if self._durable else "no", "--appendfsync", "everysec"),
                *("--dir", str(self._folder), "--logfile", "redis.log"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        patient = Retry(ConstantBackoff(0.02), 500, (redis.ConnectionError,))
        try:
            with redis.Redis(port=self.port, retry=patient) as client:
                return bool(client.info("server")["process_id"] == self._process.pid)
        except redis.RedisError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
