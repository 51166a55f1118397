"""The store and the model of a turn are those of the assistant's tests."""

from tests.assistant.conftest import model, store

__all__ = ["model", "store"]
