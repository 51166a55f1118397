"""The clients, in a process of their own: no Django here, and next to no work per byte.

``python -m chat.bench.driver`` reads one job a line (JSON) from standard input and writes one
result a line, until its input ends.
"""
