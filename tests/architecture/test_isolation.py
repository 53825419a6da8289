import os
import socket

import pytest

from tests.real_collections import TEST_DATA

refused = pytest.raises(pytest.fail.Exception, match="only use loopback")


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1"])
def test_connecting_anywhere_but_loopback_fails_the_test(host):
    """A connection to an address that is not loopback is refused before a packet leaves."""
    with socket.socket() as tcp, refused:
        tcp.connect((host, 443))


def test_datagrams_to_anywhere_but_loopback_fail_the_test():
    """A datagram, which needs no connection, is also refused."""
    with socket.socket(type=socket.SOCK_DGRAM) as udp, refused:
        udp.sendto(b"", ("192.0.2.1", 53))


@pytest.mark.parametrize(
    "look_up", [socket.gethostbyname, lambda host: socket.getaddrinfo(host, 0)]
)
def test_looking_up_a_name_fails_the_test(look_up):
    """A name is not looked up, because the lookup alone would leave the machine."""
    with refused:
        look_up("example.com")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_open(host):
    """A test can connect to its own server on loopback, by address and by name."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection((host, address[1]), timeout=5) as connection:
            assert connection.getpeername() == address


def test_no_configuration_is_inherited():
    """No test gets a developer's key: the only `OPENROUTER_` variable is a key of the tests."""
    found = {name: os.environ[name] for name in os.environ if name.startswith("OPENROUTER_")}
    found.pop(TEST_DATA, None)

    assert found == {"OPENROUTER_API_KEY": "sk-or-v1-of-the-environment"}
