from __future__ import annotations

import pytest

from chat.assistant.guard.claims import Claim, Kind, claims_of

A, P, D, T, S = Kind.AMOUNT, Kind.PERCENT, Kind.DURATION, Kind.DATE, Kind.STOCK
PROMISE, DONE = Claim(Kind.PROMISE, ""), Claim(Kind.DONE, "")
TICKET = Claim(Kind.DONE, "ticket")


@pytest.mark.parametrize(
    ("sentence", "claims"),
    [
        ("Le canapé OSLO coûte 1 299 €.", {Claim(A, "129900")}),
        ("Il est à 1 299,50 € pièce.", {Claim(A, "129950")}),
        ("Il est à 1.299 euros.", {Claim(A, "129900")}),
        ("Prix : 1299.5 EUR", {Claim(A, "129950")}),
        ("entre 500 et 800 euros", {Claim(A, "50000"), Claim(A, "80000")}),
        ("mille deux cents euros", {Claim(A, "120000")}),
        ("It costs €499.", {Claim(A, "49900")}),
        ("Une remise de 20 % s'applique.", {Claim(P, "2000")}),
        ("Il est garanti 5 ans.", {Claim(D, "60 months")}),
        ("La structure est garantie cinq ans.", {Claim(D, "60 months")}),
        ("Livraison en 4 à 6 semaines.", {Claim(D, "28 days"), Claim(D, "42 days")}),
        ("Vous recevrez une réponse sous 48 h.", {Claim(D, "48 hours")}),
        ("La garantie court jusqu'au 12 mars 2027.", {Claim(T, "2027-03-12")}),
        ("La garantie court jusqu'au 12/03/2027.", {Claim(T, "2027-03-12")}),
        ("Vous serez livré demain.", {Claim(T, "demain")}),
        ("Vous serez livré le 1er mars.", {Claim(T, "03-01")}),
        ("Il est en stock.", {Claim(S, "in")}),
        ("Il n'est plus en stock.", {Claim(S, "out")}),
        ("Ce modèle est en rupture.", {Claim(S, "out")}),
        ("Il en reste 3.", {Claim(S, "3")}),
        ("Vous serez intégralement remboursé.", {PROMISE}),
        ("Nous vous offrons la livraison.", {PROMISE}),
        ("Il est garanti à vie.", {PROMISE}),
        ("Votre ticket a bien été créé.", {TICKET}),
        ("J'ai ouvert un dossier pour vous.", {TICKET, DONE}),
        ("Un conseiller va vous rappeler.", {DONE}),
        ("Je vous ai envoyé un e-mail.", {DONE}),
        ("Your ticket has been created.", {TICKET}),
    ],
)
def test_what_commits_the_shop_is_found(sentence, claims):
    assert claims_of(sentence) == claims


@pytest.mark.parametrize(
    "sentence",
    [
        "Bonjour Jean, je suis l'assistant de Meuble de France.",
        "Ce canapé a 3 places et mesure 200 cm.",
        "Nous sommes ouverts de 10 h à 19 h.",
        "Du lin à 100 %.",
        "Ce bois sèche depuis deux ans.",
        "Je ne peux pas vous rembourser, mais un conseiller peut vous répondre.",
        "Si vous le souhaitez, un ticket peut être ouvert.",
        "Voulez-vous que je prépare un dossier ?",
        "Votre table de six personnes.",
        "Nous vous accueillons du lundi au samedi.",
    ],
)
def test_what_commits_to_nothing_is_left_alone(sentence):
    assert claims_of(sentence) == frozenset()
