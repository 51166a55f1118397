"""Queued e-mails are sent, again until it works. Each worker has a postman; they share the rows.

Nothing tells a customer that an e-mail went which did not: what is queued is tried for about a
day, and its row says what became of it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, Q
from django.utils import timezone

from chat.tickets.models import OutgoingMail

logger = logging.getLogger(__name__)

EVERY_S = 5.0
#: What a worker that stops waits for the e-mail that it is sending; it waits 3 s in all.
LAST_S = 2.5
AT_ONCE = 20
#: Pauses before the further tries.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
#: A worker that took an e-mail and died leaves it to others after this.
TAKEN_FOR = timedelta(minutes=10)
#: Texts of e-mails are kept for so long.
KEEP_BODIES = timedelta(days=30)

#: A thread of its own: a server that hangs holds up nothing else.
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="mails")


class Postman:
    """Sends what is due. Any number of them may, in any number of processes.

    An e-mail that the server took is sent once: what the database could not be told is told at
    the next round. Only a worker killed between the two leads to a second copy, which carries
    the same ``Message-ID``.
    """

    def __init__(self) -> None:
        self._sent: dict[int, datetime] = {}
        self._tidied_on: date | None = None
        self._stopping = threading.Event()
        self._round = threading.Lock()

    def stop(self, timeout_s: float = LAST_S) -> bool:
        """End the round after the e-mail that is being sent; whether it ended within the time."""
        self._stopping.set()
        if not self._round.acquire(timeout=timeout_s):
            return False
        self._round.release()
        return True

    def make_round(self) -> int:
        """Send what is due, and once a day remove old texts. Return how many e-mails went.

        Raises:
            django.db.Error: later; nothing is lost.
        """
        with self._round:
            sent = self.send_due()
        if self._tidied_on != (today := timezone.localdate()):
            forget_old_bodies()
            self._tidied_on = today
        return sent

    def send_due(self, limit: int = AT_ONCE) -> int:
        """Send what is due, the oldest first, and return how many went.

        Raises:
            django.db.Error: as ``make_round``.
        """
        self._note_sent()
        count = 0
        due = OutgoingMail.objects.filter(
            sent_at=None, due_at__lte=timezone.now(), tries__lte=len(PAUSES)
        )
        for mail in due.order_by("due_at", "pk")[:limit]:
            if self._stopping.is_set():
                break
            if _take(mail):
                count += self._send(mail)
        return count

    def _send(self, mail: OutgoingMail) -> bool:
        try:
            _message(mail).send()
        except Exception as error:  # noqa: BLE001 - whatever the server or the network says
            _note_failure(mail, error)
            return False
        self._sent[mail.pk] = timezone.now()
        self._note_sent()
        return True

    def _note_sent(self) -> None:
        for pk, sent_at in list(self._sent.items()):
            OutgoingMail.objects.filter(pk=pk).update(sent_at=sent_at, error="")
            del self._sent[pk]


def _take(mail: OutgoingMail) -> bool:
    """Have this e-mail for ourselves: another worker may have read the same row."""
    free = OutgoingMail.objects.filter(
        pk=mail.pk, sent_at=None, due_at=mail.due_at, tries=mail.tries
    )
    return free.update(due_at=timezone.now() + TAKEN_FOR, tries=F("tries") + 1) == 1


def _message(mail: OutgoingMail) -> EmailMessage:
    domain = settings.ENV.email_from.rpartition("@")[2]
    message_id = f"<ticket-mail-{mail.pk}.{mail.created_at.timestamp():.0f}@{domain}>"
    return EmailMessage(
        subject=mail.subject,
        body=mail.body,
        to=[mail.to],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        # RFC 3834: no "I am on holiday" answers this.
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )


def _note_failure(mail: OutgoingMail, error: Exception) -> None:
    is_last = mail.tries >= len(PAUSES)
    pause = PAUSES[min(mail.tries, len(PAUSES) - 1)]
    OutgoingMail.objects.filter(pk=mail.pk).update(
        due_at=timezone.now() + pause, error=f"{type(error).__name__}: {error}"[:300]
    )
    # Without the server's words: they name the customer's address.
    what = "given up" if is_last else f"tried again in {pause}"
    logger.log(
        logging.ERROR if is_last else logging.WARNING,
        "an e-mail was not sent (try %d, %s): %s",
        *(mail.tries + 1, what, type(error).__name__),
    )


def forget_old_bodies() -> int:
    """Remove the texts of e-mails that went, or were given up, long ago; return how many."""
    before = timezone.now() - KEEP_BODIES
    over = Q(sent_at__lt=before) | Q(sent_at=None, tries__gt=len(PAUSES), due_at__lt=before)
    return OutgoingMail.objects.filter(over).exclude(body="").update(body="")


async def send_mails(postman: Postman | None = None) -> None:
    """Send what is due, for ever; when cancelled, finish the e-mail that is being sent."""
    postman = postman or Postman()
    making_round = database_sync_to_async(
        postman.make_round, thread_sensitive=False, executor=_THREAD
    )
    is_away = False
    while True:
        task = asyncio.ensure_future(making_round())
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            # The task may be cancelled as well: its thread goes on, and is what is waited for.
            await asyncio.to_thread(postman.stop)
            raise
        error = task.exception()
        if error is not None and not is_away:
            logger.warning("e-mails wait for the database: %s", type(error).__name__)
        is_away = error is not None
        await asyncio.sleep(EVERY_S)
