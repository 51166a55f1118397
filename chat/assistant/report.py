"""One line in the log and a few numbers for each turn; never a word of it."""

from __future__ import annotations

import structlog

from chat import metrics
from chat.assistant.writer import DraftWriter
from chat.numbers.arithmetic import bucket_of
from chat.numbers.tally import count
from chat.sessions.store import Lease
from chat.sessions.types import JSON, End, ref_of

logger = structlog.get_logger("chat.turns")


def report(lease: Lease, writer: DraftWriter, ending: str, seconds: float) -> None:
    """Note one turn. ``ending``: an ``End``, an error code, or "lost" to another worker."""
    metrics.turn_seconds.observe(seconds)
    if writer.first_text_s is not None:
        metrics.first_text_seconds.observe(writer.first_text_s)
    _count(writer, ending)
    told = figures(lease, writer, ending, seconds)
    del told["question_id"], told["answer_id"]
    logger.info(
        "turn",
        session=ref_of(lease.session.id),
        question=ref_of(lease.question_id),
        again=lease.again,
        chars=writer.chars,
        **told,
    )


def figures(lease: Lease, writer: DraftWriter, ending: str, seconds: float) -> JSON:
    """Return the numbers of one turn, as an ``Aside`` of a turn keeps them."""
    first_s, usage = writer.first_text_s, writer.usage
    return {
        "question_id": lease.question_id,
        "answer_id": lease.answer_id,
        "ending": ending,
        "first_text_ms": None if first_s is None else round(first_s * 1000),
        "total_ms": round(seconds * 1000),
        "tools": writer.tools,
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
        "guarded": writer.guard.replaced.total(),
    }


def _count(writer: DraftWriter, ending: str) -> None:
    """Add the turn to the numbers of the day; one that was lost is the other worker's."""
    if ending != "lost":
        broken = "interrupted" if writer.chars else "failed"
        is_end = ending in End._value2member_map_
        count(f"turns.{ending if is_end else broken}")
        if not is_end:
            count(f"errors.{ending}")
        if writer.first_text_s is not None:
            count(bucket_of(writer.first_text_s))
    count("tools", len(writer.tools))
    for kind, times in writer.guard.replaced.items():
        metrics.guard_replaced.labels(kind=kind.value).inc(times)
        count(f"guard.{kind}", times)
    if writer.usage is not None:
        count("tokens.prompt", writer.usage.prompt_tokens)
        count("tokens.completion", writer.usage.completion_tokens)
