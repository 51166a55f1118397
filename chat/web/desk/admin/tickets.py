"""Tickets in the admin: found, read, answered; changed through ``handling`` only."""

from __future__ import annotations

from typing import Any, cast

from channels.db import database_sync_to_async
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.core import clock
from chat.shop.tickets import export, mailer, services
from chat.shop.tickets.erasure import erase_tickets, extent_of
from chat.shop.tickets.models import CannedAnswer, OutgoingMail, Ticket
from chat.shop.tickets.queries import urgency
from chat.shop.tickets.services import BadText
from chat.shop.tickets.states import NotAllowed, State
from chat.web.desk.admin import ticket_actions as acts
from chat.web.desk.admin.ticket_conversation import conversation_lives
from chat.web.desk.admin.ticket_detail import context_of
from chat.web.desk.admin.ticket_filters import AdviserFilter, DueFilter, MailStateFilter

#: One file holds so many; more are narrowed first.
MAX_EXPORT = 10_000
MAX_ERASED = 500


class ReadOnly:
    """Nobody adds or deletes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Ticket)
class TicketAdmin(ReadOnly, admin.ModelAdmin[Ticket]):
    list_display = [
        *("number", "urgent", "due", "state_badge", "product", "customer", "adviser", "opened"),
    ]
    list_filter = ["state", "priority", DueFilter, AdviserFilter, "problem"]
    list_select_related = ["adviser"]
    list_per_page = 50
    date_hierarchy = "opened_at"
    search_fields = [
        *("number", "order_number", "email", "customer_name", "words"),
        *("product_name", "product_reference"),
    ]
    actions = ["assign_to_me", "close", "export_csv", "export_json", "erase_several"]

    class Media:
        css = {"all": ["chat/desk/tickets.css"]}

    # The list

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Tickets", **(extra_context or {})})

    @admin.display(description="priorité", ordering="priority")
    def urgent(self, ticket: Ticket) -> SafeString:
        return format_html(
            '<span class="badge badge--{}" title="{}">{}</span>',
            *(ticket.priority.lower(), ticket.get_priority_display(), ticket.priority),
        )

    @admin.display(description="état", ordering="state")
    def state_badge(self, ticket: Ticket) -> SafeString:
        return format_html(
            '<span class="badge badge--ticket-{}">{}</span>',
            *(ticket.state, ticket.get_state_display()),
        )

    @admin.display(description="produit", ordering="product_name")
    def product(self, ticket: Ticket) -> str:
        return ticket.product

    @admin.display(description="client", ordering="email")
    def customer(self, ticket: Ticket) -> str:
        return ticket.customer_name or ticket.email

    @admin.display(description="ouvert le", ordering="opened_at")
    def opened(self, ticket: Ticket) -> str:
        return f"{timezone.localtime(ticket.opened_at):%d/%m/%Y %H:%M}"

    @admin.display(description="première réponse", ordering="first_answer_due_at")
    def due(self, ticket: Ticket) -> SafeString | str:
        if ticket.first_answered_at is not None:
            return "répondu"
        if not ticket.is_open:
            return "–"
        due_at = timezone.localtime(ticket.first_answer_due_at)
        kind = urgency(ticket, clock.now())
        word = {"late": "En retard : ", "risk": "Bientôt : "}.get(kind, "")
        return format_html(
            '<span class="due due--{}">{}{}</span>', kind or "calm", word, f"{due_at:%d/%m %H:%M}"
        )

    # What is done to several

    @admin.action(description="Me les confier", permissions=["change"])
    def assign_to_me(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        user = cast(User, request.user)
        taken = [one for one in queryset if services.assign(one.pk, user, user)]
        for ticket in taken:
            self.log_change(request, ticket, f"Confié à {acts.name_of(user)}.")
        self.message_user(request, f"{len(taken)} ticket(s) vous sont confiés.", messages.SUCCESS)

    @admin.action(description="Clore", permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        user = cast(User, request.user)
        done = [one for one in queryset if services.change_state(one.pk, State.CLOSED, user)]
        for ticket in done:
            self.log_change(request, ticket, "État : clos.")
        self.message_user(request, f"{len(done)} ticket(s) clos.", messages.SUCCESS)

    @admin.action(description="Exporter en CSV", permissions=["export"])
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> HttpResponse:
        # Excel takes a file without this mark for another encoding.
        text = "\ufeff" + export.as_csv(self._exported(request, queryset))
        return _file(text, "text/csv; charset=utf-8", "tickets.csv")

    @admin.action(description="Exporter en JSON", permissions=["export"])
    def export_json(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> HttpResponse:
        text = export.as_json(self._exported(request, queryset))
        return _file(text, "application/json", "tickets.json")

    def _exported(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        chosen = queryset.select_related("adviser")[:MAX_EXPORT]
        LogEntry.objects.log_actions(
            cast(int, request.user.pk), list(chosen), CHANGE, change_message="Exporté."
        )
        return chosen

    @admin.action(description="Effacer définitivement…", permissions=["erase"])
    def erase_several(
        self, request: HttpRequest, queryset: QuerySet[Ticket]
    ) -> HttpResponseBase | None:
        """Ask, then erase those that were chosen."""
        tickets = list(queryset.order_by("pk")[:MAX_ERASED])
        if "confirmed" not in request.POST:
            return self._erasure_page(request, tickets, action="erase_several")
        self._erase(request, tickets)
        return None

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.delete_ticket")

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.export_ticket")

    # One of them

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(require_POST(self.act))
        erase = self.admin_site.admin_view(never_cache(self.erase))
        return [
            path("<int:pk>/change/", self.detail, name="chat_ticket_change"),
            path("<int:pk>/erase/", erase, name="chat_ticket_erase"),
            path("<int:pk>/<str:what>/do/", act, name="chat_ticket_do"),
            *super().get_urls(),
        ]

    async def detail(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Show the ticket. Whether its conversation lives is asked without holding a thread."""
        page = await database_sync_to_async(self._framed)(request, pk)
        if isinstance(page, TemplateResponse) and page.context_data is not None:
            ticket = page.context_data.get("ticket")
            if ticket is not None:
                page.context_data["conversation"] = await conversation_lives(ticket.session_ref)
            await database_sync_to_async(page.render)()
        return page

    def _framed(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        return self.admin_site.admin_view(never_cache(require_safe(self.show)))(request, pk)

    def show(self, request: HttpRequest, pk: int, **more: Any) -> HttpResponseBase:
        ticket = self.get_object(request, str(pk))
        if not self.has_view_permission(request, ticket):
            raise PermissionDenied
        if ticket is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))  # type: ignore[attr-defined, no-any-return]
        context = {
            **self.admin_site.each_context(request),
            **context_of(ticket, cast(User, request.user)),
            "title": ticket.number,
            "subtitle": "",
            "opts": self.opts,
            "media": self.media,
            "may_change": self.has_change_permission(request, ticket),
            "may_erase": self.has_erase_permission(request),
            **more,
        }
        return TemplateResponse(
            request, "admin/tickets/ticket.html", context, status=422 if more.get("error") else 200
        )

    def act(self, request: HttpRequest, pk: int, what: str) -> HttpResponseBase:
        """Do one of ``ACTS``; a reply may also be completed by a canned answer, and not sent."""
        ticket = self.get_object(request, str(pk))
        if not self.has_change_permission(request, ticket):
            raise PermissionDenied
        if ticket is None or what not in acts.ACTS:
            return redirect("admin:chat_ticket_changelist")
        if what == "reply" and "insert" in request.POST:
            return self.show(request, pk, typed={"reply": acts.with_canned(ticket, request.POST)})
        try:
            done = acts.ACTS[what](ticket, request.POST, cast(User, request.user))
        except (BadText, NotAllowed) as error:
            typed = {what: request.POST.get("text", "")}
            return self.show(request, pk, error=str(error), typed=typed)
        if done:
            self.log_change(request, ticket, done)
            self.message_user(request, done, messages.SUCCESS)
        return redirect("admin:chat_ticket_change", pk)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def erase(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Ask, then erase one ticket with all that belongs to it."""
        if not self.has_erase_permission(request):
            raise PermissionDenied
        tickets = list(Ticket.objects.filter(pk=pk))
        if request.method == "POST" or not tickets:
            self._erase(request, tickets)
            return redirect("admin:chat_ticket_changelist")
        return self._erasure_page(request, tickets)

    def _erasure_page(
        self, request: HttpRequest, tickets: list[Ticket], action: str = ""
    ) -> HttpResponseBase:
        """``action``: the one of the list that asks, or ""."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Effacer définitivement ?",
            "opts": self.opts,
            "media": self.media,
            "tickets": tickets,
            "extent": extent_of(tickets),
            "action": action,
        }
        return TemplateResponse(request, "admin/tickets/erase.html", context)

    def _erase(self, request: HttpRequest, tickets: list[Ticket]) -> None:
        user_id = cast(int, request.user.pk)
        extent = erase_tickets([ticket.pk for ticket in tickets], user_id=user_id)
        numbers = ", ".join(extent.numbers)
        told = f"Effacé définitivement : {numbers}." if numbers else "Il n’y avait rien à effacer."
        self.message_user(request, told, messages.SUCCESS)


def _file(text: str, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@admin.register(CannedAnswer)
class CannedAnswerAdmin(admin.ModelAdmin[CannedAnswer]):
    list_display = ["title", "beginning"]
    search_fields = ["title", "text"]

    @admin.display(description="texte")
    def beginning(self, answer: CannedAnswer) -> str:
        return answer.text[:100]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnly, admin.ModelAdmin[OutgoingMail]):
    """To be read: what went, what waits, and why. What did not go may be sent again."""

    list_display = ["created_at", "to", "subject", "state", "tries", "sent_at", "error"]
    list_filter = [MailStateFilter]
    actions = ["send_again"]
    date_hierarchy = "created_at"
    search_fields = ["to", "subject", "ticket__number"]

    @admin.display(description="état")
    def state(self, mail: OutgoingMail) -> str:
        if mail.sent_at is not None:
            return "envoyé"
        if mail.is_refused:
            return "refusé par le destinataire"
        return "abandonné" if mail.is_given_up else "à envoyer"

    @admin.action(description="Renvoyer les e-mails qui ne sont pas partis", permissions=["view"])
    def send_again(self, request: HttpRequest, mails: QuerySet[OutgoingMail]) -> None:
        user_id = cast(int, request.user.pk)
        chosen = mails.filter(sent_at=None).exclude(body="")
        if not chosen.exists():
            told = "Aucun e-mail à renvoyer : ils sont partis, ou leur texte a été supprimé."
            self.message_user(request, told, messages.WARNING)
            return
        LogEntry.objects.log_actions(user_id, chosen, CHANGE, change_message="Renvoyé.")
        count = mailer.send_again(chosen)
        plural = "s" if count > 1 else ""
        told = f"{count} e-mail{plural} à nouveau en attente d’envoi."
        self.message_user(request, told, messages.SUCCESS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
