"""How the local assistant reads words and counts tokens."""

from __future__ import annotations

import re
import unicodedata

#: Up to 8 letters with the blank before them, one sign, or blanks: every character is in one.
_TOKEN = re.compile(r"\s?\w{1,8}|\s?[^\w\s]|\s+")
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
#: "l'", "d'" before a word, "-vous", "-moi" behind a verb.
_ELISION = re.compile(
    r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)'|-(?:je|tu|il|elle|on|nous|vous|moi|ce)\b",
    re.IGNORECASE,
)

#: Words that carry no subject, folded.
_EMPTY = frozenset(
    re.findall(
        r"\S+",
        """
        a ai aimerais aimerait allo alors and apres are as au aurais aussi autre autres aux avec
        avez avoir avoirs avons beaucoup besoin bien bonjour bonne bonsoir ca can car ce ceci cela
        celui ces cet cette cherche chercher cherchons chez combien comme comment connaitre
        conseiller conseillez coucou dans de debut deja depuis des desire desole dire dis dites do
        dois doit donc donne donner donnez du elle elles en encore entre envie es est et etais
        etait etc ete etes etre eu eur euro euros faire fais fait faites faudrait faut fois for
        have hello hi how i ici il ils in is j je jour journee juste l la le les leur leurs lui m
        ma madame maintenant mais max maximum me meme mes mets mettre mieux moi moins mon monsieur
        montre montrer montrez my n ne ni non nos notre nous of on ont or ou oui par parle parler
        pas pendant peu peut peut-etre peux plait please plus possible pour pourquoi pourrais
        pourriez pouvez pouvons propose proposer proposez pu puis qu quand que quel quelle quelles
        quelque quelques quels qui quoi recherche rechercher rien s sa sais salut sans savez
        savoir se ses show si sinon soit sommes son sont souhaite souhaiterais sous suis sur svp t
        ta te tes the there to toi ton tous tout toute toutes tres trop trouve trouver tu un une
        va vais vers veuillez veut veux via voici voila voir vont vos votre voudrais voudrait vous
        vraiment what where with y you your
        """,
    )
)


def folded(text: str) -> str:
    """Return the text in lower case without accents, with straight apostrophes: "Où" is "ou"."""
    plain = text.replace("’", "'").replace("œ", "oe").replace("Œ", "oe")
    decomposed = unicodedata.normalize("NFKD", plain.lower())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def tokens(text: str) -> list[str]:
    """Cut the text in pieces of about one word; joined, they are the text again."""
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """Return about how many tokens a long text has, cheaply."""
    return len(text.split())


def whole_words(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern that finds any of these expressions, as whole words, in a folded text."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)")


def content_words(text: str) -> list[str]:
    """Return the words that say what the text is about, as written, without "l'" and "d'"."""
    bare = _ELISION.sub(" ", text.replace("’", "'"))
    return [word for word in _WORD.findall(bare) if folded(word) not in _EMPTY]


def topic_of(text: str, limit: int = 5) -> str:
    """Return the first content words, as a customer would recognise them; "" if there are none.

    Letters, digits, hyphens and apostrophes only: nothing a page could take for markup.
    """
    return " ".join(word[:30] for word in content_words(text)[:limit])


def encodable(text: str) -> str:
    """Return the text with what UTF-8 cannot write (lone surrogates) replaced by "?"."""
    return text.encode("utf-8", "replace").decode()


def search_stem(word: str) -> str:
    """Return the beginning that a folded word shares with its kin: "livraison", "livraisons"."""
    return word[:6] if len(word) > 6 else word.rstrip("sx") or word
