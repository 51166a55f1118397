"""What the container files say, as far as it can be checked without containers."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import fields
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import yaml

from meuble_project.env import ROOT, Env, read_env

VARIABLES = {field.name.upper() for field in fields(Env)}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def filled(text: str) -> str:
    """Put ``x1`` where compose puts a variable."""
    return re.sub(r"\$\{[A-Z_]+(:\?[^}]*)?\}", "x1", text)


@pytest.mark.parametrize("service", ["web", "migrate"])
def test_compose_configures_the_application_with_variables_that_it_knows(service):
    environ = {name: filled(text) for name, text in SERVICES[service]["environment"].items()}

    assert environ.keys() <= VARIABLES
    read = read_env(environ | {"SECRET_KEY": "key", "OPENAI_API_KEY": "key"})
    assert (read.debug, read.trusted_proxies) == (False, 1)
    assert read.redis_url == "redis://:x1@redis:6379/0"
    assert read.database_url == "postgres://chat:x1@postgres:5432/chat"


def test_compose_asks_for_the_variables_that_the_example_lists():
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    listed = re.findall(r"^#([A-Z_]+)=$", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert asked == set(listed)


def test_redis_keeps_what_was_acknowledged_and_is_not_reachable_from_outside():
    command = " ".join(SERVICES["redis"]["command"])

    assert "--appendonly yes --appendfsync everysec" in command
    assert "--maxmemory-policy noeviction" in command
    assert "--requirepass" in command
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}
    assert SERVICES["redis"]["networks"] == ["data"]
    assert COMPOSE["networks"]["data"]["internal"] is True


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/readyz", "/readyz/", "/readyz//"])
def test_proxy_keeps_probes_to_the_inside(path):
    """As Caddy matches paths, which is not as Django does: a pattern without "*" is exact."""
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    [patterns] = re.findall(r"^\t@inside path (.+)$", caddyfile, re.MULTILINE)

    assert any(fnmatchcase(path, pattern) for pattern in patterns.split())
    assert re.search(r"^\trespond @inside 404$", caddyfile, re.MULTILINE)


def test_workers_wait_for_what_they_need_and_are_given_time_to_stop():
    waits = {name: need["condition"] for name, need in SERVICES["web"]["depends_on"].items()}
    grace_s = int(SERVICES["web"]["stop_grace_period"].removesuffix("s"))

    assert waits == {
        "redis": "service_healthy",
        "postgres": "service_healthy",
        "migrate": "service_completed_successfully",
    }
    assert grace_s > read_env({"DEBUG": "1"}).shutdown_grace_s
    assert "container_name" not in SERVICES["web"], "would forbid --scale web=4"


def test_image_holds_no_secret_and_no_developers_file():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert ".*" in ignored, ".env and .git stay outside"
    assert "db.sqlite3*" in ignored


class Worker(HTTPServer):
    """Stands for a worker: remembers the names it was asked under."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status = status
        self.hosts: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Worker

    def do_GET(self) -> None:
        self.server.hosts.append(self.headers["Host"])
        self.send_response(self.server.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    with Worker(request.param) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def health_of(port: int, allowed_hosts: str) -> int:
    script = [sys.executable, "deploy/healthcheck.py", str(port)]
    return subprocess.run(
        script, cwd=ROOT, env={"ALLOWED_HOSTS": allowed_hosts}, timeout=20, check=False
    ).returncode


@pytest.mark.parametrize("worker", [200], indirect=True)
@pytest.mark.parametrize(
    "allowed_hosts, host",
    [
        ("chat.meuble.example,web", "chat.meuble.example"),
        (" .meuble.example", "meuble.example"),
        ("*", "localhost"),
        ("", "localhost"),
    ],
)
def test_health_check_asks_under_a_name_that_the_site_answers_to(worker, allowed_hosts, host):
    assert health_of(worker.server_port, allowed_hosts) == 0
    assert worker.hosts == [host]


@pytest.mark.parametrize("worker", [503], indirect=True)
def test_health_check_fails_with_the_worker(worker):
    assert health_of(worker.server_port, "") == 1
    port = worker.server_port
    worker.server_close()
    assert health_of(port, "") == 1
