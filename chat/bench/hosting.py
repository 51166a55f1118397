"""Serving a small application of the bench: on loopback, until whoever started it ends."""

from __future__ import annotations

import socket
import sys
import threading
from typing import Any

import uvicorn

from chat.management.lifeline import end_with_input

BACKLOG = 4096


def serve(application: Any) -> None:
    """Print the URL, then answer."""
    threading.Thread(target=end_with_input, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        backlog=BACKLOG,
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # as the driver asks of ours
        lifespan="off",
    )
    uvicorn.Server(config).run(sockets=[listener])
