from __future__ import annotations

import pytest

from chat.shop.catalog.door_fit import Box, fits_through

SOFA = Box(2120, 920, 840, is_seat=True)


@pytest.mark.parametrize(
    "box, door, verdict, how, margin",
    [
        # A sofa goes lengthwise: its depth and its height pass.
        (SOFA, (930, 2040), "yes", "de côté, dans sa longueur", 70),
        (SOFA, (860, 2040), "yes", "de côté, dans sa longueur", 0),
        (SOFA, (859, 2040), "maybe", "en le basculant, pieds démontés", -1),
        (SOFA, (730, 2040), "no", "", -130),
        # The same in a low opening: on its back.
        (SOFA, (2040, 860), "yes", "de côté, dans sa longueur", 0),
        # A wardrobe is laid down: its top goes first.
        (Box(1000, 600, 2300), (700, 2000), "yes", "le dessus en premier", 80),
        # What is no seat is not tilted.
        (Box(2120, 920, 840), (859, 2040), "no", "", -1),
        # A slab that is as wide as the door is high passes when turned.
        (Box(2030, 2200, 40), (900, 2040), "maybe", "en biais dans l'ouverture", -10),
        (Box(2400, 2400, 40), (900, 2040), "no", "", -380),
        # A table top in a parcel.
        (Box(1840, 940, 120, is_parcel=True), (730, 2040), "yes", None, None),
        (Box(100, 100, 100), (120, 120), "yes", "de face", 0),
        (Box(101, 101, 101), (120, 120), "no", "", -1),
    ],
)
def test_a_box_passes_or_not(box, door, verdict, how, margin):
    passage = fits_through(box, *door)

    assert passage.verdict == verdict
    assert how is None or passage.how == how
    assert margin is None or passage.margin_mm == margin


@pytest.mark.parametrize("box, door", [(Box(0, 1, 1), (800, 2000)), (Box(1, 1, 1), (-800, 2000))])
def test_lengths_are_positive(box, door):
    with pytest.raises(ValueError, match="positive"):
        fits_through(box, *door)


@pytest.mark.parametrize("width", range(500, 1200, 25))
def test_a_wider_door_is_never_worse(width):
    order = ["no", "maybe", "yes"]
    narrow, wide = fits_through(SOFA, width, 2040), fits_through(SOFA, width + 25, 2040)

    assert order.index(wide.verdict) >= order.index(narrow.verdict)
