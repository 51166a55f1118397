"""Fictitious catalogue and orders for the demonstration, the evaluation and the tests."""

from __future__ import annotations

from pathlib import Path

from chat.core import clock
from chat.shop.catalog.loader import Loaded, load_catalogue, read_catalogue
from chat.shop.hours import PARIS

DEMO_FILE = Path(__file__).with_name("catalogue.json")
#: A dozen orders.
DEMO_ORDERS = Path(__file__).with_name("orders.json")


def load_demo_catalogue() -> Loaded:
    """Load the catalogue into the database, with stocks counted today."""
    products = read_catalogue(DEMO_FILE)
    today = clock.now().astimezone(PARIS).replace(hour=0, minute=0, second=0, microsecond=0)
    for row in products:
        row.values["stock_at"] = today
    return load_catalogue(products)
