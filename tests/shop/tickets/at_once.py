"""One worker of a race, as a process: ``python -m tests.shop.tickets.at_once '<form>'``.

It says "ready", and at a line from its standard input opens the form's ticket in several threads,
has everybody write and sends the e-mails; then it tells as JSON what came of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django
from django.db import connections

THREADS = 4
#: Each is sent by everybody, under the same key.
MESSAGES = 12


def run(form_json: dict[str, Any]) -> dict[str, Any]:
    from chat.shop.tickets.draft import TicketDraft  # noqa: PLC0415 - after setup
    from chat.shop.tickets.mailer import Mailer  # noqa: PLC0415
    from chat.shop.tickets.opening import open_ticket  # noqa: PLC0415
    from chat.shop.tickets.services import add_customer_message  # noqa: PLC0415

    form = TicketDraft.from_json(form_json)

    def press(_: int) -> tuple[int, bool]:
        ticket, created = open_ticket(form, "0" * 16)
        for n in range(MESSAGES):
            add_customer_message(ticket.pk, f"Message {n}", f"key-{n}")
        return ticket.pk, created

    opened = _together(press)
    sent = _together(lambda _: sum(Mailer().send_due() for _ in range(4)))
    return {"opened": opened, "sent": sum(sent)}


def _together(work: Callable[[int], Any]) -> list[Any]:
    def closing(n: int) -> Any:
        try:
            return work(n)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(closing, range(THREADS)))


if __name__ == "__main__":
    django.setup()
    print("ready", flush=True)  # noqa: T201 - to the test
    sys.stdin.readline()
    print(json.dumps(run(json.loads(sys.argv[1]))), flush=True)  # noqa: T201
