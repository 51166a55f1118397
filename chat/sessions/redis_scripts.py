"""The Lua scripts of this noun, and how one is run on the keys of one session."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from chat.sessions.redis_link import RedisLink
from chat.sessions.types import ref_of

_LUA = Path(__file__).with_name("lua")
_COMMON = (_LUA / "common.lua").read_text()
_SOURCES = {
    path.stem: f"{_COMMON}\n{path.read_text()}"
    for path in _LUA.glob("*.lua")
    if path.stem != "common"
}
_SHA = {
    name: hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    for name, source in _SOURCES.items()
}


def scripts() -> dict[str, str]:
    """Return every Lua source by its SHA1."""
    return {_SHA[name]: source for name, source in _SOURCES.items()}


class RedisScripts:
    """Runs ``lua/<name>.lua``; see ``lua/common.lua`` for the keys."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def _run(self, name: str, session_id: str, *arguments: Any) -> Any:
        """``session_id``: "" when the script is about none."""
        return await self._link.run(
            "EVALSHA",
            _SHA[name],
            7,
            f"session:{session_id}",
            f"chat:state:{session_id}",
            f"chat:draft:{session_id}",
            "chat:index",
            "chat:turns",
            f"chat:asides:{session_id}",
            f"chat:ref:{ref_of(session_id)}",
            session_id,
            *arguments,
        )
