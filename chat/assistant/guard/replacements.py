"""What stands in place of what nobody looked up, in the shop's five languages. Pure."""

from __future__ import annotations

from chat.assistant.guard.claims import Kind

_FRENCH = {
    Kind.AMOUNT: "prix à confirmer par un conseiller",
    Kind.PERCENT: "remise à confirmer par un conseiller",
    Kind.DURATION: "durée à confirmer par un conseiller",
    Kind.DATE: "date à confirmer par un conseiller",
    Kind.STOCK: "disponibilité à confirmer par un conseiller",
    Kind.PROMISE: "point à confirmer par un conseiller",
    Kind.DONE: "rien n'est enregistré tant que l'application ne l'affiche pas elle-même",
    Kind.LINK: "adresse retirée",
    Kind.LEAK: "je ne peux pas communiquer cela",
}
_ENGLISH = {
    Kind.AMOUNT: "price to be confirmed by an adviser",
    Kind.PERCENT: "discount to be confirmed by an adviser",
    Kind.DURATION: "period to be confirmed by an adviser",
    Kind.DATE: "date to be confirmed by an adviser",
    Kind.STOCK: "availability to be confirmed by an adviser",
    Kind.PROMISE: "point to be confirmed by an adviser",
    Kind.DONE: "nothing is recorded until the application itself shows it",
    Kind.LINK: "address removed",
    Kind.LEAK: "I cannot share that",
}
_GERMAN = {
    Kind.AMOUNT: "Preis von einem Berater zu bestätigen",
    Kind.PERCENT: "Nachlass von einem Berater zu bestätigen",
    Kind.DURATION: "Dauer von einem Berater zu bestätigen",
    Kind.DATE: "Datum von einem Berater zu bestätigen",
    Kind.STOCK: "Verfügbarkeit von einem Berater zu bestätigen",
    Kind.PROMISE: "Punkt von einem Berater zu bestätigen",
    Kind.DONE: "nichts ist erfasst, solange die Anwendung es nicht selbst anzeigt",
    Kind.LINK: "Adresse entfernt",
    Kind.LEAK: "das kann ich nicht mitteilen",
}
_ITALIAN = {
    Kind.AMOUNT: "prezzo da confermare con un consulente",
    Kind.PERCENT: "sconto da confermare con un consulente",
    Kind.DURATION: "durata da confermare con un consulente",
    Kind.DATE: "data da confermare con un consulente",
    Kind.STOCK: "disponibilità da confermare con un consulente",
    Kind.PROMISE: "punto da confermare con un consulente",
    Kind.DONE: "nulla è registrato finché l'applicazione stessa non lo mostra",
    Kind.LINK: "indirizzo rimosso",
    Kind.LEAK: "non posso comunicarlo",
}
_ARABIC = {
    Kind.AMOUNT: "السعر يؤكده مستشار",
    Kind.PERCENT: "التخفيض يؤكده مستشار",
    Kind.DURATION: "المدة يؤكدها مستشار",
    Kind.DATE: "التاريخ يؤكده مستشار",
    Kind.STOCK: "التوفر يؤكده مستشار",
    Kind.PROMISE: "هذه النقطة يؤكدها مستشار",
    Kind.DONE: "لا شيء مسجل ما لم يعرضه التطبيق نفسه",
    Kind.LINK: "تمت إزالة العنوان",
    Kind.LEAK: "لا يمكنني مشاركة ذلك",
}
SAYS = {"fr": _FRENCH, "en": _ENGLISH, "de": _GERMAN, "it": _ITALIAN, "ar": _ARABIC}
_BY_SHEET = {
    "fr": "selon sa fiche : {price}",
    "en": "as its page says: {price}",
    "de": "laut Produktseite: {price}",
    "it": "secondo la scheda: {price}",
    "ar": "حسب صفحة المنتج: {price}",
}


def replacement_for(kind: Kind, language: str) -> str:
    return SAYS[language][kind]


def by_sheet(cents: int, language: str) -> str:
    """Return what the one price is that is known of what the sentence speaks of."""
    return _BY_SHEET[language].format(price=_euros(cents))


def _euros(cents: int) -> str:
    """``129900`` is ``"1 299 €"``, with unbreakable spaces."""
    whole, rest = divmod(cents, 100)
    text = f"{whole:,}".replace(",", "\u202f")
    return f"{text}{f',{rest:02}' if rest else ''}\u00a0€"
