from __future__ import annotations

import pytest

from chat.assistant.guard.claims import digits_for_words


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("deux ans", "2 ans"),
        ("quinze jours", "15 jours"),
        ("vingt et un jours", "21 jours"),
        ("soixante-dix-sept euros", "77 euros"),
        ("quatre-vingts euros", "80 euros"),
        ("quatre-vingt-dix-neuf euros", "99 euros"),
        ("cent euros", "100 euros"),
        ("mille deux cent cinquante euros", "1250 euros"),
        ("trois mille euros", "3000 euros"),
        ("deux cents", "200"),
        ("un canape", "un canape"),
        ("l'un, un canape, une une", "l'un, un canape, une une"),
        ("vingt et un ans", "21 ans"),
        ("une table de six places", "une table de 6 places"),
        ("centre de table", "centre de table"),
        ("dixieme", "dixieme"),
    ],
)
def test_numbers_in_words_become_digits(words, digits):
    assert digits_for_words(words) == digits
