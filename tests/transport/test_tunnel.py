"""The handshakes with proxies, without I/O: what is sent, and what a proxy may reply."""

import base64

import h11
import httpcore
import pytest
from openrouter_rerank._transport.tunnel import Login, http_tunnel, socks_tunnel

LOGIN = Login(b"user", b"pass")
CONNECT = b"CONNECT host.example:443 HTTP/1.1\r\nHost: host.example:443\r\n"
REQUEST = b"\x05\x01\x00\x03\x0chost.example\x01\xbb"
CONNECTED = b"\x05\x00\x00"
IPV4, IPV6 = b"\x01" + bytes(6), b"\x04" + bytes(18)


def run(handshake, *replies, size=None):
    """Send each reply after a message of `handshake`, in pieces; return its messages."""
    sent = [next(handshake)]
    pieces = [
        reply[at : at + (size or len(reply))]
        for reply in replies
        for at in range(0, len(reply), size or len(reply))
    ]
    for piece in pieces:
        try:
            sent.append(handshake.send(piece))
        except StopIteration:
            assert piece is pieces[-1]
            return [each for each in sent if each]
    raise AssertionError("the handshake has not ended")


@pytest.mark.parametrize("size", [None, 1, 7])
@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 Connected\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nVia: a\r\n\r\n",
        # A proxy that opens a tunnel has no body to send (RFC 9110 section 9.3.6).
        b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_an_http_proxy_that_agrees_opens_the_tunnel(reply, size):
    """A status of 2xx, read in pieces of any size, opens the tunnel."""
    assert run(http_tunnel("host.example", 443), reply, size=size) == [CONNECT + b"\r\n"]


def test_an_http_proxy_may_send_sixteen_kibibytes():
    """All responses of an HTTP proxy together have at most 16 KiB."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: "
    early += b"a" * (1024 - 4 - len(early)) + b"\r\n\r\n"
    handshake = http_tunnel("host.example", 443)
    next(handshake)

    for _ in range(16):
        assert handshake.send(early) == b""
    with pytest.raises(httpcore.ConnectError, match="too long"):
        handshake.send(b"H")


def test_an_http_proxy_gets_the_login_and_the_address():
    """The login is in a header, and an IPv6 address is in brackets."""
    (sent,) = run(http_tunnel("::1", 8443, LOGIN), b"HTTP/1.1 200 OK\r\n\r\n")

    assert sent.startswith(b"CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n")
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"user:pass") + b"\r\n" in sent


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    [
        (b"HTTP/1.1 407 Log in\r\n\r\nbody", httpcore.ProxyError, "^407 Log in$"),
        (b"HTTP/1.1 302 Found\r\nLocation: a\r\n\r\n", httpcore.ProxyError, "^302 Found$"),
        (b"HTTP/1.1 503 \xff\r\n\r\n", httpcore.ProxyError, "^503 $"),
        (b"HTTP/1.1 200 OK\r\n\r\n\x16", httpcore.ConnectError, "sent more than a response"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 17_000, httpcore.ConnectError, "too long"),
        (b"HTTP/1.1 103 A\r\n\r\n" * 1_000, httpcore.ConnectError, "too long"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", h11.RemoteProtocolError, "illegal"),
        (b"", httpcore.ConnectError, "closed the connection"),
    ],
)
def test_an_http_proxy_that_opens_no_tunnel_is_an_error(reply, error, message):
    """Another status, other bytes or a long response end the handshake."""
    handshake = http_tunnel("host.example", 443)
    next(handshake)

    with pytest.raises(error, match=message):
        handshake.send(reply)


@pytest.mark.parametrize("size", [None, 1, 7])
@pytest.mark.parametrize("address", [IPV4, IPV6, b"\x03\x04name" + bytes(2)])
def test_a_socks_proxy_that_agrees_opens_the_tunnel(address, size):
    """A reply with any kind of address, read in pieces of any size, opens the tunnel."""
    sent = run(socks_tunnel("host.example", 443), b"\x05\x00", CONNECTED + address, size=size)

    assert sent == [b"\x05\x01\x00", REQUEST]


def test_a_socks_proxy_gets_the_login():
    """The login is sent to a proxy that asks for it."""
    sent = run(socks_tunnel("host.example", 443, LOGIN), b"\x05\x02", b"\x01\x00", CONNECTED + IPV4)

    assert sent == [b"\x05\x02\x00\x02", b"\x01\x04user\x04pass", REQUEST]


def test_a_socks_proxy_that_asks_for_no_login_gets_none():
    """The login is not sent to a proxy that does not ask for it."""
    sent = run(socks_tunnel("host.example", 443, LOGIN), b"\x05\x00", CONNECTED + IPV4)

    assert sent == [b"\x05\x02\x00\x02", REQUEST]


@pytest.mark.parametrize(
    ("host", "address"),
    [("192.0.2.1", b"\x01\xc0\x00\x02\x01"), ("::1", b"\x04" + bytes(15) + b"\x01")],
)
def test_a_socks_proxy_gets_an_ip_address_as_such(host, address):
    """An IP address is not sent as a name."""
    sent = run(socks_tunnel(host, 80), b"\x05\x00", CONNECTED + IPV4)

    assert sent[1] == b"\x05\x01\x00" + address + b"\x00\x50"


@pytest.mark.parametrize(
    ("login", "replies", "error", "message"),
    [
        (None, [b"HT"], httpcore.ConnectError, "does not speak SOCKS 5"),
        (None, [b"\x04\x00"], httpcore.ConnectError, "does not speak SOCKS 5"),
        (None, [b"\x05\x00x"], httpcore.ConnectError, "sent more than a response"),
        (None, [b"\x05\x02"], httpcore.ProxyError, "^it asks for a user name and password$"),
        (None, [b"\x05\xff"], httpcore.ProxyError, "^it asks for a user name and password$"),
        (LOGIN, [b"\x05\xff"], httpcore.ProxyError, "another way to log in than"),
        (LOGIN, [b"\x05\x02", b"\x01\x01"], httpcore.ProxyError, "does not accept the user name"),
        (LOGIN, [b"\x05\x02", b"\x01\x00x"], httpcore.ConnectError, "sent more than a response"),
        (None, [b"\x05\x00", b"\x05\x02"], httpcore.ProxyError, "rules do not allow"),
        (None, [b"\x05\x00", b"\x05\x05"], httpcore.ConnectError, "host refused"),
        (None, [b"\x05\x00", b"\x05\x63"], httpcore.ConnectError, "^code 99$"),
        (None, [b"\x05\x00", CONNECTED + b"\x07\x01"], httpcore.ConnectError, "SOCKS 5"),
        (None, [b"\x05\x00", CONNECTED + IPV4 + b"x"], httpcore.ConnectError, "sent more"),
        (None, [b"\x05\x00", b""], httpcore.ConnectError, "closed the connection"),
        (None, [b""], httpcore.ConnectError, "closed the connection"),
    ],
)
def test_a_socks_proxy_that_opens_no_tunnel_is_an_error(login, replies, error, message):
    """A refusal, other bytes or the end of the connection end the handshake."""
    handshake = socks_tunnel("host.example", 443, login)
    next(handshake)
    *before, last = replies
    for reply in before:
        handshake.send(reply)

    with pytest.raises(error, match=message):
        handshake.send(last)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1, "the proxy failed"),
        (2, "its rules do not allow the connection"),
        (3, "it cannot reach the network"),
        (4, "it cannot reach the host"),
        (5, "the host refused its connection"),
        (6, "the host is too far away"),
        (7, "it does not support this command"),
        (8, "it does not support this type of address"),
    ],
)
def test_the_codes_of_socks_have_reasons(code, reason):
    """The reason of a refusal is that of its code in RFC 1928 section 6."""
    handshake = socks_tunnel("host.example", 443)
    next(handshake)
    handshake.send(b"\x05\x00")

    with pytest.raises((httpcore.ProxyError, httpcore.ConnectError)) as caught:
        handshake.send(bytes([5, code]))

    assert str(caught.value) == reason


def test_a_name_that_is_too_long_for_socks_is_an_error():
    """SOCKS 5 has one byte for the length of a name."""
    longest, longer = (socks_tunnel("a" * length, 443) for length in (255, 256))
    next(longest)
    next(longer)

    assert longest.send(b"\x05\x00")[4:6] == b"\xffa"
    with pytest.raises(httpcore.ConnectError, match="too long"):
        longer.send(b"\x05\x00")


def test_a_login_is_in_no_repr():
    """The `repr` of a login does not show it."""
    assert repr(LOGIN) == "Login(...)"
