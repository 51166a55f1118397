from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shop.imports.reading import RawRow, RowProblem, Unreadable, read_file, read_rows


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, name: str = "rows.json") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def rows_of(path: Path) -> list[RawRow]:
    """The rows of a file in which nothing is wrong."""
    rows, problems = read_file(path)
    assert problems == []
    return rows


def told_of(path: Path, **bounds: int) -> str:
    """What is said of a file that cannot be read."""
    with pytest.raises(Unreadable) as refused:
        read_file(path, **bounds)
    return str(refused.value)


def test_json_objects_have_the_lines_where_they_begin(write):
    path = write('[\n  {"a": 1},\n  {"a":\n    2},\n\n  {"a": 3}\n]\n')

    assert rows_of(path) == [RawRow(2, {"a": 1}), RawRow(3, {"a": 2}), RawRow(6, {"a": 3})]


def test_csv_lines_count_line_ends_within_cells(write):
    path = write('a,b\n1,"x\ny"\n\n3,z\n', "rows.csv")

    assert rows_of(path) == [RawRow(2, {"a": "1", "b": "x\ny"}), RawRow(5, {"a": "3", "b": "z"})]


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_what_a_french_spreadsheet_writes_is_read(write, start):
    path = write(f"{start}numéro;prix\r\n1;2,50\r\n", "rows.CSV")

    assert rows_of(path) == [RawRow(2, {"numéro": "1", "prix": "2,50"})]


@pytest.mark.parametrize(
    "content, told",
    [
        ("", "Une liste JSON est attendue"),
        ("{}", "Une liste JSON est attendue"),
        ("null", "Une liste JSON est attendue"),
        ("[]", "Le fichier est vide."),
        ("[", "ligne 1, "),
        ('[\n{"a": 1}\n{"a": 2}]', "ligne 3 : "),
        ('[\n{"a": 1},\n{"a" 2}]', "ligne 3, "),
        ('[{"a": 1}]\nx', "Il reste du texte"),
        ('[\n{"a": 1},\n]', "ligne 3 : "),
        ('[\n{"a": NaN}]', "ligne 2 : NaN"),
        ('[\n{"a": -Infinity}]', "ligne 2 : -Infinity"),
        ('[\n{"a": ' + "9" * 5000 + "}]", "ligne 2 : "),
        ('[\n{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]", "ligne 2 : JSON imbriqué à l'excès."),
        ('[\n{"a": 1, "a": 2}]', "ligne 2 : un champ est donné deux fois"),
        ('[\n{"a": {"b": 1, "b": 2}}]', "ligne 2 : un champ est donné deux fois"),
        ('[\n{"a": "\\u00', "ligne 2, "),
    ],
)
def test_broken_json_is_refused_with_its_line(write, content, told):
    assert told_of(write(content)).startswith(told)


@pytest.mark.parametrize(
    "content, told",
    [
        ("", "Le fichier est vide"),
        ("a,b\n", "Le fichier est vide"),
        ("a,\n1,2\n", "ligne 1 : colonnes en double ou sans nom"),
        ("a,a\n1,2\n", "ligne 1 : colonnes en double ou sans nom : a."),
        ('a,b\n1,"2\n', "ligne 2 : CSV illisible"),
        ('a,b\n1,"2"x\n', "ligne 2 : CSV illisible"),
        ("a,b\n1," + "x" * 200_000 + "\n", "ligne 2 : CSV illisible"),
    ],
)
def test_broken_csv_is_refused_with_its_line(write, content, told):
    assert told_of(write(content, "rows.csv")).startswith(told)


@pytest.mark.parametrize(
    "content, name, lines",
    [
        ('[{"a": 1},\n3,\n[],\n{"a": [[[1]]]}]', "rows.json", [2, 3, 4]),
        ("a,b\n1\n1,2,3\n1,2\n", "rows.csv", [2, 3]),
    ],
)
def test_what_is_no_row_is_told_beside_those_that_are(write, content, name, lines):
    rows, problems = read_file(write(content, name))

    assert len(rows) == 1
    assert [problem.line for problem in problems] == lines


def test_rows_may_be_nested_as_deep_as_the_reader_says(write):
    path = write('[{"a": [{"b": [1]}]}]')

    assert len(read_file(path, max_depth=5)[0]) == 1
    assert len(read_file(path, max_depth=4)[0]) == 0


@pytest.mark.parametrize(
    "content, told",
    [
        (b'[\n{"a": "\xff"}]', "ligne 2 : le fichier n'est pas en UTF-8."),
        (b'[\n\n{"a": "\x00"}]', "Le fichier contient des octets nuls"),
        ('[{"a": 1}]'.encode("utf-16"), "ligne 1 : le fichier n'est pas en UTF-8."),
    ],
)
def test_what_is_no_text_is_refused(write, content, told):
    assert told_of(write(content)).startswith(told)


def test_a_file_too_large_is_not_read_whole(write):
    assert told_of(write(b" " * 1_000_001), max_bytes=1_000_000) == "Le fichier dépasse 1 Mo."


@pytest.mark.parametrize("name", ["rows.json", "rows.csv"])
def test_more_rows_than_a_shop_has_are_refused(write, name):
    rows = '[{"a": 1}' + ',{"a": 1}' * 3 + "]" if name.endswith("json") else "a\n" + "1\n" * 4

    assert told_of(write(rows, name), max_rows=3) == "Le fichier compte plus de 3 lignes."


@pytest.mark.parametrize("name", ["rows.txt", "rows", "rows.json.exe"])
def test_other_kinds_of_files_are_refused(write, name):
    assert told_of(write("[]", name)) == "Le nom du fichier doit finir par .json ou .csv."


def test_pipes_folders_and_nothing_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.csv").mkdir()

    for name in ("pipe.json", "folder.csv", "nothing.json"):
        assert told_of(tmp_path / name) == "Ce n'est pas un fichier."


@pytest.mark.parametrize(
    "problem, text",
    [
        (RowProblem(3, "price", "Manque."), "ligne 3, colonne price : Manque."),
        (RowProblem(3, "", "Manque."), "ligne 3 : Manque."),
    ],
)
def test_problems_are_said_with_their_place(problem, text):
    assert str(problem) == text


flat_values = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=10)
flat_rows = st.dictionaries(st.text(max_size=5), flat_values | st.lists(flat_values, max_size=3))


@given(st.lists(flat_rows, min_size=1, max_size=5))
def test_what_json_writes_is_read_back(tmp_path_factory, written):
    path = tmp_path_factory.getbasetemp() / "rows.json"
    path.write_text(json.dumps(written, indent=1))

    rows = rows_of(path)

    assert [row.fields for row in rows] == written
    text = path.read_text().split("\n")
    assert all(text[row.line - 1].strip().startswith("{") for row in rows)


@given(st.text(max_size=200), st.booleans())
def test_any_text_is_rows_or_refused(text, is_csv):
    found: object
    try:
        found = any(read_rows(text.encode(), is_csv=is_csv))
    except Unreadable as refused:
        found = str(refused)
    assert found
