"""Text functions: folding, tokens, whole-word patterns, content words, translation to French."""

from __future__ import annotations

import re
import unicodedata

#: Token: up to 8 letters with the preceding blank, one other character, or blanks.
_TOKEN = re.compile(r"\s?\w{1,8}|\s?[^\w\s]|\s+")
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
#: Elision before a word ("l'", "d'") and pronoun after a verb ("-vous", "-moi").
_ELISION = re.compile(
    r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)'|-(?:je|tu|il|elle|on|nous|vous|moi|ce)\b",
    re.IGNORECASE,
)


def folded(text: str) -> str:
    """Fold a text to lower case without accents, with straight apostrophes: "Où" is "ou"."""
    plain = text.replace("’", "'").replace("œ", "oe").replace("Œ", "oe")
    decomposed = unicodedata.normalize("NFKD", plain.lower())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def tokens(text: str) -> list[str]:
    """Split a text into tokens of about one word; joining them restores the text."""
    return _TOKEN.findall(text)


def whole_words(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern that matches any of these expressions as whole words of a folded text."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)")


def word_set(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\S+", text))


def word_table(table: str) -> dict[str, re.Pattern[str]]:
    """Return patterns by name, which match whole words of a folded text.

    ``table``: lines such as "hours: horaires?|dimanche"; an indented line adds alternatives.
    """
    rows = re.sub(r"\n +", "|", table.strip()).splitlines()
    return {name: whole_words(words) for name, _, words in (row.partition(": ") for row in rows)}


def content_words(text: str) -> list[str]:
    """Return the content words of a text, as written, without "l'" and "d'"."""
    bare = _ELISION.sub(" ", text.replace("’", "'"))
    return [word for word in _WORD.findall(bare) if folded(word) not in EMPTY]


def topic_of(text: str, limit: int = 5) -> str:
    """Return the first content words as written; "" if there are none.

    Contains only letters, digits, hyphens and apostrophes, so no markup.
    """
    return " ".join(word[:30] for word in content_words(text)[:limit])


def encodable(text: str) -> str:
    """Replace characters that UTF-8 cannot encode (lone surrogates) by "?"."""
    return text.encode("utf-8", "replace").decode()


def in_french(text: str) -> str:
    """Translate the words about furniture to French; leave other texts unchanged."""
    bounded = _AT_MOST.sub("moins de", text)
    translated, count = _ANY.subn(lambda match: _FOREIGN[match.group().lower()], bounded)
    return _BARE.sub(" ", translated) if count else text


#: Folded stop words.
EMPTY = word_set("""
a ai aimerais aimerait allo alors and apres are as au aurais aussi autre autres aux avec avez avoir
avoirs avons beaucoup besoin bien bonjour bonne bonsoir ca can car ce ceci cela celui ces cet cette
cherche chercher cherchons chez combien comme comment connaitre conseiller conseillez coucou dans de
debut deja depuis des desire desole dire dis dites do dois doit donc donne donner donnez du elle
elles en encore entre envie es est et etais etait etc ete etes etre eu eur euro euros faire fais
fait faites faudrait faut fois for have hello hi how i ici il ils in is j je jour journee juste l la
le les leur leurs lui m ma madame maintenant mais max maximum me meme mes mets mettre mieux moi
moins mon monsieur montre montrer montrez my n ne ni non nos notre nous of on ont or ou oui par
parle parler pas pendant peu peut peut-etre peux plait please plus possible pour pourquoi pourrais
pourriez pouvez pouvons propose proposer proposez pu puis qu quand que quel quelle quelles quelque
quelques quels qui quoi recherche rechercher rien s sa sais salut sans savez savoir se ses show si
sinon soit sommes son sont souhaite souhaiterais sous suis sur svp t ta te tes the there to toi ton
tous tout toute toutes tres trop trouve trouver tu un une va vais vers veuillez veut veux via voici
voila voir vont vos votre voudrais voudrait vous vraiment what where with y you your
""")
#: English, German, Italian and Arabic words of customers, by the French one. Words that exist in
#: French too are omitted: "table" needs no translation, "bed" does.
_FOREIGN_WORDS = {
    "canapé": "sofa sofas couch couches divano divani أريكة كنبة الأريكة",
    "fauteuil": "armchair armchairs sessel poltrona poltrone",
    "table": "tisch tische esstisch tavolo tavoli طاولة الطاولة",
    "chaise": "chair chairs stuhl stühle sedia sedie كرسي كراسي",
    "lit": "bed beds bett betten letto letti سرير السرير",
    "matelas": "mattress mattresses matratze matratzen materasso materassi مرتبة",
    "armoire": "wardrobe wardrobes schrank kleiderschrank armadio armadi خزانة",
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
_FOREIGN = {
    word: french
    for french, words in _FOREIGN_WORDS.items()
    for word in (words.split("|") if "|" in words else words.split())
}
_ANY = re.compile(
    rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, _FOREIGN), key=len, reverse=True))})(?!\w)",
    re.IGNORECASE,
)
_AT_MOST = re.compile(r"(?<!\w)(?:under|below|unter|sotto|أقل من)(?= ?\d)", re.IGNORECASE)
#: Stop words of other languages.
_BARE = re.compile(
    r"(?<!\w)(?:an?|the|for|with|and|eine[nm]?|ein|für|mit|und|un|un[oa]|per|con|e|am|i)(?!\w)",
    re.IGNORECASE,
)
