from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import STORE
from chat.core.errors import SessionNotFound, StoreUnavailable
from chat.shop.tickets.export import FIELDS
from chat.shop.tickets.models import CannedAnswer, OutgoingMail, Ticket
from chat.shop.tickets.services import add_note, change_state, reply
from chat.shop.tickets.states import State
from tests.database import refusing
from tests.shop.tickets.builders import DANGER, REF, opened
from tests.stores import FaultyStore
from tests.web.access.staff import ADVISERS, MANAGERS, staff

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "admin:chat_ticket_changelist"
PAGE = "admin:chat_ticket_change"
DO = "admin:chat_ticket_do"
NOW = timezone.now


def enter(username: str, group: str = "", **options: bool) -> tuple[Client, User]:
    user = staff(username, group, **options)
    client = Client()
    client.force_login(user)
    return client, user


@pytest.fixture
def claire(db: None) -> tuple[Client, User]:
    return enter("claire", ADVISERS)


@pytest.fixture
def ticket(db: None) -> Ticket:
    return opened()


def do(client: Client, ticket: Ticket, what: str, **form: str) -> int:
    return client.post(reverse(DO, args=[ticket.pk, what]), form).status_code


def logged(ticket: Ticket) -> list[tuple[str, str]]:
    entries = LogEntry.objects.filter(object_id=str(ticket.pk), content_type__model="ticket")
    return [(entry.user.username, entry.get_change_message()) for entry in entries.order_by("pk")]


def listed(client: Client, **query: str) -> set[str]:
    page = client.get(reverse(LIST), query)
    assert page.status_code == 200
    return {row.words for row in page.context["cl"].result_list}


# Rights


def test_pages_open_to_those_who_have_the_right_only(ticket):
    canned = CannedAnswer.objects.create(title="T", text="x")
    who = {
        "stranger": Client(),
        "zoé": enter("zoé")[0],
        "claire": enter("claire", ADVISERS)[0],
        "nadia": enter("nadia", MANAGERS)[0],
        "admin": enter("admin", is_superuser=True)[0],
    }
    mail = OutgoingMail.objects.all()[0]
    pages = {
        "list": reverse(LIST),
        "ticket": reverse(PAGE, args=[ticket.pk]),
        "log": reverse("admin:chat_ticket_history", args=[ticket.pk]),
        "delete": reverse("admin:chat_ticket_delete", args=[ticket.pk]),
        "add": reverse("admin:chat_ticket_add"),
        "canned": reverse("admin:chat_cannedanswer_changelist"),
        "new canned": reverse("admin:chat_cannedanswer_add"),
        "end canned": reverse("admin:chat_cannedanswer_delete", args=[canned.pk]),
        "mails": reverse("admin:chat_outgoingmail_changelist"),
        "mail": reverse("admin:chat_outgoingmail_change", args=[mail.pk]),
    }
    codes = {
        page: [client.get(path).status_code for client in who.values()]
        for page, path in pages.items()
    }

    assert codes == {
        "list": [302, 403, 200, 200, 200],
        "ticket": [302, 403, 200, 200, 200],
        "log": [302, 403, 200, 200, 200],
        "delete": [302, 403, 403, 403, 403],
        "add": [302, 403, 403, 403, 403],
        "canned": [302, 403, 200, 200, 200],
        "new canned": [302, 403, 403, 200, 200],
        "end canned": [302, 403, 403, 403, 200],
        "mails": [302, 403, 403, 200, 200],
        "mail": [302, 403, 403, 200, 200],
    }


@pytest.mark.parametrize("what", ["reply", "note", "state", "assign", "priority"])
def test_acts_are_refused_without_the_right_or_the_token(ticket, what):
    form = {"text": "x", "state": "closed", "adviser": "", "priority": "P0"}
    zoe, _ = enter("zoé")
    assert do(zoe, ticket, what, **form) == 403
    assert do(Client(), ticket, what, **form) == 302
    assert zoe.get(reverse(DO, args=[ticket.pk, what])).status_code in (403, 405)

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff("claire", ADVISERS))
    assert do(strict, ticket, what, **form) == 403
    ticket.refresh_from_db()
    assert (ticket.state, ticket.entries.count(), logged(ticket)) == ("new", 1, [])


def test_who_may_only_see_gets_no_form(ticket):
    client, user = enter("luc")
    user.user_permissions.add(*staff_permissions("view_ticket"))
    page = client.get(reverse(PAGE, args=[ticket.pk]))

    assert page.status_code == 200
    assert f"/{ticket.pk}/reply/do/" not in page.content.decode()
    assert do(client, ticket, "note", text="x") == 403
    assert "export_csv" not in client.get(reverse(LIST)).content.decode()


def staff_permissions(*codenames: str):
    from django.contrib.auth.models import Permission  # noqa: PLC0415

    return Permission.objects.filter(codename__in=codenames)


# The list


def test_list_shows_what_is_urgent(claire, ticket):
    client, _ = claire
    late, risk = opened(words="En retard"), opened(words=DANGER)
    Ticket.objects.filter(pk=late.pk).update(first_answer_due_at=NOW() - timedelta(hours=1))
    Ticket.objects.filter(pk=risk.pk).update(
        first_answer_risk_at=NOW() - timedelta(hours=1),
        first_answer_due_at=NOW() + timedelta(hours=1),
    )
    page = client.get(reverse(LIST)).content.decode()

    assert page.count("due due--late") == page.count("due due--risk") == 1
    assert "badge--p0" in page
    assert listed(client, due="late") == {"En retard"}
    assert listed(client, due="risk") == {DANGER}
    assert listed(client, due="both") == {"En retard", DANGER}
    assert len(listed(client, due="nonsense")) == 3


def test_answered_and_closed_are_never_late(claire, ticket):
    client, user = claire
    other = opened(words="Autre")
    reply(ticket.pk, "Bonjour", user)
    change_state(other.pk, State.CLOSED, user)
    Ticket.objects.update(first_answer_due_at=NOW() - timedelta(hours=1))

    assert listed(client, due="both") == set()
    assert "due--late" not in client.get(reverse(LIST)).content.decode()


def test_list_is_narrowed_by_adviser(claire, ticket):
    client, user = claire
    karim = staff("karim", ADVISERS)
    for words, adviser in (("À moi", user), ("À Karim", karim)):
        Ticket.objects.filter(pk=opened(words=words).pk).update(adviser=adviser)

    assert listed(client, adviser="me") == {"À moi"}
    assert listed(client, adviser="none") == {ticket.words}
    assert listed(client, adviser=str(karim.pk)) == {"À Karim"}
    assert len(listed(client, adviser="9" * 30)) == 3


@pytest.mark.parametrize(
    "query", ["SAV-", "CMD-2025-54321", "camille@", "Martin", "grince", "OSLO"]
)
def test_search_finds_by_what_an_adviser_knows(claire, query):
    opened(words="Ça grince", order_number="CMD-2025-54321")
    client, _ = claire

    assert listed(client, q=query) == {"Ça grince"}
    assert listed(client, q="introuvable") == set()


# What is done to several


def act_on_all(client: Client, action: str):
    chosen = [str(pk) for pk in Ticket.objects.values_list("pk", flat=True)]
    return client.post(reverse(LIST), {"action": action, "_selected_action": chosen})


def test_taking_and_closing_several_is_written_in_the_log(claire, ticket):
    client, user = claire
    closed = opened()
    change_state(closed.pk, State.CLOSED, user)
    act_on_all(client, "assign_to_me")
    act_on_all(client, "close")

    assert set(Ticket.objects.values_list("adviser", "state")) == {(user.pk, "closed")}
    assert logged(ticket) == [("claire", "Confié à claire."), ("claire", "État : clos.")]
    assert logged(closed) == [("claire", "Confié à claire.")]


def test_export_is_for_managers_and_holds_no_formula(claire, ticket):
    opened(words='=HYPERLINK("http://evil.test")', customer_name="+33 1", email="zoe@example.test")
    nadia, _ = enter("nadia", MANAGERS)
    refused = act_on_all(claire[0], "export_csv")
    table, data = (act_on_all(nadia, f"export_{kind}") for kind in ("csv", "json"))

    assert not refused.has_header("Content-Disposition")
    assert table["Content-Disposition"] == 'attachment; filename="tickets.csv"'
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert tuple(rows[0]) == FIELDS
    assert rows[0]["words"] == '\'=HYPERLINK("http://evil.test")'
    assert rows[0]["customer_name"] == "'+33 1"
    loaded = json.loads(data.content)
    assert [one["words"] for one in loaded][1] == ticket.words
    assert loaded[0]["words"].startswith("=HYPERLINK")
    assert loaded[0]["opened_at"].endswith("Z")
    assert logged(ticket) == [("nadia", "Exporté.")] * 2


# One ticket


def test_page_shows_facts_points_and_history(claire, ticket):
    client, user = claire
    add_note(ticket.pk, "Client <b>pressé</b>", user)
    earlier = opened(words="Un autre")
    page = client.get(reverse(PAGE, args=[ticket.pk])).content.decode()

    for label, points in ticket.breakdown:
        assert f"<dt>{label}</dt><dd>{points}</dd>" in page.replace("&#x27;", "'")
    assert "&lt;b&gt;pressé" in page
    assert str(earlier.number) in page
    assert "Garantie légale de conformité" in page
    assert "en attente" in page  # the e-mails
    assert client.get(reverse(PAGE, args=[ticket.pk + 1000])).status_code == 302


@pytest.mark.parametrize(
    "error, told",
    [
        (None, "Ouvrir la conversation"),
        (SessionNotFound(), "effacée ou expirée"),
        (StoreUnavailable(), "illisible en ce moment"),
    ],
)
def test_conversation_is_linked_while_it_lives(claire, ticket, replace_parts, error, told):
    async def found(find: Any, ref: str) -> str:
        assert ref == REF
        return "an-id"

    replace_parts(STORE.to(FaultyStore.of(MemoryStore(86_400), find=error or found)))
    page = claire[0].get(reverse(PAGE, args=[ticket.pk])).content.decode()

    assert told in page
    assert (reverse("admin:chat_chatsession_change", args=[REF]) in page) == (error is None)


def test_acts_go_through_and_are_written_in_the_log(claire, ticket):
    client, _ = claire
    karim = staff("karim", ADVISERS)
    done = [
        do(client, ticket, "note", text="Note", key="k1"),
        do(client, ticket, "assign", adviser=str(karim.pk)),
        do(client, ticket, "priority", priority="P0"),
        do(client, ticket, "reply", text="Bonjour", key="k2"),
        do(client, ticket, "state", state="resolved"),
        do(client, ticket, "assign", adviser=""),
    ]
    repeated = [
        do(client, ticket, "reply", text="Bonjour", key="k2"),
        do(client, ticket, "state", state="resolved"),
    ]
    ticket.refresh_from_db()

    assert set(done + repeated) == {302}
    assert (ticket.state, ticket.priority, ticket.adviser) == ("resolved", "P0", None)
    assert logged(ticket) == [
        ("claire", message)
        for message in (
            *("Note ajoutée.", "Confié à karim.", "Priorité : P0.", "Réponse envoyée au client."),
            *("État : résolu.", "N’est plus confié à personne."),
        )
    ]
    kinds = list(ticket.entries.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["opened", "note", "assigned", "priority", "reply", "state", "assigned"]


@pytest.mark.parametrize(
    "what, form, told",
    [
        ("reply", {"text": " "}, "Écrivez quelques mots"),
        ("reply", {"text": "x" * 4001}, "dépasse 4000"),
        ("note", {"text": ""}, "Écrivez quelques mots"),
        ("state", {"state": "new"}, "ne peut pas devenir"),
        ("state", {"state": "lost"}, "Choisissez un état"),
        ("priority", {"priority": "P9"}, "Choisissez une priorité"),
        ("assign", {"adviser": "999999"}, "ne peut pas suivre"),
    ],
)
def test_what_is_refused_is_said_and_given_back(claire, ticket, what, form, told):
    client, user = claire
    change_state(ticket.pk, State.IN_PROGRESS, user)
    answer = client.post(reverse(DO, args=[ticket.pk, what]), form)

    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert form.get("text", "") in answer.content.decode()
    assert logged(ticket) == []


def test_ticket_is_given_to_those_who_may_work_on_it_only(claire, ticket):
    zoe = staff("zoé")
    away = staff("parti", ADVISERS)
    User.objects.filter(pk=away.pk).update(is_active=False)

    for person in (zoe, away):
        assert do(claire[0], ticket, "assign", adviser=str(person.pk)) == 422


def test_canned_answer_is_inserted_without_a_script_and_not_sent(claire, ticket):
    client, _ = claire
    canned = CannedAnswer.objects.create(title="Photos", text="{client}, pour {numero} :")
    form = {"text": "Déjà tapé", "canned": str(canned.pk), "insert": "1"}
    page = client.post(reverse(DO, args=[ticket.pk, "reply"]), form)

    assert page.status_code == 200
    assert (
        f"Déjà tapé\n\nCamille Martin, pour {ticket.number} :</textarea>" in page.content.decode()
    )
    assert ticket.entries.count() == 1
    for nonsense in ("", "x", "99999", "²"):
        form["canned"] = nonsense
        page = client.post(reverse(DO, args=[ticket.pk, "reply"]), form)
        assert "Déjà tapé</textarea>" in page.content.decode()


def test_unknown_act_and_ticket_lead_back_to_the_list(claire, ticket):
    client, _ = claire

    assert do(client, ticket, "delete") == 302
    assert client.post(reverse(DO, args=[ticket.pk + 1000, "note"]), {"text": "x"}).url == (
        reverse(LIST)
    )


# The first page


def cards_for(user: User) -> str:
    request = RequestFactory().get("/admin/")
    request.user = user
    template = Template("{% load tickets %}{% ticket_cards %}")
    return template.render(Context({"request": request}))


def test_cards_count_what_waits_for_those_who_may_see(claire, ticket):
    _, user = claire
    Ticket.objects.filter(pk=opened().pk).update(
        adviser=user, first_answer_due_at=NOW() - timedelta(hours=1)
    )
    shown = cards_for(user)

    assert [part.partition("<")[0] for part in shown.split('card__value">')[1:]] == [
        *("1", "0", "2", "1")
    ]
    assert cards_for(staff("zoé")).strip() == ""

    with refusing('"chat_ticket"'):
        assert "ne peuvent pas être lus" in cards_for(user)
