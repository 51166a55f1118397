from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from chat.ops.stats.models import DailyNumber
from chat.ops.stats.queries import asummary, summary
from tests.web.access.staff import MANAGERS, browser_of, staff

NUMBERS = {
    "turns.done": 90,
    "turns.stopped": 4,
    "turns.interrupted": 3,
    "turns.failed": 2,
    "turns.taken_over": 1,
    "errors.assistant_timeout": 5,
    "tokens.prompt": 1_000_000,
    "tokens.completion": 500_000,
    "first_text.0.5": 50,
    "first_text.1": 50,
}


def write(age_days: int = 0, **numbers: int) -> None:
    day = timezone.localdate() - timedelta(days=age_days)
    DailyNumber.objects.bulk_create(
        DailyNumber(day=day, name=name, value=value) for name, value in numbers.items()
    )


@pytest.mark.django_db
def test_summary_of_today(settings):
    settings.ENV = replace(
        settings.ENV,
        openai_price_prompt_eur_per_m=Decimal("0.15"),
        openai_price_completion_eur_per_m=Decimal("0.60"),
    )
    write(**NUMBERS)

    today = summary().today

    assert today.day == timezone.localdate()
    assert (today.turns, today.failures, today.interrupted, today.stopped) == (100, 2, 3, 4)
    assert (today.taken_over, today.tokens) == (1, 1_500_000)
    assert today.euros == Decimal("0.45")
    assert today.first_text_p50_s == pytest.approx(0.5)
    assert today.first_text_p95_s == pytest.approx(0.975)


@pytest.mark.django_db
def test_days_without_numbers_are_there_and_prices_may_be_unknown():
    write(3, **{"turns.done": 7})
    write(5, **{"turns.done": 8})

    days = summary(5).days

    assert [day.turns for day in days] == [0, 7, 0, 0, 0]
    assert days[-1].day - days[0].day == timedelta(days=4)
    assert days[0].euros is None
    assert days[0].first_text_p95_s is None


@pytest.mark.django_db(transaction=True)
async def test_summary_for_asynchronous_callers():
    assert (await asummary(1)).today.turns == 0


@pytest.mark.django_db
def test_numbers_are_listed_by_day_and_read_only():
    write(**NUMBERS)
    staff("karim", MANAGERS)
    browser = browser_of("karim")
    row = DailyNumber.objects.get(name="turns.done")

    page = browser.get(reverse("admin:chat_dailynumber_changelist")).content.decode()
    refused = browser.post(reverse("admin:chat_dailynumber_change", args=[row.pk]), {"value": 1})

    assert "turns.interrupted" in page
    assert refused.status_code == 403
