"""One worker process: daphne's HTTP and WebSocket protocols with every quantity bounded.

``limits`` has the numbers, ``http`` and ``sockets`` enforce them, ``worker`` runs and stops
the process. Nothing here knows Django.
"""
