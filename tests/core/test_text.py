from __future__ import annotations

from chat.core.text import MAX_KNOWN_SIGNS, FoldingTable


def test_each_sign_is_folded_once_until_the_table_is_full():
    asked: list[int] = []

    def fold(code: int) -> str:
        asked.append(code)
        return "x"

    table = FoldingTable(fold)
    signs = "".join(map(chr, range(0x4E00, 0x4E00 + MAX_KNOWN_SIGNS)))
    for _ in range(2):
        assert signs.translate(table) == "x" * len(signs)
    assert len(asked) == len(table) == MAX_KNOWN_SIGNS
    for _ in range(2):
        assert "é".translate(table) == "x"
    assert asked.count(ord("é")) == 2
    assert len(table) == MAX_KNOWN_SIGNS
