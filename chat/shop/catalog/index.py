"""Full-text index of the catalogue for PostgreSQL and SQLite.

PostgreSQL has a generated column with its French configuration, and corrects misspelt words with
``pg_trgm`` where that can be installed. SQLite has an FTS5 table that holds our own stems. Both
weigh the same four texts equally, see ``WEIGHTS``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from chat.shop.catalog.words import alternatives, nearest_word, stem

logger = logging.getLogger(__name__)

#: Weight of a word in each of the four texts of a product; the first is its kind and proper name.
WEIGHTS = (1.0, 0.5, 0.25, 0.1)
#: Maximum number of results, above the size of a catalogue.
MAX_MATCHES = 2_000
#: Trigram similarity from which a word is a candidate for a correction, and accepted by itself.
MIN_SIMILARITY = 0.2
SURE_SIMILARITY = 0.5

_TSVECTOR = " || ".join(
    f"setweight(to_tsvector('pg_catalog.french', {column}), '{weight}')"
    for column, weight in zip(
        ("head_words", "name_words", "fact_words", "text_words"), "ABCD", strict=True
    )
)
_VOCABULARY = """
    SELECT head_words || ' ' || name_words || ' ' || fact_words FROM chat_product WHERE is_active
"""


def database() -> BaseDatabaseWrapper:
    """Return the database connection of the catalogue."""
    return connections[router.db_for_write(apps.get_model("chat", "Product"))]


def create(connection: BaseDatabaseWrapper) -> None:
    """Create the index if it does not exist."""
    if connection.vendor == "postgresql":
        _create_postgres(connection)
    elif connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE VIRTUAL TABLE IF NOT EXISTS chat_product_search"
                " USING fts5(head, name, facts, body, tokenize = 'unicode61')"
            )


def drop(connection: BaseDatabaseWrapper) -> None:
    """Undo ``create``, except for the extension, which others may use."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE chat_product DROP COLUMN IF EXISTS search_vector")
        elif connection.vendor == "sqlite":
            cursor.execute("DROP TABLE IF EXISTS chat_product_search")


def _create_postgres(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE chat_product ADD COLUMN IF NOT EXISTS search_vector tsvector"
            f" GENERATED ALWAYS AS ({_TSVECTOR}) STORED"
        )
        cursor.execute(
            "CREATE INDEX IF NOT EXISTS product_by_words ON chat_product USING gin (search_vector)"
        )
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError as error:
            logger.warning(
                "pg_trgm is not available, misspelt words are looked up slower: %s", error
            )


def put(texts: Mapping[int, Sequence[str]]) -> None:
    """Index the four texts of each product id. Does nothing on PostgreSQL (generated column)."""
    connection = database()
    if connection.vendor != "sqlite" or not texts:
        return
    rows: list[list[int | str]] = [
        [product_id, *(" ".join(stem(word) for word in text.split()) for text in four)]
        for product_id, four in texts.items()
    ]
    with connection.cursor() as cursor:
        forgotten = [[product_id] for product_id in texts]
        cursor.executemany("DELETE FROM chat_product_search WHERE rowid = %s", forgotten)
        cursor.executemany(
            "INSERT INTO chat_product_search (rowid, head, name, facts, body)"
            " VALUES (%s, %s, %s, %s, %s)",
            rows,
        )


def matches(words: Sequence[str]) -> dict[int, float]:
    """Return the rank by id of the products on sale that contain all of these folded words.

    Higher is better; ranks of different databases are not comparable.
    """
    choices = [alternatives(word) for word in words]
    connection = database()
    if connection.vendor == "postgresql":
        asked = " & ".join(f"({' | '.join(choice)})" for choice in choices)
        rows = _rows(connection, _MATCHES_POSTGRES, [list(reversed(WEIGHTS)), asked, MAX_MATCHES])
    else:
        stems = [[f'"{stem(word)}"' for word in choice] for choice in choices]
        asked = " AND ".join(f"({' OR '.join(choice)})" for choice in stems)
        rows = _rows(connection, _MATCHES_SQLITE, [*WEIGHTS, asked, MAX_MATCHES])
    return dict(rows)


_MATCHES_POSTGRES = """
    SELECT id, ts_rank(%s::real[], search_vector, asked)
      FROM chat_product, to_tsquery('pg_catalog.french', %s) AS asked
     WHERE search_vector @@ asked AND is_active
     ORDER BY 2 DESC LIMIT %s
"""
_MATCHES_SQLITE = """
    SELECT chat_product.id, -bm25(chat_product_search, %s, %s, %s, %s) AS score
      FROM chat_product_search JOIN chat_product ON chat_product.id = chat_product_search.rowid
     WHERE chat_product_search MATCH %s AND chat_product.is_active
     ORDER BY score DESC LIMIT %s
"""


def meant(word: str) -> str:
    """Return the word of the catalogue most similar to a misspelt one, or ""."""
    connection = database()
    if connection.vendor == "postgresql" and has_trigrams(connection):
        rows = _rows(connection, _NEAREST_POSTGRES, [word, len(word), MIN_SIMILARITY])
        alike = [known for known, likeness in rows if likeness >= SURE_SIMILARITY]
        return nearest_word(word, [known for known, _ in rows]) or next(iter(alike), "")
    rows = _rows(connection, _VOCABULARY, [])
    return nearest_word(word, sorted({known for row in rows for known in row[0].split()}))


def has_trigrams(connection: BaseDatabaseWrapper) -> bool:
    return bool(_rows(connection, "SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'", []))


_NEAREST_POSTGRES = """
    WITH known AS (
        SELECT DISTINCT regexp_split_to_table(
                   head_words || ' ' || name_words || ' ' || fact_words, ' ') AS word
          FROM chat_product WHERE is_active
    ), scored AS (
        SELECT word, similarity(word, %s) AS likeness FROM known
         WHERE abs(length(word) - %s) <= 2 AND word ~ '^[a-z]'
    )
    SELECT word, likeness FROM scored WHERE likeness >= %s ORDER BY likeness DESC, word LIMIT 20
"""


def _rows(connection: BaseDatabaseWrapper, sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
