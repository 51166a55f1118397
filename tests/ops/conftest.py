"""Operations are tried at the command line, as the commands that call them."""

from tests.management.conftest import database_url, redis_store

__all__ = ["database_url", "redis_store"]
