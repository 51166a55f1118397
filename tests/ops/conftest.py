"""Operations are tried at the command line, as the commands that call them."""

from tests.management.conftest import database_url, shelf

__all__ = ["database_url", "shelf"]
