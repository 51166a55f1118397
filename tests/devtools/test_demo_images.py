from __future__ import annotations

import json
import re
from pathlib import Path

from devtools.demo.data import DEMO_FILE

FOLDER = Path(__file__).parents[2] / "chat/static/chat/catalog"
MAX_BYTES = 4_000
#: What a drawing may consist of: nothing that runs, and nothing that is fetched.
SHAPES = {"svg", "title", "ellipse", "path", "rect"}


def test_each_product_of_the_demonstration_has_its_small_drawing_without_scripts():
    images = [product["image"] for product in json.loads(DEMO_FILE.read_text())]

    assert sorted(images) == sorted(path.name for path in FOLDER.iterdir())
    for image in images:
        text = (FOLDER / image).read_text()
        names = set(re.findall(r"<(\w+)", text))
        assert names <= SHAPES, f"{image} has {names - SHAPES}"
        assert len(text.encode()) <= MAX_BYTES, image
