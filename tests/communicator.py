"""WebSockets of Channels' test kit under which the product treats its database as in production."""

from __future__ import annotations

from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator


class Communicator(WebsocketCommunicator):
    """Lets ``database_sync_to_async`` close its connections while the test sends and receives.

    Channels replaces ``close_old_connections`` by nothing meanwhile, for the sake of tests in one
    transaction. Threads that end with the event loop of a test would forget their connections then.
    Django itself keeps a connection that is in a transaction.
    """

    send_input = ApplicationCommunicator.send_input
    receive_output = ApplicationCommunicator.receive_output
