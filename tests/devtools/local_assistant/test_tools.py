from __future__ import annotations

import json

import jsonschema
import pytest

from chat.assistant.tools import TOOLS
from devtools.local_assistant.script import Say
from devtools.local_assistant.tools import Call
from tests.devtools.local_assistant.asking import reply

ALL = tuple(tool.name for tool in TOOLS)
PARAMETERS = {tool.name: tool.parameters for tool in TOOLS}


@pytest.mark.parametrize(
    "said, name, arguments",
    [
        (
            ["Bonjour, je cherche un canapé gris entre 300 et 1 200 €"],
            "search_products",
            {"query": "canapé gris", "category": "salon", "max_price_eur": 1200, "colour": "gris"},
        ),
        (["une lampe ?"], "search_products", {"query": "lampe", "category": "décoration"}),
        (
            ["un fauteuil pour la chambre"],
            "search_products",
            {"query": "fauteuil chambre", "category": "chambre"},
        ),
        (["les dimensions du sal-cap-001"], "product_details", {"product": "SAL-CAP-001"}),
        (
            ["L'armoire VENDÔME passe-t-elle par une porte de 83 x 204 ?"],
            "product_details",
            {"product": "armoire VENDÔME", "door_width_cm": 83, "door_height_cm": 204},
        ),
        (
            ["Où est ma commande cmd 2025 54321 ? 75011, au nom de Martin"],
            "find_order",
            {"order_number": "CMD-2025-54321", "postcode": "75011", "name": "Martin"},
        ),
        (
            ["j'ai la commande CMD-2025-54321", "le tissu est-il sous garantie ?"],
            "check_guarantee",
            {
                "order_number": "CMD-2025-54321",
                "component": "fabric",
                "problem": "le tissu est-il sous garantie ?",
            },
        ),
        (
            ["Livré le 12/03/2025, la garantie vaut-elle encore ?"],
            "check_guarantee",
            {
                "delivery_date": "2025-03-12",
                "problem": "Livré le 12/03/2025, la garantie vaut-elle encore ?",
            },
        ),
        (["Vous ouvrez quand ?"], "shop_information", {"topic": "horaires"}),
        (["Livrez-vous à Lyon ?"], "shop_information", {"topic": "livraison"}),
        (["Puis-je renvoyer une table ?"], "shop_information", {"topic": "retours"}),
        (["Quelle est votre adresse ?"], "shop_information", {"topic": "contact"}),
        (["je veux un conseiller"], "ask_for_human", {"reason": "demande_du_client"}),
        (["C'est scandaleux !"], "ask_for_human", {"reason": "reclamation"}),
        (
            ["Le tissu de mon canapé Oslo est déchiré", "CMD-2025-54321, camille@example.fr"],
            "prepare_ticket",
            {
                "order_number": "CMD-2025-54321",
                "product": "canapé Oslo",
                "email": "camille@example.fr",
                "problem": "Le tissu de mon canapé Oslo est déchiré\n"
                "CMD-2025-54321, camille@example.fr",
            },
        ),
        (
            ["Où en est mon ticket SAV-2025-00017 ?"],
            "ticket_status",
            {"ticket_number": "SAV-2025-00017"},
        ),
        (["Où en est mon dossier ?"], "ticket_status", {}),
    ],
)
def test_message_calls_the_tool_that_serves_it(said, name, arguments):
    call = reply(*said, tools=ALL)

    assert isinstance(call, Call)
    given = json.loads(call.arguments)
    jsonschema.validate(given, PARAMETERS[name])
    assert call.name == name
    assert {key: value for key, value in given.items() if value is not None} == arguments


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour",
        "Bonjour, je suis Jean",
        "Comment je m'appelle ?",
        "merci",
        "raconte",
        "Test",
        "Où est ma commande ?",  # asks for the number instead
        "Puis-je payer en 3 fois ?",  # no topic of shop_information
    ],
)
def test_message_that_no_tool_serves_is_answered_in_words(text):
    assert isinstance(reply(text, tools=ALL), Say)


def test_tool_is_not_called_where_the_choice_is_none():
    assert isinstance(reply("Vos horaires ?", tools=ALL, choice="none"), Say)


@pytest.mark.parametrize("choice", ["required", "find_order"])
def test_forced_choice_always_calls(choice):
    call = reply("Bonjour", tools=("find_order", "shop_information"), choice=choice)

    assert isinstance(call, Call)
    assert call.name == "find_order"


def test_unfamiliar_tool_is_only_called_where_it_must_be():
    assert isinstance(reply("Combien de points ?", tools=("loyalty_points",)), Say)
    assert reply("Combien de points ?", tools=("loyalty_points",), choice="required") == Call(
        "loyalty_points", "{}"
    )


@pytest.mark.parametrize("name", ALL)
def test_arguments_fit_the_schema_of_the_shop(name):
    said = "Ma commande CMD-2025-54321, un canapé SAL-CAP-001, dossier SAV-2025-00001"

    call = reply(said, tools=(name,), choice="required")

    assert isinstance(call, Call)
    jsonschema.validate(json.loads(call.arguments), PARAMETERS[name])
