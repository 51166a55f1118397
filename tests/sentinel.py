"""A master, its replica and a sentinel, all real and our own, that tests may kill and freeze."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import redis

from devtools.redis_server import MAX_TRIES, RedisServer

#: In an address it must be escaped, in a sentinel's file it must not.
PASSWORD = "p@ss:w/rd"
START_S = 20
DOWN_AFTER_MS = 500
FAILOVER_TIMEOUT_MS = 2000


class Sentinel:
    """``redis-server --sentinel`` on loopback, a quorum by itself. Ended by ``kill``."""

    def __init__(self, folder: Path, name: str, master: RedisServer) -> None:
        self.port = 0
        self._folder = folder
        self._name = name
        self._master = master
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return once it knows the replica of the master."""
        for attempt in range(MAX_TRIES):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self._launch()
            if self._is_up():
                return
            self.kill()
            assert attempt < MAX_TRIES - 1, (self._folder / "sentinel.log").read_text()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    def _launch(self) -> None:
        path = self._folder / "sentinel.conf"  # it writes there what it learns
        lines = (
            "bind 127.0.0.1",
            f"port {self.port}",
            f"dir {self._folder}",
            "logfile sentinel.log",
            f"sentinel monitor {self._name} 127.0.0.1 {self._master.port} 1",
            f'sentinel auth-pass {self._name} "{PASSWORD}"',
            f"sentinel down-after-milliseconds {self._name} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {self._name} {FAILOVER_TIMEOUT_MS}",
        )
        path.write_text("\n".join(lines) + "\n")
        self._process = subprocess.Popen(
            ["redis-server", str(path), "--sentinel"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _is_up(self) -> bool:
        assert self._process is not None
        until = time.monotonic() + START_S
        with redis.Redis(port=self.port) as client:
            while time.monotonic() < until and self._process.poll() is None:
                try:
                    replicas = client.sentinel_slaves(self._name)
                    if any(one["master-link-status"] == "ok" for one in replicas):
                        return True
                except redis.RedisError:
                    pass
                time.sleep(0.05)
        return False


class Cluster:
    """``name``: of the master; upper and lower case differ for Redis. Stopped by ``stop``."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.master = RedisServer(folder / "master")
        self.replica = RedisServer(folder / "replica")
        self.sentinel = Sentinel(folder, name, self.master)
        for server in (self.master, self.replica):
            server.folder.mkdir()

    @property
    def url(self) -> str:
        """What goes into ``REDIS_URL``."""
        return f"redis://:{quote(PASSWORD, safe='')}@{self.name}/1"

    def start(self) -> None:
        for server in (self.master, self.replica):
            server.start()
            with redis.Redis(port=server.port) as client:
                client.config_set("masterauth", PASSWORD)
                client.config_set("requirepass", PASSWORD)
                # Else a master waits 5 s for further replicas before it sends the first copy.
                client.config_set("repl-diskless-sync-delay", 0)
        with self.client_of(self.replica) as client:
            client.replicaof("127.0.0.1", str(self.master.port))
        self.sentinel.start()

    def stop(self) -> None:
        self.sentinel.kill()
        self.master.kill()
        self.replica.kill()

    def client_of(self, server: RedisServer) -> redis.Redis:
        return redis.Redis(port=server.port, db=1, password=PASSWORD)

    def copied(self) -> None:
        """Return once the replica has all that was written: it is sent without being waited for."""
        with self.client_of(self.master) as client:
            # WAIT is about what its own connection wrote; this is behind what others did.
            client.set("copied", 1, ex=60)
            assert client.wait(1, START_S * 1000) == 1
