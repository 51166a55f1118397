"""What a worker writes while secrets are asked for in every way that fails."""

from __future__ import annotations

import json
import secrets
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from django.core.signing import Signer, TimestampSigner

from meuble_project.env import ROOT, Env

PATIENCE_S = 60
SECRET_KEY = "a-key-of-the-tests-and-of-nobody-else-0123456789"


@dataclass(frozen=True)
class Secrets:
    """What opens something by itself, or says what somebody looked for."""

    ticket: str
    photo: str
    cookie: str
    session: str
    key: str
    model_key: str
    redis_password: str
    searched: str

    @property
    def needles(self) -> set[str]:
        """What must not be found: signatures by themselves, and each secret whole."""
        signed = {value.rpartition(":")[2] for value in (self.ticket, self.photo, self.cookie)}
        return signed | {getattr(self, item.name) for item in fields(self)}


def _make_secrets() -> Secrets:
    photo_id = uuid.uuid4()
    photo = TimestampSigner(key=SECRET_KEY, salt="chat.photos.link").sign(str(photo_id))
    return Secrets(
        ticket=Signer(key=SECRET_KEY, salt="chat.tickets.follow").sign("SAV-2026-00042"),
        photo=photo.partition(":")[2],
        cookie=Signer(key=SECRET_KEY, salt="chat.sessions.cookie").sign(secrets.token_urlsafe(20)),
        session=secrets.token_urlsafe(20).replace("-", "x"),
        key=f"mdf_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}",
        model_key=f"sk-proj-{secrets.token_urlsafe(24)}",
        redis_password=secrets.token_urlsafe(18),
        searched="dupont-secret-search",
    )


def _requests(held: Secrets) -> Iterator[bytes]:
    """Every address that holds a secret, refused in every way: each is one raw request."""
    photo = f"/photos/{uuid.uuid4()}/"
    quoted = held.ticket.replace(":", "%3A")
    paths = [
        f"/suivi/{held.ticket}/",
        f"/suivi/{quoted}/",
        f"/suivi/{held.ticket}",
        f"/suivi/{held.ticket}/%22%20more",
        f"/suivi/%20{held.ticket}/",
        f"/suivi/%0A{held.ticket}/",
        f"/suivi//{held.ticket}/",
        f"/suivis/{held.ticket}/",
        f"//suivi/{held.ticket}/",
        f"/{held.ticket}",
        f"/admin/{held.ticket}/",
        f"/admin/chat/{held.ticket}/",
        f"/static/{held.ticket}.css",
        f"/produits/{held.ticket}/",
        f"{photo}?s={held.photo}",
        f"{photo}?s={held.photo.replace(':', '%3A')}&small=1",
        f"{photo}delete/?s={held.photo}",
        f"/photos/?s={held.photo}",
        f"/photos/nothing/?s={held.photo}",
        f"/?q={held.searched}",
        f"/admin/?q={held.searched}",
        f"/admin/login/?next=/admin/chat/ticket/%3Fq%3D{held.searched}",
        f"/admin/chat/ticket/?q={held.searched}",
        f"/admin/chat/ticket?q={held.searched}",
        f"/nowhere/?q={held.searched}&token={held.ticket}",
        f"/api/chat/{held.session}",
        f"/api/chat/{held.session}/more",
        f"/api/nothing/{held.session}?key={held.key}",
        f"/api/docs?key={held.key}",
        f"/ws/chat/?token={held.ticket}",
        f"/ws/desk/{held.ticket}/?q={held.searched}",
    ]
    private = (
        f"Authorization: Bearer {held.key}\r\n"
        f"Cookie: chat_session={held.cookie}; sessionid={held.session}; "
        f"csrftoken={held.session}\r\n"
        f"Referer: http://shop.test/suivi/{held.ticket}/\r\n"
    )
    form = "Content-Type: application/x-www-form-urlencoded\r\n"
    for path in paths:
        for method, host, extra, body in (
            ("GET", "shop.test", "", b""),
            ("GET", "shop.test", private, b""),
            ("HEAD", "evil.test", private, b""),
            ("POST", "shop.test", form, f"text=Bonjour&token={held.ticket}".encode()),
            ("POST", "shop.test", private + form, b"text=Bonjour&csrfmiddlewaretoken=wrong"),
            ("POST", "shop.test", private + form + "Origin: http://evil.test\r\n", b"text=x"),
            ("POST", "shop.test", private + "Content-Type: application/json\r\n", b"{"),
            ("POST", "bad host", private + form, b"text=x"),
            ("PUT", "shop.test", private, b"x"),
            ("DELETE", "shop.test", private, b""),
            ("GET", "shop.test", f"X-Long: {'x' * 20_000}\r\n{private}", b""),
        ):
            head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{extra}"
            length = f"Content-Length: {len(body)}\r\n\r\n"
            yield (head + length).encode() + body
        too_long = "Content-Length: 99999999\r\n\r\n"
        yield f"POST {path} HTTP/1.1\r\nHost: shop.test\r\n{too_long}".encode()
        yield f"GET {path} HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: x\r\n\r\n".encode()
        yield f"{path} {held.key}\r\n\r\n".encode()
        upgrade = (
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        )
        yield f"GET {path} HTTP/1.1\r\nHost: shop.test\r\n{upgrade}{private}\r\n".encode()
        yield f"GET {path} HTTP/1.1\r\nHost: shop.test\r\n{upgrade[:-10]}\r\n\r\n".encode()


def _exchange(port: int, request: bytes) -> bytes:
    """Send one request and return the beginning of its answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        client.sendall(request)
        try:
            return client.recv(4096)
        except ConnectionResetError:
            return b""


def _serve(held: Secrets, folder: Path, log: Path, **environment: str) -> subprocess.Popen[str]:
    variables = {field.name.upper(): "" for field in fields(Env)}
    variables |= {
        "PATH": "/usr/bin:/bin",
        "DEBUG": "0",
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "shop.test",
        "COOKIE_SECURE": "0",
        "LOG_LEVEL": "DEBUG",
        "OPENAI_API_KEY": held.model_key,
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "REDIS_URL": f"redis://shop:{held.redis_password}@127.0.0.1:9/0",
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "MEDIA_DIR": f"{folder}/media",
        "SHUTDOWN_GRACE_S": "1",
        **environment,
    }
    # Slow, and full of words: as developers run it.
    developing = ["-X", "dev"] if variables["DEBUG"] == "1" else []
    with log.open("w") as output:
        return subprocess.Popen(
            [sys.executable, *developing, "manage.py", "serve", "--port", "0"],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )


@pytest.mark.timeout(300)  # a thousand requests to a server in development
@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"LOG_JSON": "1"}, id="json, Redis away"),
        pytest.param({"DEBUG": "1", "REDIS_URL": "memory://"}, id="lines, development"),
    ],
)
def test_no_secret_is_written_however_a_request_fails(tmp_path: Path, environment: dict[str, str]):
    """The database has no tables: whatever reads it raises, too."""
    held = _make_secrets()
    log = tmp_path / "serve.log"
    server = _serve(held, tmp_path, log, **environment)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert "Écoute sur" in line, log.read_text()
        port = int(line.strip().rpartition(":")[2])
        answers = [_exchange(port, request) for request in _requests(held)]
    finally:
        server.send_signal(signal.SIGTERM)
        rest, _ = server.communicate(timeout=PATIENCE_S)

    statuses = {answer.split(b" ", 2)[1] for answer in answers if answer.startswith(b"HTTP")}
    assert statuses >= {b"400", b"403", b"404", b"413", b"500"}, statuses
    written = log.read_text() + rest
    assert written.count("\n") > 100, "the log of so many failures is not there"
    found = {
        needle: [shown for shown in written.splitlines() if needle in shown][:2]
        for needle in held.needles
        if needle in written
    }
    assert not found, json.dumps(found, indent=1)
    assert "?q=" not in written
    assert "?s=" not in written
