"""
The command `openrouter-rerank mcp`.

It writes to standard error only: on standard output, MCP clients expect the protocol.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from openrouter_rerank._version import __version__
from openrouter_rerank.cli.failures import write
from openrouter_rerank.cli.options import debug_option, model_option
from openrouter_rerank.cli.serving import cannot_serve, host_option, port_option
from openrouter_rerank.errors import ConfigurationError, shown_value

if TYPE_CHECKING:
    from openrouter_rerank.budget import Budget

_HTTP_OPTIONS = {"host": "--host", "port": "--port", "allowed_hosts": "--allowed-host"}
# A host name or an IPv4 address, or an IPv6 address in brackets; perhaps with a port.
_HOST_HEADER = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?")


def _checked_allowed_hosts(
    _: click.Context, __: click.Parameter, names: Sequence[str]
) -> list[str]:
    lower = [name.lower() for name in names]
    for name in lower:
        if not _HOST_HEADER.fullmatch(name):
            raise click.BadParameter(
                f"{shown_value(name)} is not the name of a host: pass only the name, such as "
                "rerank.example, without https:// and without a path"
            )
    return lower


def _checked_budget(_: click.Context, __: click.Parameter, amount: str | None) -> "Budget | None":
    if amount is None:
        return None
    # Imported here, because it imports pydantic, which the help does not need.
    from openrouter_rerank.budget import Budget

    try:
        return Budget(amount)
    except ConfigurationError:
        raise click.BadParameter(
            f"pass US dollars, 0 or more, such as 1, not {shown_value(amount)}"
        ) from None


@click.command("mcp")
@click.option(
    "--transport",
    type=click.Choice(["stdio", "http"]),
    default="stdio",
    help="stdio: an MCP client starts this command. http: clients connect to it (streamable HTTP). "
    "Default: stdio.",
)
@host_option("The address to listen on with --transport http.")
@port_option(8485, "The port to listen on with --transport http; 0 for any free port.")
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    callback=_checked_allowed_hosts,
    help="Another name by which clients reach the server with --transport http. Repeat it for "
    "more.",
)
@model_option("The model for calls that name none.")
@click.option(
    "--budget",
    metavar="DOLLARS",
    callback=_checked_budget,
    help="US dollars that the server may spend until it ends. Default: no limit.",
)
@debug_option
@click.pass_context
def command(
    context: click.Context,
    *,
    transport: str,
    host: str,
    port: int,
    allowed_hosts: Sequence[str],
    model: str,
    budget: "Budget | None",
) -> None:
    """
    Offer reranking to language models: an MCP server with the tools rerank and list_rerank_models.

    The key is read from OPENROUTER_API_KEY.
    """
    if transport == "stdio":
        _refuse_http_options(context)
    from openrouter_rerank.budget import shown_dollars
    from openrouter_rerank.mcp.http_server import serve_http
    from openrouter_rerank.mcp.server import create_server
    from openrouter_rerank.mcp.stdio import run_stdio

    server = create_server(model=model, budget=budget)
    limited = "no budget (--budget sets one)"
    if budget is not None:
        limited = f"budget {shown_dollars(budget.limit)}"
    started = f"openrouter-rerank {__version__} MCP server, model {model}, {limited}"
    if transport == "stdio":
        write(f"{started}, over stdio")
        run_stdio(server)
        return
    try:
        serve_http(
            server,
            host=host,
            port=port,
            allowed_hosts=allowed_hosts,
            ready=lambda url: _announce(started, url, host),
        )
    except OSError as error:
        raise cannot_serve(host, port, error) from error


def _refuse_http_options(context: click.Context) -> None:
    for name, option in _HTTP_OPTIONS.items():
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"{option} needs --transport http")


def _announce(started: str, url: str, host: str) -> None:
    from openrouter_rerank._wire.endpoint import is_loopback

    write(f"{started}, at {url}. Press Ctrl-C to stop.")
    if not is_loopback(host):
        write("Every machine that reaches this address can spend with your key: there is no login.")
        write("Requests that name another host are refused, unless --allowed-host names it.")
