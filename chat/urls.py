from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from chat.web.desk.dashboard import index
from chat.web.pages import contact, pages, photos, products, rules, ticket_draft, tickets

app_name = "chat"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.chat, name="page"),
    path("messages/", pages.send, name="send"),
    path("conversation/stop/", pages.stop, name="stop"),
    path("conversation/ask/", pages.ask, name="ask"),
    path("conversation/new/", pages.new, name="new"),
    path("conversation/erase/", pages.erase, name="erase"),
    path("conversation/export/", pages.export, name="export"),
    path("rappel/", contact.contact, name="contact"),
    path("rappel/merci/", contact.thanks, name="contact-thanks"),
    path("demande/valider/", ticket_draft.confirm, name="ticket-confirm"),
    path("demande/modifier/", ticket_draft.edit, name="ticket-edit"),
    path("demande/abandonner/", ticket_draft.drop, name="ticket-drop"),
    path("suivi/<str:token>/", tickets.ticket, name="ticket"),
    path("photos/", photos.photos, name="photos"),
    path("photos/<uuid:photo_id>/", photos.photo, name="photo"),
    path("photos/<uuid:photo_id>/delete/", photos.delete, name="photo-delete"),
    path("produits/<str:reference>/", products.product, name="product"),
    path("garanties/", rules.rules, name="rules"),
    path("", include("chat.web.api.urls")),
    path("admin/", index),  # Django's first page, with what goes on now
]
