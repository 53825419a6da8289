"""The handshakes with which a proxy opens a tunnel to a host: HTTP CONNECT and SOCKS 5. Pure."""

import base64
import ipaddress
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress

import h11
import httpcore

Handshake = Generator[bytes, bytes, None]
"""
Yields the bytes to send, which may be none, and gets the next bytes that were read: empty at the
end of the connection. It ends when the tunnel is open.
"""

# Bytes of the responses of an HTTP proxy, before the first byte of a body.
_LONGEST_HEAD = 16 * 1024
_NO_LOGIN, _PASSWORD = 0, 2
_SUCCEEDED, _FORBIDDEN = 0, 2
# RFC 1928 section 6.
_SOCKS_REASONS: Mapping[int, str] = {
    1: "the proxy failed",
    _FORBIDDEN: "its rules do not allow the connection",
    3: "it cannot reach the network",
    4: "it cannot reach the host",
    5: "the host refused its connection",
    6: "the host is too far away",
    7: "it does not support this command",
    8: "it does not support this type of address",
}
_IPV4, _NAME, _IPV6 = 1, 3, 4


class Login:
    """A user name and a password for a proxy, which are in no `repr` and no traceback."""

    __slots__ = ("_reveal",)

    def __init__(self, user: bytes, password: bytes) -> None:
        self._reveal: Callable[[], tuple[bytes, bytes]] = lambda: (user, password)

    def __repr__(self) -> str:
        return "Login(...)"

    def header(self) -> tuple[bytes, bytes]:
        """Return the header for an HTTP proxy (RFC 7617)."""
        return b"Proxy-Authorization", b"Basic " + base64.b64encode(b":".join(self._reveal()))

    def message(self) -> bytes:
        """Return the message for a SOCKS proxy (RFC 1929)."""
        return b"\x01" + b"".join(bytes([len(each)]) + each for each in self._reveal())


def http_tunnel(host: str, port: int, login: Login | None = None) -> Handshake:
    """
    Open a tunnel through an HTTP proxy (RFC 9110 section 9.3.6).

    Raises:
        ProxyError: If the proxy refuses, with its status.
        ConnectError: If the proxy ends the connection, or sends more than its response.
        RemoteProtocolError: If the proxy does not speak HTTP.
    """
    state = h11.Connection(h11.CLIENT)
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [(b"Host", target.encode()), *([] if login is None else [login.header()])]
    sent = state.send(h11.Request(method="CONNECT", target=target, headers=headers)) or b""
    state.send(h11.EndOfMessage())
    left = _LONGEST_HEAD
    while not isinstance(event := state.next_event(), h11.Response):
        # There may be informational responses before.
        if event is h11.NEED_DATA:
            received = yield from _received(sent)
            sent, left = b"", left - len(received)
            if left < 0:
                raise httpcore.ConnectError("the response of the proxy is too long")
            state.receive_data(received)
    if not 200 <= event.status_code < 300:
        reason = event.reason.decode("ascii", errors="ignore")
        raise httpcore.ProxyError(f"{event.status_code} {reason}")
    _refuse_more(state.trailing_data[0])


def socks_tunnel(host: str, port: int, login: Login | None = None) -> Handshake:
    """
    Open a tunnel through a SOCKS 5 proxy (RFC 1928), which looks the host up.

    Raises:
        ProxyError: If the proxy refuses.
        ConnectError: If the proxy ends the connection, does not speak SOCKS 5, or sends too much.
    """
    methods = bytes([_NO_LOGIN] if login is None else [_NO_LOGIN, _PASSWORD])
    reply = yield from _received(b"\x05" + bytes([len(methods)]) + methods, 2)
    if reply[0] != 5:
        raise httpcore.ConnectError("the proxy does not speak SOCKS 5")
    _refuse_more(reply[2:])
    if reply[1] == _PASSWORD and login is not None:
        reply = yield from _received(login.message(), 2)
        if reply[1] != 0:
            raise httpcore.ProxyError("it does not accept the user name and the password")
        _refuse_more(reply[2:])
    elif reply[1] != _NO_LOGIN:
        another = "a" if login is None else "another way to log in than a"
        raise httpcore.ProxyError(f"it asks for {another} user name and password")
    request = b"\x05\x01\x00" + _socks_address(host) + port.to_bytes(2)
    reply = yield from _received(request, 2)
    if reply[1] != _SUCCEEDED:
        reason = _SOCKS_REASONS.get(reply[1], f"code {reply[1]}")
        raise (httpcore.ProxyError if reply[1] == _FORBIDDEN else httpcore.ConnectError)(reason)
    # The reply ends with an address: its type, its bytes, and two bytes of a port.
    reply = yield from _received(b"", 5, reply)
    size = {_IPV4: 10, _NAME: 7 + reply[4], _IPV6: 22}.get(reply[3])
    if size is None:
        raise httpcore.ConnectError("the proxy does not speak SOCKS 5")
    reply = yield from _received(b"", size, reply)
    _refuse_more(reply[size:])


def _socks_address(host: str) -> bytes:
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed
    if len(host) > 255:
        raise httpcore.ConnectError("the name of the host is too long for SOCKS 5")
    return bytes([_NAME, len(host)]) + host.encode()


def _received(sent: bytes, size: int = 1, received: bytes = b"") -> Generator[bytes, bytes, bytes]:
    """Send `sent`, and return `received` and what follows: at least `size` bytes."""
    while len(received) < size:
        more = yield sent
        if not more:
            raise httpcore.ConnectError("the proxy closed the connection")
        sent, received = b"", received + more
    return received


def _refuse_more(data: bytes) -> None:
    # Between two steps the proxy sends nothing. Its bytes must not be read as those of the host.
    if data:
        raise httpcore.ConnectError("the proxy sent more than a response")
