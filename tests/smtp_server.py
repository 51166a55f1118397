"""A tiny SMTP server on loopback: it keeps what it is given, and refuses on demand."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Callable
from email.message import EmailMessage


class _Talk(socketserver.StreamRequestHandler):
    """One connection. Source: RFC 5321."""

    server: _Listener

    def handle(self) -> None:
        self.server.post.asked += 1
        self._say(self.server.post.greeting)
        while line := self.rfile.readline():
            verb = line[:4].upper().strip()
            if verb in (b"EHLO", b"HELO"):
                self._say("250 post.test")
            elif verb == b"RCPT" and self.server.post.refusal:
                self._say(self.server.post.refusal)
            elif verb == b"MAIL" and self.server.post.sender_refusal:
                self._say(self.server.post.sender_refusal)
            elif verb == b"DATA":
                self._take()
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if self.server.post.text_refusal:
            self._say(self.server.post.text_refusal)
            return
        self.server.post.on_text()
        self.server.post.taken(b"".join(lines))
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, post: PostOffice) -> None:
        self.post = post
        super().__init__(("127.0.0.1", 0), _Talk)


class PostOffice:
    """``refusal``: what every recipient is refused with, like ``"550 unknown"``; "" for none.

    ``sender_refusal``, ``text_refusal``: the same for senders and for e-mails that were taken in.
    ``greeting``: what a client is told first. ``asked``: how often one came.
    ``on_text``: called in the connection's thread when a text has come in and is not answered yet.
    """

    def __init__(self) -> None:
        self.refusal = self.sender_refusal = self.text_refusal = ""
        self.greeting = "220 post.test"
        self.on_text: Callable[[], object] = lambda: None
        self.asked = 0
        self.received: list[EmailMessage] = []
        self._lock = threading.Lock()
        self._listener = _Listener(self)
        self.port: int = self._listener.server_address[1]
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,))
        self._thread.start()

    def taken(self, raw: bytes) -> None:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        with self._lock:
            self.received.append(message)

    def close(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
