"""Statistics of the after-sales service over a period, without any text of customers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, TypeVar

from chat.core.ids import isoformat
from chat.shop.hours import PARIS
from chat.shop.tickets.models import Ticket
from chat.shop.tickets.open_hours import open_time
from chat.shop.tickets.priority import Priority
from chat.shop.tickets.problems import Problem
from chat.shop.tickets.queries import is_at_risk, is_late
from chat.shop.tickets.states import OPEN, State


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStatistics:
    """Ticket statistics of one period.

    ``opened``, ``closed``: in the period. The ``by_…`` and the answers concern tickets opened in
    it; ``to_do``, ``late``, ``at_risk`` are current, whenever the tickets were opened.
    ``in_time``: first answers before their deadline. ``missed``: first answers after it, or still
    missing although it has passed. ``median_s``: opening hours to the first answer, None without
    any. ``days``: tickets opened per day.
    """

    made_at: datetime
    since: datetime
    opened: int
    closed: int
    to_do: int
    late: int
    at_risk: int
    answered: int
    in_time: int
    missed: int
    median_s: float | None
    by_priority: dict[Priority, int]
    by_state: dict[State, int]
    by_problem: dict[Problem, int]
    days: tuple[tuple[date, int], ...] = field(default=())

    @property
    def in_time_percent(self) -> int | None:
        """Percentage rounded down, so 100 only if none was missed. None if none was due yet."""
        decided = self.in_time + self.missed
        return 100 * self.in_time // decided if decided else None

    def to_json(self) -> dict[str, Any]:
        return {
            "made_at": isoformat(self.made_at),
            "since": isoformat(self.since),
            **{name: getattr(self, name) for name in _COUNTS},
            "in_time_percent": self.in_time_percent,
            "median_first_answer_open_s": self.median_s,
            "by_priority": {one.value: count for one, count in self.by_priority.items()},
            "by_state": {one.value: count for one, count in self.by_state.items()},
            "by_problem": {one.value: count for one, count in self.by_problem.items()},
        }


Kind = TypeVar("Kind", Priority, State, Problem)

_COUNTS = ("opened", "closed", "to_do", "late", "at_risk", "answered", "in_time", "missed")


def ticket_statistics(since: datetime, now: datetime) -> TicketStatistics:
    """Return the statistics from ``since`` to ``now``.

    Raises:
        django.db.Error: the database is unavailable.
    """
    tickets = list(
        Ticket.objects.filter(opened_at__gte=since, opened_at__lte=now).only(
            *("state", "priority", "problem", "opened_at", "first_answer_due_at"),
            "first_answered_at",
        )
    )
    answered = [one for one in tickets if one.first_answered_at is not None]
    in_time = sum(_is_in_time(one) for one in answered)
    overdue = sum(
        one.first_answered_at is None and one.is_open and one.first_answer_due_at < now
        for one in tickets
    )
    return TicketStatistics(
        made_at=now,
        since=since,
        opened=len(tickets),
        closed=Ticket.objects.filter(closed_at__gte=since, closed_at__lte=now).count(),
        to_do=Ticket.objects.filter(state__in=OPEN).count(),
        late=Ticket.objects.filter(is_late(now)).count(),
        at_risk=Ticket.objects.filter(is_at_risk(now)).count(),
        answered=len(answered),
        in_time=in_time,
        missed=len(answered) - in_time + overdue,
        median_s=_median_s(answered),
        by_priority=_spread(Priority, [one.priority for one in tickets]),
        by_state=_spread(State, [one.state for one in tickets]),
        by_problem=_spread(Problem, [one.problem for one in tickets]),
        days=_days(since, now, [one.opened_at for one in tickets]),
    )


def _is_in_time(ticket: Ticket) -> bool:
    return ticket.first_answered_at is not None and (
        ticket.first_answered_at <= ticket.first_answer_due_at
    )


def _median_s(answered: list[Ticket]) -> float | None:
    times = [
        open_time(one.opened_at, one.first_answered_at).total_seconds()
        for one in answered
        if one.first_answered_at is not None
    ]
    return median(times) if times else None


def _spread(kinds: type[Kind], values: list[str]) -> dict[Kind, int]:
    counts = Counter(values)
    return {kind: counts[kind.value] for kind in kinds}


def _days(since: datetime, now: datetime, opened: list[datetime]) -> tuple[tuple[date, int], ...]:
    counts = Counter(moment.astimezone(PARIS).date() for moment in opened)
    first, last = since.astimezone(PARIS).date(), now.astimezone(PARIS).date()
    whole = range((last - first).days + 1)
    return tuple((day, counts[day]) for day in (first + timedelta(days=n) for n in whole))
