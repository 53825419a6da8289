"""Loopback addresses for the hosts of tests, and a resolver that returns them."""

import socket

# On the port of a test, only the second address accepts connections.
SILENT, ACCEPTING = "127.0.0.1", "127.0.0.2"


def resolving(*addresses):
    """Return a resolver for asynchronous calls that resolves every name to `addresses`."""

    async def resolve(_, port):
        return [(socket.AF_INET, (address, port)) for address in addresses]

    return resolve
