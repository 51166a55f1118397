"""What the buttons of the recap do on the socket, and what only the tab that pressed hears."""

from __future__ import annotations

from collections.abc import Sequence

from chat.assistant import ticket_draft
from chat.conversations.realtime.events import FormChanged, FormRefused, ServerEvent, SessionEnded
from chat.conversations.realtime.frames import ConfirmTicket, DropTicket, EditTicket, TicketFrame
from chat.conversations.store.protocol import WEB_OWNER
from chat.core import rate_limits
from chat.core.errors import ChatError, SessionGone, StaleForm
from chat.shop.tickets.draft_dialogue import draft_payload


async def press(button: TicketFrame, session_id: str, address: str) -> Sequence[ServerEvent]:
    """Do it once. ``address``: where the socket comes from."""
    try:
        await rate_limits.check_visitor(session_id)
        await rate_limits.check_address(address)
        return await _done(button, session_id)
    except StaleForm as error:
        refused = FormRefused.from_error(error, button.id)
        return (refused, await ticket_draft.shown_now(session_id, WEB_OWNER))
    except SessionGone as gone:
        return (SessionEnded(gone.reason),)
    except ChatError as error:
        return (FormRefused.from_error(error, button.id),)


async def _done(button: TicketFrame, session_id: str) -> Sequence[ServerEvent]:
    given = (session_id, WEB_OWNER, button.id, button.version)
    match button:
        case ConfirmTicket():
            await ticket_draft.confirm(*given)
        case DropTicket():
            await ticket_draft.drop(*given)
        case EditTicket():
            form = await ticket_draft.edit(*given, button.fields)
            if form.version == button.version:  # nothing is told where nothing changed
                return (FormChanged(draft_payload(form)),)
    return ()
