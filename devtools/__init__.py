"""Developers' tools: local assistant, bench, evaluation, demonstration, tracing."""
