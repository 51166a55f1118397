"""Traced worker process, which records the calls of its functions.

``python -m devtools.tracing.worker prepare`` creates the tables and the data of the demonstration.

``python -m devtools.tracing.worker serve`` serves on a free port. For each line of standard input
it prints the calls since the previous line; it ends at the end of its input.
"""

from __future__ import annotations

import json
import os
import sys
import threading

from django.core.management import execute_from_command_line

from devtools.tracing.tracer import Trace, Tracer
from meuble_project.env import ROOT

#: Prefix of a line of standard output that answers a line of standard input.
ANSWER = "traced "
PREPARED = "prepared"
#: Packages in the root that are not part of the product; all others are.
TOOLS = frozenset({"devtools", "tests"})
#: Coroutines and callbacks of periodic work, see ``Tracer``: the tasks of the supervisor, the
#: timers of the server, what is received of other workers.
BACKGROUND = frozenset(
    {
        "chat.core.supervisor:Supervisor._run_all",
        "chat.conversations.realtime.pubsub:_LayerLink._receive",
        "server.worker:Worker.application_checker",
        "server.worker:Worker.timeout_checker",
    }
)


def product_packages() -> frozenset[str]:
    """Return the names of the packages in the root that form the product."""
    return frozenset(init.parent.name for init in ROOT.glob("*/__init__.py")) - TOOLS


def answer_questions(tracer: Tracer) -> None:
    """Answer each line of standard input, then exit."""
    for _ in sys.stdin:
        traced, tracer.trace = tracer.trace or Trace(), Trace()
        never_called = sorted(BACKGROUND - tracer.background_called)
        answer = {"trace": traced.to_json(), "never_called": never_called}
        print(f"{ANSWER}{json.dumps(answer)}", flush=True)  # noqa: T201 - read by its parent
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        execute_from_command_line(["manage.py", "migrate", "--verbosity", "0"])
        execute_from_command_line(["manage.py", "make_demo"])
        print(PREPARED, flush=True)  # noqa: T201 - read by its parent
    else:
        tracer = Tracer(ROOT, product_packages(), BACKGROUND)
        tracer.install()
        threading.Thread(target=answer_questions, args=(tracer,), daemon=True).start()
        execute_from_command_line(["manage.py", "serve", "--port", "0"])
