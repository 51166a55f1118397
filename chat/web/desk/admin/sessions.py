"""Sessions actives among the pages of the admin.

It stands with the views, which it names, rather than with the sessions, which know no page.
"""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, path

from chat.conversations.models import ChatSession
from chat.web.desk import actions, exports, listing, session
from chat.web.read_only import ReadOnlyAdmin


@admin.register(ChatSession)
class ChatSessionAdmin(ReadOnlyAdmin, admin.ModelAdmin[ChatSession]):
    """Rights and a place in the list of models; every page is a view of our own."""

    def get_urls(self) -> list[URLPattern]:
        name = "chat_chatsession_{}".format
        return [
            path("", listing.sessions, name=name("changelist")),
            path("waiting/", listing.waiting, name=name("waiting")),
            path("<str:ref>/", session.session, name=name("change")),
            path("<str:ref>/history/", exports.history, name=name("history")),
            path("<str:ref>/take-over/", actions.take_over, name=name("take_over")),
            path("<str:ref>/say/", actions.say, name=name("say")),
            path("<str:ref>/note/", actions.note, name=name("note")),
            path("<str:ref>/hand-back/", actions.hand_back, name=name("hand_back")),
            path("<str:ref>/end/", actions.end, name=name("end")),
            path("<str:ref>/export/", exports.export, name=name("export")),
            path("<str:ref>/print/", exports.printable, name=name("print")),
            path("<str:ref>/erase/", exports.erase, name=name("erase")),
            path("<str:ref>/receipt/", exports.receipt, name=name("receipt")),
        ]
