from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shop.catalog.query import ProductQuery, Range, SizeLimit
from chat.shop.catalog.query_parser import parse_query

W = ProductQuery
SMALL = Range(None, 1200)


def under(eur: int) -> Range:
    return Range(None, eur * 100)


def size(side, least, most) -> tuple[SizeLimit, ...]:
    return (SizeLimit(side, Range(least, most)),)


@pytest.mark.parametrize(
    "text, query",
    [
        (
            "canapé convertible bleu moins de 1500 €",
            W(words=("canape", "convertible"), colours=("bleu",), price=under(1500)),
        ),
        (
            "Bonjour, je cherche un canapé d'angle à moins de 1 500€ pour mon salon, merci",
            W(words=("canape", "angle"), price=under(1500), category="salon"),
        ),
        ("canapé sous les 1000", W(words=("canape",), price=under(1000))),
        ("canapé, budget 800", W(words=("canape",), price=under(800))),
        ("fauteuil jusqu'à 399,90 €", W(words=("fauteuil",), price=Range(None, 39990))),
        ("tapis 300 € maximum", W(words=("tapis",), price=under(300))),
        ("lampe à partir de 50 euros", W(words=("lampe",), price=Range(5000, None))),
        ("entre 500 et 800 euros", W(price=Range(50_000, 80_000))),
        ("entre 800 € et 500 €", W(price=Range(50_000, 80_000))),
        ("de 500 à 800 €", W(price=Range(50_000, 80_000))),
        ("plus de 300 € et moins de 500 €", W(price=Range(30_000, 50_000))),
        ("fauteuil à 400 euros environ", W(words=("fauteuil",), price=Range(32_000, 48_000))),
        ("canapé 1,5 k€", W(words=("canape",), price=Range(120_000, 180_000))),
        ("lampe pas chère", W(words=("lampe",), cheapest_first=True)),
        ("table 6 personnes", W(words=("table",), seats=Range(6, 10))),
        ("table pour six", W(words=("table",), seats=Range(6, 10))),
        ("une table pour 8 en chêne", W(words=("table", "chene"), seats=Range(8, 12))),
        ("un canapé pour 800 euros", W(words=("canape",), price=Range(64_000, 96_000))),
        ("table pour six personnes", W(words=("table",), seats=Range(6, 10))),
        ("table de 6 à 8 personnes", W(words=("table",), seats=Range(6, 8))),
        ("table au moins 8 couverts", W(words=("table",), seats=Range(8, None))),
        ("canapé 3 places", W(words=("canape",), seats=Range(3, 3))),
        ("canapé trois places", W(words=("canape",), seats=Range(3, 3))),
        ("lit 160", W(words=("lit",), bed_mm=Range(1600, 1600))),
        ("lit de 160 cm", W(words=("lit",), bed_mm=Range(1600, 1600))),
        ("lit 140x190 avec coffre", W(words=("lit", "coffre"), bed_mm=Range(1400, 1400))),
        ("matelas 200 × 90", W(words=("matelas",), bed_mm=Range(900, 900))),
        ("lit 2 places", W(words=("lit",), bed_mm=Range(1400, None))),
        ("lit une place", W(words=("lit",), bed_mm=SMALL)),
        ("lit bas 160", W(words=("lit", "bas"), bed_mm=Range(1600, 1600))),
        ("largeur max 200 cm", W(sizes=size("width", None, 2000))),
        ("buffet 120 cm max", W(words=("buffet",), sizes=size("width", None, 1200))),
        ("canapé de 2 m", W(words=("canape",), sizes=size("width", 1800, 2200))),
        ("canapé 2 mètres maximum", W(words=("canape",), sizes=size("width", None, 2000))),
        (
            "armoire hauteur inférieure à 2m10",
            W(words=("armoire",), sizes=size("height", None, 2100)),
        ),
        ("profondeur moins de 40 cm", W(sizes=size("depth", None, 400))),
        ("buffet de 1,60 m de large", W(words=("buffet",), sizes=size("width", 1440, 1760))),
        ("commode entre 80 et 120 cm", W(words=("commode",), sizes=size("width", 800, 1200))),
        ("table 180x90", W(words=("table",), footprint_mm=(1800, 900))),
        ("tapis 160 x 230 cm", W(words=("tapis",), footprint_mm=(1600, 2300))),
        ("table 1800*900 mm", W(words=("table",), footprint_mm=(1800, 900))),
        ("SAL-CAP-001", W(reference="SAL-CAP-001")),
        ("la réf. sal-cap-001 svp", W(words=("ref",), reference="SAL-CAP-001")),
        ("SALCAP001", W(reference="SAL-CAP-001")),
        ("SAL CAP 001", W(reference="SAL-CAP-001")),
        ("canapé 200 cm", W(words=("canape",), sizes=size("width", 1800, 2200))),
        ("clic-clac", W(words=("canape", "convertible"))),
        ("table de nuit blanche", W(words=("chevet",), colours=("blanc",))),
        ("chaises de salle à manger", W(words=("chaises",), category="salle-a-manger")),
        ("déco", W(category="decoration")),
        ("armoire 3 portes", W(words=("armoire", "portes"))),
        ("", W()),
        ("   ?!", W()),
    ],
)
def test_a_request_is_parsed(text, query):
    assert parse_query(text) == query


@pytest.mark.parametrize(
    "said, colours",
    [
        ("bleu marine", ("bleu marine",)),
        ("canapés bleus", ("bleu",)),
        ("grise", ("gris",)),
        ("gris clair", ("gris clair",)),
        ("gris anthracite", ("gris anthracite",)),
        ("anthracite", ("gris anthracite",)),
        ("vert sauge ou bleu nuit", ("vert sauge", "bleu nuit")),
        ("blanche", ("blanc",)),
        ("blanc cassé", ("blanc casse",)),
        ("camel", ("marron camel",)),
        ("terre cuite", ("orange terracotta",)),
        ("moutarde", ("jaune moutarde",)),
        ("en lin", ()),
        ("laiton", ()),
        ("bleuet", ()),
        ("rosace", ()),
    ],
)
def test_colours_have_families_and_shades(said, colours):
    assert parse_query(f"fauteuil {said}").colours == colours


@given(st.text(max_size=400))
def test_any_text_is_taken(text):
    query = parse_query(text)

    assert all(word.isascii() and word.isalnum() for word in query.words)
    assert len(query.words) <= 8
