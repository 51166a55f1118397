"""Reports that are kept, and read in the admin."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.conversations.store.maintenance import Orphan
from chat.ops.reports.models import CleanupReport
from chat.ops.reports.queries import last_made_at, past_reports
from chat.ops.reports.services import keep
from tests.ops.reports.samples import report

LIST = "admin:chat_cleanupreport_changelist"

pytestmark = pytest.mark.django_db


def test_report_is_kept_in_numbers():
    row = keep(report(applied=True, removed={Orphan.INDEX: 3}))
    row.refresh_from_db()
    assert (row.active, row.expired, row.orphaned, row.removed) == (1234, 412, 5, 3)
    assert row.details["orphans"]["drafts"] == 2
    assert "secret-" not in str(row.details)


def test_oldest_reports_go_when_there_are_too_many():
    made = [keep(report(active=n), max_kept=3).pk for n in range(5)]
    assert sorted(CleanupReport.objects.values_list("pk", flat=True)) == made[2:]


def test_history_is_oldest_first():
    assert last_made_at() is None
    for n in (2, 0, 1):
        row = keep(report(active=n))
        made_at = timezone.now() - timedelta(days=n)
        CleanupReport.objects.filter(pk=row.pk).update(made_at=made_at)
    assert [one.active for one in past_reports()] == [2, 1, 0]
    assert last_made_at() == past_reports()[-1].made_at


def test_admin_shows_the_history_as_charts_without_styles(admin_client: Client):
    keep(report(active=7))
    keep(report(active=9))

    page = admin_client.get(reverse(LIST)).content.decode()

    assert page.count('<svg class="chart"') == 2
    assert "de 7 à 9, au plus 9" in page
    assert re.findall(r"<svg[^>]*style=|<style", page) == []


def test_admin_shows_one_report_and_changes_nothing(admin_client: Client):
    row = keep(report())
    address = reverse("admin:chat_cleanupreport_change", args=[row.pk])

    page = admin_client.get(address).content.decode()

    assert page.count('<svg class="chart"') == 2
    assert report().biggest[0].ref in page
    assert "Enregistrer" not in page
    assert admin_client.post(address, {"active": 1}).status_code == 403
    assert admin_client.get(reverse("admin:chat_cleanupreport_add")).status_code == 403


def test_admin_refuses_staff_without_the_right(client: Client):
    zoe = get_user_model().objects.create_user("zoe", password="x", is_staff=True)
    client.force_login(zoe)
    assert client.get(reverse(LIST)).status_code == 403

    zoe.user_permissions.add(Permission.objects.get(codename="view_cleanupreport"))
    assert client.get(reverse(LIST)).status_code == 200
