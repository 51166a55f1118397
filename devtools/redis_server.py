"""A real Redis of our own, that tests may freeze and kill."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

#: A port that was free may be taken before Redis binds it.
MAX_TRIES = 5


class RedisServer:
    """``redis-server`` on loopback, append-only file in ``folder``. Stopped by ``stop``.

    ``kill`` then ``start`` brings it back on the same port with what it had kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def unix_url(self) -> str:
        return f"unix://{self.folder}/redis.sock?db=0"

    def start(self) -> None:
        """Return once it answers ``PING``.

        Raises:
            redis.ConnectionError: it did not come up; its log is in ``folder / "redis.log"``.
        """
        if self.port:
            self._launch()
            return
        for attempt in range(MAX_TRIES):
            self.port = _free_port()
            try:
                self._launch()
            except redis.ConnectionError:
                self.kill()
                if attempt == MAX_TRIES - 1:
                    raise
            else:
                return

    def stop(self) -> None:
        """End politely; nothing happens when it is not running."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End at once, as a crash does."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop answering, with every connection left open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _launch(self) -> None:
        self._process = subprocess.Popen(
            [
                "redis-server",
                *("--bind", "127.0.0.1", "--port", str(self.port), "--save", ""),
                *("--appendonly", "yes", "--appendfsync", "everysec"),
                *("--dir", str(self.folder), "--logfile", "redis.log"),
                *("--unixsocket", "redis.sock"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        patient = Retry(ConstantBackoff(0.02), 500, (redis.ConnectionError,))
        with redis.Redis(port=self.port, retry=patient) as client:
            pid = client.info("server")["process_id"]
        if pid != self._process.pid:
            raise redis.ConnectionError(f"port {self.port} belongs to another Redis")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "not started"
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.send_signal(signal.SIGCONT)
        self._process.wait(timeout=10)
        self._process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
