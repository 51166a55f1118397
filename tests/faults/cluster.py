"""Workers, Redis and the local assistant, all real, all our own; whatever happens they end."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import aiohttp

from devtools.local_assistant.faults import Pace
from devtools.local_assistant.server import RunningServer, start
from devtools.redis_server import RedisServer
from meuble_project.env import Env
from tests.faults.adviser import MAKE_LOGIN, Adviser, login_beside
from tests.faults.options import Options
from tests.faults.wire import Wire

ROOT = Path(__file__).parents[2]
START_S = 90
#: An answer of 10 words takes about half a second.
PACE = Pace(first_token_ms=40, tokens_per_s=48)


class WorkerProcess:
    """``manage.py serve``, watched and with ``patches`` (see ``worker.py``) in it.

    ``wire``: over which it reaches Redis, None when it does so directly.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        environ: dict[str, str],
        patches: Sequence[str],
        wire: Wire | None = None,
    ):
        self.name = name
        self.log = folder / f"{name}.log"
        self.stalls = folder / f"{name}.stalls"
        self.stalls_read = 0
        self.wire = wire
        self.address = ""
        self.patches = list(patches)
        self.is_frozen = False
        self.log_read = 0
        self._environ = environ
        self._process: subprocess.Popen[str] | None = None

    @property
    def dies(self) -> bool:
        """Whether it was made to die at some point."""
        return any(patch.startswith("crash:") for patch in self.patches)

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        command = ["-m", "tests.faults.worker", str(self.stalls), *self.patches]
        self._process = self._launch([sys.executable, *command, "--port", "0"])
        assert self._process.stdout is not None
        async with asyncio.timeout(START_S):
            line = await asyncio.to_thread(self._process.stdout.readline)
        found = re.search(r"Écoute sur http://(\S+)", line)
        assert found, f"{self.name} did not start: {line}{self.log.read_text()}"
        self.address = found.group(1)

    def _launch(self, command: list[str]) -> subprocess.Popen[str]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env=self._environ,
            )

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "not started"
        self._process.send_signal(number)

    def freeze(self) -> None:
        self.is_frozen = True
        self.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.is_frozen = False
        self.send_signal(signal.SIGCONT)

    async def ended(self, timeout_s: float = 90) -> int:
        """Wait until it is gone; return its exit code."""
        assert self._process is not None, "not started"
        async with asyncio.timeout(timeout_s):
            while (code := self._process.poll()) is None:
                await asyncio.sleep(0.02)
        return code

    def kill(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def memory_mib(self) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


class Cluster:
    """Everything runs while inside ``async with``."""

    def __init__(self, database: Path, options: Options) -> None:
        self.options = options
        self.workers: list[WorkerProcess] = []
        self._folder = tempfile.TemporaryDirectory(prefix="meuble-faults-")
        self.folder = Path(self._folder.name)
        self.database = database
        self._login = login_beside(database).read_text()
        (self.folder / "redis").mkdir()
        self.redis = RedisServer(self.folder / "redis")
        self.web: aiohttp.ClientSession
        self.assistant: RunningServer
        self._count = 0

    async def __aenter__(self) -> Cluster:
        try:
            if self.options.spoilt:
                self.database = Path(shutil.copy(self.database, self.folder))
            await asyncio.to_thread(self.redis.start)
            if not self.options.redis_at_start:
                self.redis.kill()
            self.assistant = await start(pace=PACE)
            patience = aiohttp.ClientTimeout(total=30)
            self.web = aiohttp.ClientSession(timeout=patience, cookie_jar=aiohttp.DummyCookieJar())
            own = [[f"crash:{crash}"] for crash in self.options.crashes]
            own += [[] for _ in range(self.options.workers - len(own))]
            await asyncio.gather(*map(self.start_worker, own))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.kill()
            if worker.wire is not None:
                await worker.wire.close()
        self.redis.kill()
        if hasattr(self, "web"):
            await self.web.close()
        if hasattr(self, "assistant"):
            await self.assistant.close()
        self._folder.cleanup()

    async def start_worker(self, patches: Sequence[str] = ()) -> WorkerProcess:
        self._count += 1
        patches = [*self.options.patches, *(f"trap:{t}" for t in self.options.traps), *patches]
        wire, url = None, self.redis.url
        if self.options.wires:
            wire = Wire(self.redis.port)
            await wire.open()
            url = wire.url
        name, environ = f"w{self._count}", self._environ(url)
        worker = WorkerProcess(name, self.folder, environ, patches, wire)
        self.workers.append(worker)
        await worker.start()
        return worker

    @property
    def running(self) -> list[WorkerProcess]:
        return [worker for worker in self.workers if worker.is_running and worker.address]

    @property
    def adviser(self) -> Adviser:
        return Adviser(self.web, self._login)

    @property
    def media(self) -> Path:
        """Where photos are kept."""
        return self.folder / "media"

    @property
    def addresses(self) -> list[str]:
        """Where a balancer would send clients: it does not know who is frozen."""
        return [worker.address for worker in self.running]

    def worker_at(self, address: str) -> WorkerProcess | None:
        return next((worker for worker in self.workers if worker.address == address), None)

    def logs(self) -> str:
        parts = []
        for worker in self.workers:
            text = worker.log.read_text()[-6_000:] if worker.log.exists() else ""
            parts.append(f"--- {worker.name} {worker.address}\n{text}")
        return "\n".join(parts)

    def _environ(self, redis_url: str) -> dict[str, str]:
        # Present but empty means the default, and wins over ".env".
        environ = {field.name.upper(): "" for field in fields(Env)}
        environ |= {
            "DEBUG": "1",
            "REDIS_URL": redis_url,
            "DATABASE_URL": f"sqlite:///{self.database}",
            "MEDIA_DIR": str(self.media),
            "OPENAI_BASE_URL": self.assistant.url,
            "CHAT_RATE_PER_MINUTE": "0",
            "PAGE_RATE_PER_ADDRESS_PER_MINUTE": "0",
            "CHAT_TIMEOUT_S": "40",
            "SOCKETS_PER_ADDRESS": "1000",
            "CIRCUIT_RESET_S": "1",
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "meuble_project.settings",
            "PYTHONUTF8": "1",
        }
        return environ | dict(self.options.environ)


def migrated_database(folder: Path) -> Path:
    """Make a database for workers to share; nothing of a conversation is in it.

    Beside it lies the login of an adviser, see ``adviser.py``.
    """
    path = folder / "db.sqlite3"
    environ = {field.name.upper(): "" for field in fields(Env)}
    environ |= {"DEBUG": "1", "DATABASE_URL": f"sqlite:///{path}", "PYTHONUTF8": "1"}
    for command in (["migrate", "--verbosity", "0"], ["shell", "--command", MAKE_LOGIN]):
        made = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environ,
            check=True,
            timeout=120,
            stdout=subprocess.PIPE,
            text=True,
        )
    login_beside(path).write_text(made.stdout.split()[-1])
    return path


async def get_cookies(web: aiohttp.ClientSession, address: str) -> dict[str, str]:
    """Load the page as a browser that was never here; return the cookies it is given."""
    async with web.get(f"http://{address}/") as response:
        cookies = {name: morsel.value for name, morsel in response.cookies.items()}
        await response.read()
    assert "chat_session" in cookies, f"{response.status}, and no cookie"
    return cookies


async def erase(web: aiohttp.ClientSession, address: str, cookies: dict[str, str]) -> int:
    """Press "erase" on the page; return the HTTP status of what follows."""
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    async with web.get(f"http://{address}/", headers={"Cookie": header}) as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', await page.text())
        csrf = page.cookies.get("csrftoken")
    assert token, "no form on the page"
    csrf_cookie = csrf.value if csrf else cookies["csrftoken"]
    headers = {"Cookie": f"chat_session={cookies['chat_session']}; csrftoken={csrf_cookie}"}
    async with web.post(
        f"http://{address}/conversation/erase/",
        headers={**headers, "Origin": f"http://{address}"},
        data={"csrfmiddlewaretoken": token.group(1)},
        allow_redirects=False,
    ) as response:
        return response.status


def session_id_of(cookies: dict[str, str]) -> str:
    """The signed cookie begins with the id."""
    return cookies["chat_session"].rsplit(":", 1)[0].strip('"')


async def measured(web: aiohttp.ClientSession, address: str, name: str) -> float:
    """Return one number of ``/metrics``."""
    async with web.get(f"http://{address}/metrics") as response:
        text = await response.text()
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0
