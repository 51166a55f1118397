from __future__ import annotations

import io
import json
import logging
import logging.config
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog
from django.test import RequestFactory

from meuble_project import logs
from meuble_project.env import ROOT

FORGED = "Zoé\r\n2025-01-01 [info] all is well\x1b[2J\x9b2J\u2028\u202e"


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What reaches standard error; the parameter chooses JSON. Logging as it was, afterwards."""
    written = io.StringIO()
    config = logs.logging_config("INFO", as_json=request.param)
    config["handlers"]["stderr"]["stream"] = written
    config["loggers"] = {
        name: options for name, options in config["loggers"].items() if name in logs.QUIET
    }
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.QUIET}
    logging.config.dictConfig(config)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def fail() -> None:
    raise ValueError(FORGED)


@pytest.mark.parametrize("lines", [False], indirect=True)
def test_line_for_a_human_cannot_be_forged(lines):
    logging.getLogger("chat.test").warning("refused %s", FORGED)
    structlog.get_logger("chat.test").warning("refused", name=FORGED, names=[FORGED])

    written = lines.getvalue()
    assert written.count("\n") == 2
    assert "Zoé\\r\\n2025-01-01 [info]" in written
    assert not set("\r\x1b\x9b\u2028\u202e") & set(written)


@pytest.mark.parametrize("lines", [False], indirect=True)
def test_traceback_for_a_human_is_set_apart(lines):
    try:
        fail()
    except ValueError:
        logging.getLogger("chat.test").exception("failed")

    first, *rest = lines.getvalue().splitlines()
    assert "failed" in first
    assert rest[0] == "  | Traceback (most recent call last):"
    assert all(line.startswith("  | ") for line in rest)
    assert not set("\x1b\x9b") & set(lines.getvalue())


@pytest.mark.parametrize("lines", [True], indirect=True)
def test_json_line_keeps_values_and_names(lines):
    logging.getLogger("daphne.server").warning("slow %s", "client", extra={"waited_s": 3})
    structlog.get_logger("chat.test").info("turn ended", code="", took_ms=12.5, about=["a\nb"])

    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert first.pop("timestamp") <= second.pop("timestamp")
    assert first == {
        "event": "slow client",
        "level": "warning",
        "logger": "daphne.server",
        "waited_s": 3,
    }
    assert second == {
        "event": "turn ended",
        "level": "info",
        "logger": "chat.test",
        "code": "",
        "took_ms": 12.5,
        "about": ["a\nb"],
    }


@pytest.mark.parametrize("lines", [True], indirect=True)
def test_what_customers_say_to_the_model_is_not_logged(lines):
    logging.getLogger("openai._base_client").debug("Request options: %s", "je suis Jean")
    logging.getLogger("httpx").info("HTTP Request: POST …")

    assert lines.getvalue() == ""


@pytest.mark.parametrize(
    "level, openai, sql",
    [("DEBUG", "WARNING", "INFO"), ("INFO", "WARNING", "INFO"), ("ERROR", "ERROR", "ERROR")],
)
def test_quiet_loggers_follow_a_higher_level_only(level, openai, sql):
    config = logs.logging_config(level, as_json=False)

    assert config["root"]["level"] == level
    assert config["loggers"]["openai"]["level"] == openai
    assert config["loggers"]["django.db.backends"]["level"] == sql


@pytest.mark.parametrize("lines", [True], indirect=True)
def test_library_with_a_level_of_its_own_follows_ours(lines):
    library = logging.getLogger("library.with.a.level")
    library.setLevel("DEBUG")
    library.debug("connecting")

    assert lines.getvalue() == ""


@pytest.mark.parametrize("lines", [True], indirect=True)
def test_record_of_a_library_shows_a_route_and_no_object(lines):
    request = RequestFactory().post("/suivi/SAV-1:secret/?q=dupont")
    logging.getLogger("django.request").warning(
        "Not Found: %s", request.path, extra={"status_code": 404, "request": request}
    )

    line = json.loads(lines.getvalue())
    assert line.pop("timestamp")
    assert line == {
        "event": "Not Found: /suivi/…",
        "level": "warning",
        "logger": "django.request",
        "route": "/suivi/…",
        "status_code": 404,
    }


@pytest.mark.parametrize("lines", [True, False], indirect=True)
def test_secret_in_a_traceback_is_taken_out(lines):
    try:
        raise ValueError("redis://shop:hunter2@redis:6379 for camille@example.test")
    except ValueError:
        logging.getLogger("chat.test").exception("failed")
        structlog.get_logger("chat.test").exception("failed")

    assert lines.getvalue().count("ValueError") >= 2
    assert "hunter2" not in lines.getvalue()
    assert "camille@" not in lines.getvalue()


LOUD = """
import gc, sys, threading, warnings
from meuble_project import logs
import logging.config
logging.config.dictConfig(logs.logging_config("INFO", as_json=True))
logs.log_python_errors()
class Loud:
    def __del__(self):
        raise ValueError("camille@example.test")
def fail():
    raise ValueError("camille@example.test")
Loud()
thread = threading.Thread(target=fail)
thread.start()
thread.join()
warnings.warn("camille@example.test")
"""


def test_what_python_would_print_is_logged():
    done = subprocess.run(
        [sys.executable, "-c", LOUD], capture_output=True, text=True, cwd=ROOT, check=True
    )

    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["logger"] for event in events] == ["python", "python", "py.warnings"]
    assert "…@example.test" in events[0]["exception"]
    assert "camille" not in done.stdout + done.stderr
