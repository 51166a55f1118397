from __future__ import annotations

import pytest

from chat.shop.tickets.problems import (
    Component,
    Evidence,
    Problem,
    Severity,
    components_in,
    danger_in,
    evidence_for,
    problem_in,
    severity_in,
)


@pytest.mark.parametrize(
    "text, problem",
    [
        ("mon canapé OSLO s'est effondré", Problem.STRUCTURE),
        ("Mon canapé convertible en cuir a un pied cassé", Problem.STRUCTURE),
        ("les lattes du sommier sont cassées", Problem.STRUCTURE),
        ("La table est bancale", Problem.STRUCTURE),
        ("le mécanisme du convertible est bloqué", Problem.MECHANISM),
        ("le convertible ne s'ouvre plus", Problem.MECHANISM),
        ("le repose-pied ne marche plus", Problem.MECHANISM),
        ("Les TIROIRS coincent", Problem.MECHANISM),
        ("reçu abîmé, le carton était ouvert", Problem.DELIVERY),
        ("le transporteur a rayé la table", Problem.DELIVERY),
        ("le tissu se décolore depuis la livraison", Problem.FABRIC),
        ("l'armoire ne passe pas par la porte", Problem.DIMENSIONS),
        ("le lit est trop large", Problem.DIMENSIONS),
        ("une armoire sur mesure", Problem.UNKNOWN),
        ("l'assise est molle", Problem.CUSHIONS),
        ("les coussins s’affaissent", Problem.CUSHIONS),
        ("c'est affaissé", Problem.CUSHIONS),
        ("il manque une pièce dans la notice", Problem.ASSEMBLY),
        ("la housse est décousue", Problem.FABRIC),
        ("il y a un accroc", Problem.FABRIC),
        ("une odeur de colle", Problem.SMELL),
        ("ça sent mauvais", Problem.SMELL),
        ("mon dernier achat", Problem.UNKNOWN),
        ("", Problem.UNKNOWN),
    ],
)
def test_problem_is_told_by_the_customers_words(text, problem):
    assert problem_in(text) is problem


@pytest.mark.parametrize(
    "text, components",
    [
        ("le cadre est fendu", (Component.STRUCTURE,)),
        ("le tissu des coussins", (Component.FABRIC, Component.CUSHIONS)),
        ("le vérin", (Component.MECHANISM,)),
        ("il est taché", (Component.FABRIC,)),
        ("le pied du fauteuil relax", (Component.STRUCTURE,)),
        ("ce n'est pas le mécanisme", ()),
        ("bonjour", ()),
    ],
)
def test_components_are_told_by_the_customers_words(text, components):
    assert components_in(text) == components


@pytest.mark.parametrize(
    "text",
    [
        "je me suis blessé",
        "ma fille est BLESSÉE",
        "mon canapé s’est effondré",
        "le lit s'est écroulé sous moi",
        "la lampe prend feu",
        "le fauteuil électrique a pris feu",
        "il y a des étincelles",
        "le pied a cédé",
        "c'est dangereux pour les enfants",
        "je me suis coupée avec un bord",
        "l'armoire est tombée sur mon fils",
        "My son got hurt",
        "the bed collapsed",
        "Mein Sohn ist verletzt",
        "il letto è crollato",
        "حدث حريق",
        "أنا جُرحت",
        # Said to be denied: P0 all the same, see ``danger_in``.
        "personne n'est blessé",
        "je ne suis pas blessé",
    ],
)
def test_words_of_danger_are_heard(text):
    assert danger_in(text)
    assert severity_in(text) is Severity.DANGER


@pytest.mark.parametrize(
    "text",
    [
        "le tissu est brûlé par une cigarette",
        "une table devant la cheminée, au coin du feu de bois",
        "le tissu est coupé",
        "je blesserais son goût",
        "un endangerment",
        "les prix ont baissé",
        "le tapis est tombé du carton",
        "accéder au suivi",
        "the fireplace",
        "",
    ],
)
def test_other_words_are_no_danger(text):
    assert danger_in(text) == ""


@pytest.mark.parametrize(
    "text, severity",
    [
        ("le lit est inutilisable", Severity.UNUSABLE),
        ("le tiroir ne s'ouvre plus", Severity.UNUSABLE),
        ("il ne fonctionne pas", Severity.UNUSABLE),
        ("un pied cassé", Severity.UNUSABLE),
        ("il n'est pas cassé", Severity.SLIGHT),
        ("ça grince, c'est gênant", Severity.HINDRANCE),
        ("une petite rayure", Severity.SLIGHT),
        ("une question", Severity.SLIGHT),
    ],
)
def test_severity_is_told_by_the_customers_words(text, severity):
    assert severity_in(text) is severity


@pytest.mark.parametrize(
    "problem, photos, videos",
    [
        (Problem.STRUCTURE, 3, 1),
        (Problem.MECHANISM, 2, 1),
        (Problem.FABRIC, 3, 0),
        (Problem.CUSHIONS, 2, 0),
        (Problem.DELIVERY, 4, 0),
        (Problem.DIMENSIONS, 3, 0),
        (Problem.ASSEMBLY, 2, 0),
        (Problem.SMELL, 2, 0),
        (Problem.UNKNOWN, 2, 0),
    ],
)
def test_evidence_is_what_the_after_sales_guide_asks(problem, photos, videos):
    evidence = evidence_for(problem)

    assert isinstance(evidence, Evidence)
    assert (evidence.photos, evidence.videos) == (photos, videos)


def test_evidence_of_a_delivery_and_of_dimensions_says_what_to_show():
    assert "emballage" in evidence_for(Problem.DELIVERY).showing
    assert "mètre" in evidence_for(Problem.DIMENSIONS).showing
