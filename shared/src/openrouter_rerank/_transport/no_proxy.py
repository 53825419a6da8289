"""Which hosts the variable `NO_PROXY` names: they are reached without a proxy. Pure."""

import ipaddress
from contextlib import suppress


def is_excluded(host: str, port: int, no_proxy: str) -> bool:
    """
    Return `True` if `no_proxy` names `host`.

    Args:
        host: A name in lower case, or an IP address without brackets.
        port: Its port.
        no_proxy: Entries between commas or white space. `*` names all hosts. `example.com`,
            `.example.com` and `*.example.com` name this host and all below it, `10.0.0.0/8` and
            `[fd00::]/8` the addresses of a network. `:443` after an entry limits it to this port.
    """
    return any(
        _names(entry, host.rstrip("."), port)
        for entry in no_proxy.lower().replace(",", " ").split()
    )


def _names(entry: str, host: str, port: int) -> bool:
    name, separator, only_port = entry.rpartition(":")
    # More than one colon, but no bracket before the last: an IPv6 address without a port.
    if not separator or (":" in name and "]" not in name):
        name, only_port = entry, ""
    if only_port not in {"", f"{port}"}:
        return False
    if name == "*":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        domain = name.removeprefix("*").strip(".")
        return f".{host}".endswith(f".{domain}")
    with suppress(ValueError):
        return address in ipaddress.ip_network(name.replace("[", "").replace("]", ""), strict=False)
    return False
