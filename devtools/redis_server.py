"""Private Redis process for tests and measurements, which can be frozen and killed."""

from __future__ import annotations

import signal
import socket
import subprocess  # nosec B404
import time
from pathlib import Path
from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

#: Attempts to start, since a free port may be taken before Redis binds it.
MAX_TRIES = 5


class RedisServer:
    """``redis-server`` on loopback, append-only file in ``folder``. Stopped by ``stop``.

    ``cluster``: single node with ``cluster-enabled yes`` and all slots. ``durable``: whether the
    append-only file is written, every second as in production.

    ``kill`` followed by ``start`` restarts it on the same port with its persisted data.
    """

    def __init__(self, folder: Path, *, cluster: bool = False, durable: bool = True) -> None:
        self.folder = folder
        self._is_cluster, self._is_durable = cluster, durable
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def unix_url(self) -> str:
        return f"unix://{self.folder}/redis.sock?db=0"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"  # nosec B101
        return self._process.pid

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)

    def info(self, section: str) -> dict[str, Any]:
        with self.client() as client:
            found: dict[str, Any] = client.info(section)
            return found

    def start(self) -> None:
        """Start, and wait until it answers ``PING``.

        Raises:
            redis.ConnectionError: it did not start; its log is in ``folder / "redis.log"``.
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
        """Shut down gracefully; does nothing if it is not running."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill immediately, like a crash."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Suspend the process, with all connections left open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _launch(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - a command of ours # nosec B603 B607
            [  # noqa: S607 - found on the developer's PATH
                "redis-server",
                *("--bind", "127.0.0.1", "--port", str(self.port), "--save", ""),
                *("--appendonly", "yes" if self._is_durable else "no", "--appendfsync", "everysec"),
                *("--dir", str(self.folder), "--logfile", "redis.log"),
                *("--unixsocket", "redis.sock"),
                *(("--cluster-enabled", "yes") if self._is_cluster else ()),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        patient = Retry(ConstantBackoff(0.02), 500, (redis.ConnectionError,))
        with redis.Redis(port=self.port, retry=patient) as client:
            pid = client.info("server")["process_id"]
            if self._is_cluster:
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
                while b"cluster_state:ok" not in client.execute_command("CLUSTER", "INFO"):
                    time.sleep(0.02)
        if pid != self._process.pid:
            raise redis.ConnectionError(f"port {self.port} belongs to another Redis")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "not started"  # nosec B101
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
