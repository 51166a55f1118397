"""One line in the log and a few numbers for each turn; never a word of it."""

from __future__ import annotations

import hashlib

import structlog

from chat import metrics
from chat.assistant.writer import DraftWriter
from chat.sessions.store import Lease

logger = structlog.get_logger("chat.turns")


def hashed(id_: str) -> str:
    """Return what stands for an id in logs: it can be compared, not used."""
    return hashlib.blake2s(id_.encode(), digest_size=6).hexdigest()


def report(lease: Lease, writer: DraftWriter, ending: str, seconds: float) -> None:
    """Note one turn. ``ending``: an ``End``, an error code, or "lost" to another worker."""
    metrics.turn_seconds.observe(seconds)
    first_s = writer.first_text_s
    if first_s is not None:
        metrics.first_text_seconds.observe(first_s)
    usage = writer.usage
    logger.info(
        "turn",
        session=hashed(lease.session.id),
        question=hashed(lease.question_id),
        ending=ending,
        again=lease.again,
        first_text_ms=None if first_s is None else round(first_s * 1000),
        total_ms=round(seconds * 1000),
        chars=writer.chars,
        tools=writer.tools,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
    )
