"""What a part is given, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chat.bench.plan import Plan
from chat.bench.site import Site

#: Turns of each side before anything counts.
WARMING = 40


@dataclass(slots=True)
class Context:
    """``tell``: called with what is measured now. ``failures``: of all parts, in words.

    ``model_busiest``: the largest share of a core that the model used.
    """

    plan: Plan
    site: Site
    tell: Callable[[str], None]
    failures: list[str] = field(default_factory=list)
    model_busiest: float = 0.0

    def pace(self) -> dict[str, Any]:
        """Have the model stream at the plan's pace; return the script."""
        return self.site.pace(self.plan.first_token_ms, self.plan.tokens_per_s)

    def warm(self) -> None:
        """Have every side answer before anything counts: clients and connections are made then."""
        self.tell("warming up")
        script, site = self.site.pace(0, 0), self.site
        for url, path, headers in (
            (site.url, "/api/chat", site.headers),
            (site.relay_url, "/stream", {}),
        ):
            job = {"kind": "turns", "url": url, "path": path, "headers": headers}
            found = site.drivers.ask(
                job | {"turns": WARMING, "conversations": WARMING // 4, "script": script}
            )
            self.failures += found["failures"]


def not_here(is_known: bool) -> str:
    """Why a figure of a process is not judged: "" where the system tells it."""
    return "" if is_known else "only Linux tells it"
