"""Logs: one line per event on standard error, for a human or as JSON.

``structlog.get_logger(__name__)`` and ``logging.getLogger(__name__)`` end in the same place.
Whatever a stranger sent stays on one line: control characters are written as escapes. Never log
the text of a message.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

#: These would write what customers say, or a line per request to the model, at DEBUG or INFO.
QUIET = ("openai", "httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "asyncio", "redis")
#: Its traceback every tenth of a second while Redis is away; ``chat.ear`` says it in one line.
#: And of hosts that scanners make up: the answer is a 400, there is nothing to be done.
SILENT = ("channels_redis", "django.security.DisallowedHost")
#: At DEBUG these drown the rest; ``django.db.backends`` also shows values from the database.
CALM = ("django.db.backends", "django.template", "django.utils.autoreload", "markdown_it")

#: Control characters (C0, DEL, C1: terminals obey some), line separators, bidirectional marks.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: The only keys whose lines are ours: their first lines come from ``traceback``.
_TRACES = ("exception", "stack")


def escape(text: str) -> str:
    r"""``"a\nb"`` on two lines becomes ``a\nb`` on one."""
    return _UNSAFE.sub(lambda match: match.group().encode("unicode_escape").decode(), text)


def escape_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Make every value safe to show. Numbers, true, false and null stay what they are."""
    for key, value in event.items():
        if key in _TRACES:
            lines = str(value).split("\n")
            event[key] = "\n".join(f"  | {escape(line)}" for line in lines)
        elif value is not None and not isinstance(value, (bool, int, float)):
            event[key] = escape(value if isinstance(value, str) else repr(value))
    return event


def configure_structlog() -> None:
    """Send structlog's events through the standard library, where ``logging_config`` renders."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def logging_config(level: str, *, as_json: bool) -> dict[str, Any]:
    """Return Django's ``LOGGING``."""
    at_least_warning = "WARNING" if level in ("DEBUG", "INFO") else level
    at_least_info = "INFO" if level == "DEBUG" else level
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_shared(), structlog.stdlib.ExtraAdder()],
                "processors": _rendering(as_json=as_json),
            }
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                # Here too: psycopg gives its own logger a level, which the root cannot raise.
                "level": level,
                "stream": "ext://sys.stderr",
                "formatter": "line",
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django gives these handlers of their own; everything goes to the root instead.
            "django": {"handlers": [], "level": "NOTSET", "propagate": True},
            "django.server": {"handlers": [], "level": "NOTSET", "propagate": True},
            **{name: {"level": at_least_warning} for name in QUIET},
            **{name: {"level": at_least_info} for name in CALM},
            **{name: {"level": "CRITICAL"} for name in SILENT},
        },
    }


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _rendering(*, as_json: bool) -> list[Processor]:
    first: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    if as_json:  # JSON escapes by itself, and keeps the structure of values
        return [*first, structlog.processors.JSONRenderer()]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return [*first, escape_values, console]
