"""The options and the failure of commands that listen on an address."""

import os
from collections.abc import Callable
from errno import EADDRINUSE, errorcode

import click

from .failures import Failure
from .options import Decorated, WholeNumber


def host_option(text: str) -> Callable[[Decorated], Decorated]:
    """Add the option for the address to listen on, with `text` as its help."""
    return click.option(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        callback=_refuse_empty,
        help=f"{text} Default: 127.0.0.1, for this machine only.",
    )


def port_option(default: int, text: str) -> Callable[[Decorated], Decorated]:
    """Add the option for the port to listen on, with `text` as its help."""
    return click.option(
        "--port",
        metavar="PORT",
        default=default,
        type=WholeNumber(min=0, max=65_535),
        help=f"{text} Default: {default}.",
    )


def cannot_serve(host: str, port: int, error: OSError) -> Failure:
    """Return the failure of a command that cannot listen on its address."""
    return Failure(f"cannot serve on {host} port {port}: {_reason(error)}")


def _reason(error: OSError) -> str:
    if error.errno == EADDRINUSE:
        return f"{os.strerror(EADDRINUSE)}: choose another --port; 0 is any free port"
    # Python adds the address, which the message has already.
    if error.errno is not None and error.errno in errorcode:
        return os.strerror(error.errno)
    return str(error.strerror)


def _refuse_empty(_: click.Context, __: click.Parameter, host: str) -> str:
    # An empty name would mean all addresses of the machine.
    if host.strip():
        return host
    raise click.BadParameter("pass an address, such as 127.0.0.1")
