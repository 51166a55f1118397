"""Paint for what a catalogue calls a colour."""

from __future__ import annotations

from chat.catalog.words import folded

INK = "#4b3b2e"
WOOD = "#d3a873"
STEEL = "#3e4145"
GLASS = "#dce8e6"
LINEN = "#f3ece0"
BRASS = "#c9a24e"

#: Tried in order, against folded words.
_PAINTS = (
    ("bleu marine", "#3d5578"), ("bleu nuit", "#46597c"), ("bleu petrole", "#3f7078"),
    ("bleu canard", "#3d7480"), ("bleu clair", "#a9c4d6"), ("bleu ardoise", "#6c7f92"),
    ("bleu", "#5b7da3"), ("vert sapin", "#4a6f5b"), ("vert sauge", "#a9b897"),
    ("vert clair", "#bcd0ad"), ("vert", "#7d9a70"), ("anthracite", "#6d7175"),
    ("gris fume", "#a6a9a8"), ("gris perle", "#cfcdc8"), ("gris", "#c3c1bc"),
    ("ecru", "#eee3cf"), ("taupe", "#a3917f"), ("cognac", "#b3703f"), ("camel", "#c28b55"),
    ("chocolat", "#7a5a48"), ("moutarde", "#d3a43c"), ("terracotta", "#c87b5a"),
    ("rose", "#e0b3ab"), ("bordeaux", "#8d4a4f"), ("rouge", "#b5523f"), ("beige", "#ddcbac"),
    ("dore", BRASS), ("noyer", "#99694a"), ("chene fonce", "#94693f"), ("chene", "#d3a873"),
    ("bois brun", "#9c6b45"), ("manguier", "#a87850"), ("hetre", "#dcb98b"), ("pin", "#e0bf8c"),
    ("frene", "#dcc39a"), ("rotin", "#d4a868"), ("bambou", "#dcbc83"), ("naturel", "#d9b380"),
    ("blanc", "#f5f0e6"), ("noir", "#4a4745"), ("jute", "#cfae74"),
)  # fmt: skip


def paint_of(name: str) -> str:
    """Return the paint for a colour or a wood, or "" for what has none."""
    said = folded(name)
    return next((paint for word, paint in _PAINTS if word in said), "")


def shaded(paint: str, percent: int) -> str:
    """Return the paint lighter (up to 100) or darker (down to -100)."""
    parts = [int(paint[at : at + 2], 16) for at in (1, 3, 5)]
    goal = 255 if percent > 0 else 0
    mixed = [round(part + (goal - part) * abs(percent) / 100) for part in parts]
    return "#" + "".join(f"{part:02x}" for part in mixed)
