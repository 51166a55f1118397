"""Words of a furniture shop's customers in English, German, Italian and Arabic, as French ones.

Only words that French does not have: "table" and "lit" need no translation, "bed" does.
"""

from __future__ import annotations

import re

_WORDS = {
    "canapé": "sofa sofas couch couches divano divani أريكة كنبة الأريكة",
    "fauteuil": "armchair armchairs sessel poltrona poltrone",
    "table": "tisch tische esstisch tavolo tavoli طاولة الطاولة",
    "chaise": "chair chairs stuhl stühle sedia sedie كرسي كراسي",
    "lit": "bed beds bett betten letto letti سرير السرير",
    "matelas": "mattress mattresses matratze matratzen materasso materassi مرتبة",
    "armoire": "wardrobe wardrobes schrank kleiderschrank armadio armadi خزانة",
    "commode": "dresser kommode cassettiera",
    "étagère": "shelf shelves regal scaffale",
    "bibliothèque": "bookcase bookcases bücherregal libreria",
    "tapis": "rug rugs carpet teppich tappeto سجادة",
    "lampe": "lamp lamps lampada مصباح",
    "miroir": "mirror mirrors spiegel specchio مرآة",
    "coussin": "cushion cushions kissen cuscino cuscini",
    "bleu": "blue blau blaue blaues blauen blu أزرق زرقاء",
    "vert": "green grün grüne grünes grünen أخضر خضراء",
    "gris": "grey gray grau graue graues grauen grigio grigia رمادي رمادية",
    "blanc": "white weiß weiss weiße weißes weißen bianco bianca أبيض بيضاء",
    "noir": "black schwarz schwarze schwarzes schwarzen nero nera أسود سوداء",
    "rouge": "red rote rotes roten rosso rossa أحمر حمراء",
    "chêne": "oak eiche rovere",
    "cuir": "leather leder pelle جلد",
    "personnes": "people persons personen persone أشخاص",
    "je cherche": "i'm looking for|i am looking for|looking for|ich suche|cerco|أبحث عن|ابحث عن",
    "cassé": "broken kaputt rotto rotta rotti مكسور مكسورة",
    "abîmé": "damaged beschädigt danneggiato danneggiata",
    "garantie": "warranty guarantee garanzia ضمان الضمان",
    "livraison": "delivery lieferung consegna توصيل التوصيل",
    "retourner": "zurückgeben restituire",
    "horaires": "öffnungszeiten orari",
    "conseiller": "berater consulente",
}
#: Words of other languages that say nothing to a catalogue.
_EMPTY = "a|an|the|for|with|and|einen|eine|ein|einem|für|mit|und|un|uno|una|per|con|e|am|i"


def _foreign() -> dict[str, str]:
    """By foreign expression, the French one."""
    return {
        word: french
        for french, words in _WORDS.items()
        for word in (words.split("|") if "|" in words else words.split())
    }


_FOREIGN = _foreign()
_ANY = re.compile(
    rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, _FOREIGN), key=len, reverse=True))})(?!\w)",
    re.IGNORECASE,
)
_AT_MOST = re.compile(r"(?<!\w)(?:under|below|unter|sotto|أقل من)(?= ?\d)", re.IGNORECASE)
_BARE = re.compile(rf"(?<!\w)(?:{_EMPTY})(?!\w)", re.IGNORECASE)


def in_french(text: str) -> str:
    """Return the text with what it says of furniture in French; other texts as they are."""
    bounded = _AT_MOST.sub("moins de", text)
    translated, count = _ANY.subn(lambda match: _FOREIGN[match.group().lower()], bounded)
    return _BARE.sub(" ", translated) if count else text
