"""Models of after-sales tickets, their history, canned answers and outgoing e-mails."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from chat.shop.tickets import states
from chat.shop.tickets.priority import MEANINGS, PROBLEM_POINTS, SEVERITY_POINTS, Priority
from chat.shop.tickets.problems import Problem, Severity

_PRIORITIES = [(priority.value, f"{priority} · {MEANINGS[priority]}") for priority in Priority]
_PROBLEMS = [(problem.value, PROBLEM_POINTS[problem][0]) for problem in Problem]
_SEVERITIES = [(severity.value, SEVERITY_POINTS[severity][0]) for severity in Severity]
_STATES = [(state.value, states.LABELS[state]) for state in states.State]


class Ticket(models.Model):
    """After-sales request. Created once per confirmed draft: ``form_id`` is unique.

    ``session_ref``: ``ref_of`` the conversation, whose text is not stored here. ``words``: the
    customer's description of the problem. ``breakdown``: ``[["Problème : structure", 30], …]``.
    ``order_is_theirs``: the order exists and has the ticket's e-mail.
    ``link_version``: of the link to the customer's page; links of other versions are invalid.
    ``link_sent_at``: when staff last sent a new link.
    ``first_answer_risk_at``: when three quarters of the time for a first answer have passed.
    """

    #: Derived from the primary key, so unknown until the row is inserted.
    number = models.CharField(  # noqa: DJ001 - unique: "" could stand there only once
        "numéro", max_length=20, unique=True, null=True, editable=False
    )
    form_id = models.CharField(max_length=40, unique=True, editable=False)
    session_ref = models.CharField("conversation", max_length=16, blank=True, db_index=True)
    state = models.CharField("état", max_length=12, choices=_STATES, default=states.State.NEW)
    priority = models.CharField("priorité", max_length=2, choices=_PRIORITIES)
    points = models.PositiveSmallIntegerField("points")
    breakdown = models.JSONField("détail des points", default=list)
    danger = models.CharField("mot de danger", max_length=60, blank=True)
    problem = models.CharField("problème", max_length=12, choices=_PROBLEMS)
    severity = models.CharField("gravité", max_length=10, choices=_SEVERITIES)
    words = models.TextField("en ses mots", max_length=4000)
    product_reference = models.CharField("référence", max_length=20, blank=True)
    product_name = models.CharField("produit", max_length=200, blank=True)
    order_number = models.CharField("commande", max_length=20, blank=True, db_index=True)
    order_is_theirs = models.BooleanField("commande vérifiée", default=False)
    delivered_on = models.DateField("livré le", null=True, blank=True)
    customer_name = models.CharField("client", max_length=200, blank=True)
    email = models.EmailField("e-mail")
    adviser = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name="conseiller",
    )
    opened_at = models.DateTimeField("ouvert le")
    first_answer_risk_at = models.DateTimeField("à risque dès le", editable=False)
    first_answer_due_at = models.DateTimeField("première réponse avant le")
    first_answered_at = models.DateTimeField("première réponse le", null=True, editable=False)
    closed_at = models.DateTimeField("clos le", null=True, editable=False)
    link_version = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    link_sent_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "ticket"
        verbose_name_plural = "tickets"
        ordering = ["-opened_at"]
        # Created by conversations only; deleted on request or at the end of their retention.
        default_permissions = ("view", "change", "delete")
        permissions = (("export_ticket", "Peut exporter les tickets"),)
        indexes = [
            models.Index(fields=["state", "first_answer_due_at"], name="tickets_due"),
            models.Index(fields=["email", "opened_at"], name="tickets_of_an_address"),
        ]

    def __str__(self) -> str:
        return self.number or "ticket"

    @property
    def is_open(self) -> bool:
        """Whether the ticket still needs work."""
        return states.State(self.state) in states.OPEN

    @property
    def is_closed(self) -> bool:
        return self.state == states.State.CLOSED

    @property
    def product(self) -> str:
        """Name of the product; "votre meuble" if unknown."""
        return self.product_name or self.product_reference or "votre meuble"


class TicketEntry(models.Model):
    """Entry of a ticket's history. ``by``: None for the customer or the application.

    ``state``: new state of the ticket, or "".
    """

    class Kind(models.TextChoices):
        OPENED = "opened", "ouverture"
        STATE = "state", "état"
        ASSIGNED = "assigned", "affectation"
        REPLY = "reply", "réponse du magasin"
        CUSTOMER = "customer", "message du client"
        NOTE = "note", "note interne"
        PRIORITY = "priority", "priorité"

    #: Entries shown on the customer's page.
    PUBLIC = frozenset({Kind.OPENED, Kind.STATE, Kind.REPLY, Kind.CUSTOMER})

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField("le")
    kind = models.CharField("nature", max_length=10, choices=Kind.choices)
    text = models.TextField("texte", blank=True)
    state = models.CharField("état", max_length=12, choices=_STATES, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="par",
    )
    #: Idempotency key of a submitted form; None if there is none.
    key = models.CharField(  # noqa: DJ001 - as the ticket's number
        max_length=100, null=True, unique=True, editable=False
    )

    class Meta:
        verbose_name = "entrée"
        verbose_name_plural = "historique"
        ordering = ["at", "pk"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.at:%d/%m/%Y %H:%M}"


class CannedAnswer(models.Model):
    """Reply template for advisers, with placeholders ``{client}``, ``{numero}``, ``{produit}``."""

    title = models.CharField("titre", max_length=100, unique=True)
    text = models.TextField(
        "texte", max_length=4000, help_text="{client}, {numero} et {produit} sont remplacés."
    )

    class Meta:
        verbose_name = "réponse type"
        verbose_name_plural = "réponses types"
        ordering = ["title"]
        default_permissions = ("view", "add", "change")

    def __str__(self) -> str:
        return self.title


class OutgoingMail(models.Model):
    """Outbox row of an e-mail, inserted in the transaction of the change that it reports.

    ``key``: idempotency key. ``error``: last answer of the server. ``refusals``: number of
    permanent refusals. ``body`` is emptied some time after sending. ``reply_to``: address for
    replies, or "".
    """

    #: Tries, and permanent refusals, after which an e-mail is abandoned.
    MAX_TRIES = 8
    MAX_REFUSALS = 3

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="mails", verbose_name="ticket"
    )
    key = models.CharField(max_length=80, unique=True, editable=False)
    to = models.EmailField("à")
    reply_to = models.EmailField("répondre à", blank=True)
    subject = models.CharField("objet", max_length=200)
    body = models.TextField("texte", blank=True)
    created_at = models.DateTimeField("écrit le")
    due_at = models.DateTimeField("à envoyer le")
    tries = models.PositiveSmallIntegerField("essais", default=0)
    # A database default, since workers of the previous release insert rows during a deployment.
    refusals = models.PositiveSmallIntegerField("refus définitifs", default=0, db_default=0)
    sent_at = models.DateTimeField("envoyé le", null=True, blank=True)
    error = models.CharField("erreur", max_length=300, blank=True)

    class Meta:
        verbose_name = "e-mail sortant"
        verbose_name_plural = "e-mails sortants"
        ordering = ["-created_at"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(sent_at=None), name="mails_due")
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def is_refused(self) -> bool:
        """Whether the recipient's server refused it permanently, so it is not retried."""
        return self.sent_at is None and self.refusals >= self.MAX_REFUSALS

    @property
    def is_given_up(self) -> bool:
        return self.sent_at is None and (self.is_refused or self.tries >= self.MAX_TRIES)
