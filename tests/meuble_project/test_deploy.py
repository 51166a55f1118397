"""What the container files say, as far as it can be checked without containers."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import fields
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from chat.shop.photos.confinement import MEMORY_BYTES
from chat.shop.photos.processor import PLACES
from meuble_project.env import ROOT, Env, read_env

VARIABLES = {field.name.upper() for field in fields(Env)}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


SECRET_KEY = "a-key-that-is-long-enough-to-sign-with"


def filled(text: str) -> str:
    """Put ``x1`` where compose puts a variable."""
    return re.sub(r"\$\{[A-Z_]+(:\?[^}]*)?\}", "x1", text)


@pytest.mark.parametrize("service", ["web", "migrate"])
def test_compose_configures_the_application_with_variables_that_it_knows(service):
    environ = {name: filled(text) for name, text in SERVICES[service]["environment"].items()}

    assert environ.keys() <= VARIABLES
    read = read_env(environ | {"SECRET_KEY": SECRET_KEY, "OPENAI_API_KEY": "key"})
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


@pytest.mark.parametrize(
    "uri, shown",
    [
        ("/suivi/SAV-1:secret/", "/suivi/"),
        ("/photos/12/?s=secret", "/photos/12/?"),
        ("/api/chat/secret?x=1", "/api/chat/"),
        ("/static/chat/page.css", "/static/chat/page.css"),
    ],
)
def test_proxy_logs_no_link_that_opens_something(uri, shown):
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    [(pattern, replacement)] = re.findall(r'request>uri regexp "(.+)" "(.+)"', caddyfile)

    assert re.sub(pattern, replacement.replace("$1", r"\1"), uri) == shown
    assert re.search(r"^\t\t\t\trequest>headers delete$", caddyfile, re.MULTILINE)
    assert re.search(r"^\t\t\t\tresp_headers delete$", caddyfile, re.MULTILINE)
    assert caddyfile.count("format ") == 1, "one format, so that no other logger writes more"


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


@pytest.mark.parametrize("service", SERVICES)
def test_containers_can_do_nothing_that_they_need_not(service):
    confined = SERVICES[service]

    assert confined["cap_drop"] == ["ALL"]
    assert confined["security_opt"] == ["no-new-privileges:true"]
    assert confined["read_only"] is True
    assert confined.get("cap_add", []) == (["NET_BIND_SERVICE"] if service == "proxy" else [])
    assert not {"privileged", "pid", "ipc", "network_mode", "devices"} & confined.keys()
    assert confined["pids_limit"] > 0
    assert in_bytes(confined["mem_limit"]) > 0


def in_bytes(size: str) -> int:
    """``"512m"``, ``"3g"``."""
    return int(size[:-1]) * {"m": 1 << 20, "g": 1 << 30}[size[-1]]


def test_containers_have_the_memory_that_they_are_told_to_use():
    command = SERVICES["redis"]["command"]
    max_memory = command[command.index("--maxmemory") + 1].removesuffix("b")

    assert in_bytes(SERVICES["redis"]["mem_limit"]) >= 2 * in_bytes(max_memory)
    assert in_bytes(SERVICES["web"]["mem_limit"]) > PLACES * MEMORY_BYTES + (512 << 20)


def test_long_bodies_do_not_wait_in_memory():
    """A file in a tmpfs counts for the memory of its container."""
    [folder] = re.findall(r"TMPDIR=(\S+)", (ROOT / "Dockerfile").read_text())

    assert folder == "/data"
    assert re.search(r"^VOLUME /data$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert not [one for one in SERVICES["web"]["tmpfs"] if one.startswith(folder)]


def image_python() -> str:
    """The Python of the image, of all its stages."""
    [version] = set(re.findall(r"^FROM python:(3\.\d+)", (ROOT / "Dockerfile").read_text(), re.M))
    return str(version)


@pytest.mark.parametrize("page", ["README.md", "docs/faults.md"])
def test_docs_name_the_python_of_the_image(page):
    named = re.findall(
        r"Python (3\.\d+), which\s+the image has|image has Python (3\.\d+)",
        (ROOT / page).read_text(),
    )

    assert {"".join(one) for one in named} == {image_python()}


#: Stands for an interpreter: makes a virtualenv of itself, installs nothing, and its tests end
#: with the code in ``tests-end-with``.
INTERPRETER = """#!/bin/sh
case "$1 $2" in
    "-m venv") mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
    "-m pytest") exit "$(cat tests-end-with)" ;;
esac
"""


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """Where ``.ci/image-python`` finds no Python at all, only the programs that it uses."""
    for name in (".ci/image-python", "Dockerfile", "requirements-dev.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for name in ("bash", "cat", "cksum", "cp", "dirname", "mkdir", "sed", "sort"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    return tmp_path


def run_image_python(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "bin/bash", checkout / ".ci/image-python"],
        env={"PATH": str(checkout / "bin"), "HOME": str(checkout), "CI": "true"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_missing_python_of_the_image_is_said_loudly_and_fails_nothing(bare_checkout):
    ran = run_image_python(bare_checkout)

    assert ran.returncode == 0, ran.stderr
    assert f"NOT RUN: the tests on Python {image_python()}" in ran.stderr
    assert len(ran.stderr.splitlines()) > 4


@pytest.mark.parametrize("folder", ["bin", ".pyenv/versions/{}.7/bin"])
@pytest.mark.parametrize("code", [0, 1])
def test_step_ends_as_the_tests_on_the_python_of_the_image_do(bare_checkout, folder, code):
    name = f"python{image_python()}" if folder == "bin" else "python"
    python = bare_checkout / folder.format(image_python()) / name
    python.parent.mkdir(parents=True, exist_ok=True)
    python.write_text(INTERPRETER)
    python.chmod(0o755)
    (bare_checkout / "tests-end-with").write_text(str(code))

    ran = run_image_python(bare_checkout)

    assert ran.returncode == code, ran.stderr
    assert "NOT RUN" not in ran.stderr


def test_step_runs_tests_that_exist():
    """pytest would say so as well, but only where the image's Python is."""
    named = re.findall(r"tests/[\w/.]+", (ROOT / ".ci/image-python").read_text())

    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_dockerfile_with_two_pythons_fails_the_step(bare_checkout):
    with (bare_checkout / "Dockerfile").open("a") as dockerfile:
        dockerfile.write("FROM python:3.99-slim\n")
    ran = run_image_python(bare_checkout)

    assert ran.returncode == 1
    assert "3.99" in ran.stderr


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
