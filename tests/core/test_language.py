from __future__ import annotations

import pytest

from chat.core.text import language_of

PHRASES = {
    "fr": """
        Bonjour|salut !|canapé|lit 160|ok|merci|prix|sofa|oui|non|test|garantie|bjr|CMD-2025-54321
        Je cherche une table pour 6 personnes|Comment je m'appelle ?|Bonjour, je suis Jean
        Le lampadaire a pris feu !
        j'ai reçu un colis abîmé|CANAPÉ D'ANGLE|Le mécanisme ne marche plus|table basse chêne massif
        Un pied du lit s'est effondré, je suis blessé|Y a-t-il un magasin à Lyon ?|dimensions ?
    """,
    "en": """
        Hello|Hi|I need a sofa|My order is late|Do you deliver to London?|good morning|THANKS
        The leg of my chair broke|how long is the warranty|can i talk to a human|opening hours
    """,
    "de": """
        Hallo|Guten Tag|Danke|Ja, bitte|Ich suche einen Tisch|Wie viel kostet das Sofa?
        Mein Stuhl ist kaputt|Haben Sie Betten in 160 cm?|Esstisch aus Eiche|Öffnungszeiten
    """,
    "it": """
        Buongiorno|Ciao|Grazie|Cerco un divano|Quanto costa questo tavolo?|La mia sedia è rotta
        Vorrei parlare con un consulente|divano in pelle|orari di apertura
    """,
    "ar": "مرحبا|شكرا|أريد أريكة|كم سعر الطاولة Oslo ؟",
}


@pytest.mark.parametrize(
    "language, phrase",
    [
        (language, phrase.strip())
        for language, phrases in PHRASES.items()
        for line in phrases.strip().split("\n")
        for phrase in line.split("|")
    ],
)
def test_language_of_what_customers_write(language, phrase):
    assert language_of(phrase) == language


@pytest.mark.parametrize("text", ["", " ", "123", "😀", "?!", "日本語", "\u202e", "x" * 4000])
def test_language_is_french_when_nothing_tells(text):
    assert language_of(text) == "fr"
