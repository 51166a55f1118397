"""The event loop of a worker: daphne installs Twisted's reactor on an asyncio loop of its own.

On uvloop the same work took as much CPU time: Twisted reads and writes the sockets itself.
"""

from __future__ import annotations

import asyncio
from typing import Any

import daphne.server  # noqa: F401 - before the line below, which would install another reactor
from twisted.internet import reactor as _reactor

reactor: Any = _reactor
event_loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop
