"""Sends queued e-mails with retries. Each worker runs a mailer; they share the rows of the outbox.

A queued e-mail is retried for about a day, and its row records the outcome. An answer of 5xx to the
recipient or to the content is permanent for this e-mail: after ``MAX_REFUSALS`` such answers it is
abandoned. All other failures (4xx, no connection, wrong password, refused sender) concern every
e-mail and are temporary, so they use all tries. Staff can retry an e-mail (``send_again``).
"""

from __future__ import annotations

import asyncio
import logging
import smtplib
import threading
from datetime import date, datetime, timedelta

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, Q, QuerySet

from chat.core import clock
from chat.core.threads import THREADS
from chat.shop.tickets.models import OutgoingMail

logger = logging.getLogger(__name__)

EVERY_S = 5.0
#: Time that a stopping worker, which has 3 s in all, waits for the e-mail being sent.
LAST_S = 2.5
AT_ONCE = 20
#: Pauses between tries; ``OutgoingMail.MAX_TRIES`` tries in all.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
#: Pauses after a permanent refusal: some servers give one to an unknown sender, so the next try is
#: later.
REFUSED_PAUSES = (timedelta(hours=1), timedelta(hours=6))
#: Time after which an e-mail claimed by a worker that died is retried by another one.
TAKEN_FOR = timedelta(minutes=10)
#: Retention of the texts of e-mails.
KEEP_BODIES = timedelta(days=30)

#: Condition for e-mails that are not retried any more.
GIVEN_UP = Q(sent_at=None) & (
    Q(tries__gte=OutgoingMail.MAX_TRIES) | Q(refusals__gte=OutgoingMail.MAX_REFUSALS)
)


class Mailer:
    """Sends due e-mails. Any number of mailers may run, in any number of processes.

    An e-mail that the server accepted is sent once: if its row cannot be updated, the next round
    updates it. Only a worker killed in between causes a second copy, with the same ``Message-ID``.
    """

    def __init__(self) -> None:
        self._sent: dict[int, datetime] = {}
        self._tidied_on: date | None = None
        self._stopping = threading.Event()
        self._round = threading.Lock()

    def stop(self, timeout_s: float = LAST_S) -> bool:
        """Stop after the e-mail being sent. Return whether the round ended within the timeout."""
        self._stopping.set()
        if not self._round.acquire(timeout=timeout_s):
            return False
        self._round.release()
        return True

    def make_round(self) -> int:
        """Send due e-mails, and once a day remove old texts. Return the number of e-mails sent.

        Raises:
            django.db.Error: the remaining e-mails are sent in a later round.
        """
        with self._round:
            sent = self.send_due()
        if self._tidied_on != (today := clock.today()):
            forget_old_bodies()
            self._tidied_on = today
        return sent

    def send_due(self, limit: int = AT_ONCE) -> int:
        """Send due e-mails, oldest first; return the number sent.

        Raises:
            django.db.Error: as ``make_round``.
        """
        self._note_sent()
        count = 0
        due = OutgoingMail.objects.filter(sent_at=None, due_at__lte=clock.now())
        due = due.filter(tries__lt=OutgoingMail.MAX_TRIES, refusals__lt=OutgoingMail.MAX_REFUSALS)
        for mail in due.order_by("due_at", "pk")[:limit]:
            if self._stopping.is_set():
                break
            if _take(mail):
                count += self._send(mail)
        return count

    def _send(self, mail: OutgoingMail) -> bool:
        try:
            if not _message(mail).send():  # 0: Django found no recipient
                raise NoRecipientError("no recipient: correct the address and send it again")
        except Exception as error:  # noqa: BLE001 - any error of the server or the network
            _note_failure(mail, error)
            return False
        self._sent[mail.pk] = clock.now()
        self._note_sent()
        return True

    def _note_sent(self) -> None:
        for pk, sent_at in list(self._sent.items()):
            OutgoingMail.objects.filter(pk=pk).update(sent_at=sent_at, error="")
            del self._sent[pk]


class NoRecipientError(Exception):
    """An e-mail has no recipient, so a retry is useless."""


def _take(mail: OutgoingMail) -> bool:
    """Claim an e-mail; return False if another worker has claimed it."""
    free = OutgoingMail.objects.filter(
        pk=mail.pk, sent_at=None, due_at=mail.due_at, tries=mail.tries
    )
    return free.update(due_at=clock.now() + TAKEN_FOR, tries=F("tries") + 1) == 1


def _message(mail: OutgoingMail) -> EmailMessage:
    domain = settings.ENV.email_from.rpartition("@")[2]
    message_id = f"<ticket-mail-{mail.pk}.{mail.created_at.timestamp():.0f}@{domain}>"
    return EmailMessage(
        subject=mail.subject,
        body=mail.body,
        to=[mail.to.strip()],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        # RFC 3834: suppresses out-of-office replies.
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )


def is_permanent(error: Exception) -> bool:
    """Return whether a mail server permanently refused the recipient or the content. Pure.

    Source: RFC 5321, 4.2.1: 5yz is a permanent negative reply.
    """
    match error:
        case smtplib.SMTPRecipientsRefused():
            codes = [code for code, _ in error.recipients.values()]
            return bool(codes) and all(500 <= code < 600 for code in codes)
        case smtplib.SMTPDataError():
            return 500 <= error.smtp_code < 600
    return False


def send_again(mails: QuerySet[OutgoingMail]) -> int:
    """Reset unsent e-mails for immediate retries; return their number.

    E-mails whose text was removed meanwhile are skipped.
    """
    unsent = mails.filter(sent_at=None).exclude(body="")
    return unsent.update(due_at=clock.now(), tries=0, refusals=0)


def _note_failure(mail: OutgoingMail, error: Exception) -> None:
    is_hopeless = isinstance(error, NoRecipientError)
    refusals = mail.MAX_REFUSALS if is_hopeless else mail.refusals + is_permanent(error)
    is_last = mail.tries >= len(PAUSES) or refusals >= mail.MAX_REFUSALS
    pause = PAUSES[min(mail.tries, len(PAUSES) - 1)]
    if refusals > mail.refusals:
        pause = REFUSED_PAUSES[min(refusals, len(REFUSED_PAUSES)) - 1]
    OutgoingMail.objects.filter(pk=mail.pk).update(
        due_at=clock.now() + pause,
        refusals=refusals,
        error=f"{type(error).__name__}: {error}"[:300],
    )
    # Without the server's message, which contains the customer's address.
    what = "given up" if is_last else f"tried again in {pause}"
    logger.log(
        logging.ERROR if is_last else logging.WARNING,
        "an e-mail was not sent (try %d, %d refused for good, %s): %s",
        *(mail.tries + 1, refusals, what, type(error).__name__),
    )


def forget_old_bodies() -> int:
    """Remove the texts of e-mails that were sent or abandoned long ago; return their number."""
    before = clock.now() - KEEP_BODIES
    over = Q(sent_at__lt=before) | (GIVEN_UP & Q(due_at__lt=before))
    return OutgoingMail.objects.filter(over).exclude(body="").update(body="")


async def send_mails(mailer: Mailer | None = None, *, every_s: float = EVERY_S) -> None:
    """Send due e-mails until cancelled; then finish the e-mail being sent."""
    mailer = mailer or Mailer()
    making_round = database_sync_to_async(
        mailer.make_round, thread_sensitive=False, executor=THREADS.get().pool("mails")
    )
    is_away = False
    while True:
        task = asyncio.ensure_future(making_round())
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            # If this task is cancelled again, the thread still runs to its end.
            await asyncio.to_thread(mailer.stop)
            raise
        error = task.exception()
        if error is not None and not is_away:
            logger.warning("e-mails wait for the database: %s", type(error).__name__)
        is_away = error is not None
        await asyncio.sleep(every_s)
