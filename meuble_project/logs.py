"""Logs: one line per event on standard error, for a human or as JSON.

``structlog.get_logger(__name__)`` and ``logging.getLogger(__name__)`` end in the same place.
Whatever a stranger sent stays on one line: control characters are written as escapes. Signed links,
keys, query strings and e-mail addresses are taken out of every line (``redaction``), whichever
library wrote it. Never log the text of a message.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from meuble_project.redaction import Redaction, public_path, without_path

#: These would write what customers say, or a line per request to the model, at DEBUG or INFO.
QUIET = ("openai", "httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "asyncio", "redis")
#: Its traceback every tenth of a second while Redis is away; ``realtime/pubsub.py`` says it in one
#: line.
#: And of hosts that scanners make up: the answer is a 400, there is nothing to be done.
SILENT = ("channels_redis", "django.security.DisallowedHost")
#: At DEBUG these drown the rest; ``django.db.backends`` also shows values from the database.
CALM = ("django.db.backends", "django.template", "django.utils.autoreload", "markdown_it")

#: Control characters (C0, DEL, C1: terminals obey some), line separators, bidirectional marks.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: The only keys whose lines are ours: their first lines come from ``traceback``.
_TRACES = ("exception", "stack")
#: Written by the processors below; nothing of a stranger stands in them.
_OURS = frozenset({"timestamp", "level", "logger"})
_SCALARS = (str, bool, int, float, type(None))


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


def drop_request(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Of a record of a library: show its request as a route, and no object that it carries.

    Django passes the request itself, whose text is its whole address, and writes its path.
    """
    for key, value in list(event.items()):
        if key.startswith("_") or key in ("exc_info", "stack_info"):
            continue
        path = getattr(value, "path", None)
        if isinstance(path, str) and not isinstance(value, _SCALARS):
            event["event"] = without_path(str(event["event"]), path)
            event["route"] = public_path(path)
        if not isinstance(value, (*_SCALARS, list, tuple, dict)):
            del event[key]
    return event


class Redact:
    """The processor that takes secrets out of all values, tracebacks included."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._redaction = Redaction(secrets)

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        for key, value in event.items():
            if key not in _OURS:
                event[key] = self._redaction.value(value)
        return event


def log_python_errors() -> None:
    """Log what Python itself would print on standard error: warnings, failures in threads and
    in finalizers. A line of the log is redacted; what is printed is not.
    """
    logging.captureWarnings(True)
    logger = logging.getLogger("python")

    def thread_failed(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is SystemExit:
            return
        trace = (args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)
        logger.error("a thread failed", exc_info=trace)

    def finalizer_failed(args: sys.UnraisableHookArgs) -> None:
        trace = (args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)
        logger.error("an exception was ignored", exc_info=trace)

    threading.excepthook = thread_failed
    sys.unraisablehook = finalizer_failed


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


def logging_config(level: str, *, as_json: bool, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """Return Django's ``LOGGING``.

    ``secrets``: texts that no line may hold; too short ones are left out.
    """
    at_least_warning = "WARNING" if level in ("DEBUG", "INFO") else level
    at_least_info = "INFO" if level == "DEBUG" else level
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_shared(), structlog.stdlib.ExtraAdder(), drop_request],
                "processors": _rendering(Redact(secrets), as_json=as_json),
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


def _rendering(redact: Processor, *, as_json: bool) -> list[Processor]:
    first: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
    ]
    if as_json:  # JSON escapes by itself, and keeps the structure of values
        return [*first, structlog.processors.JSONRenderer()]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return [*first, escape_values, console]
