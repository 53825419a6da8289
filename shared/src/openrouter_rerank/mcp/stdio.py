"""
Runs the server over standard input and output, as a process that an MCP client has started.

Only messages of the protocol are written to standard output: the SDK redirects all else there to
standard error.
"""

import io
import json
import os
import signal
import sys
from typing import NoReturn, TypeVar

import anyio
from mcp.server import Server
from mcp.server.stdio import stdio_server

from openrouter_rerank.cli import INTERRUPTED
from openrouter_rerank.cli.failures import Failure

StateT = TypeVar("StateT")


def run_stdio(server: Server[StateT]) -> None:
    """
    Serve until standard input is closed. On Ctrl-C, the process ends with status 130.

    Raises:
        Failure: If the process was started without a standard input.
    """
    if sys.stdin is None:
        raise Failure("cannot read: the standard input is closed")
    # Python could not end by an exception: a thread of the SDK waits for standard input.
    signal.signal(signal.SIGINT, _end)
    try:
        anyio.run(_serve, server)
    except* BrokenPipeError:
        # The client has ended before it has read everything. Python would try to write the rest.
        os._exit(0)


async def _serve(server: Server[StateT]) -> None:
    messages = anyio.wrap_file(_Messages(sys.stdin.buffer, encoding="utf-8", errors="replace"))
    async with stdio_server(stdin=messages) as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


class _Messages(io.TextIOWrapper):
    """Standard input, whose lines the SDK can read even if they contain lone surrogates."""

    # typeshed ignores the same error: it describes text files as files of bytes.
    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        return readable(super().readline(size))


def readable(line: str) -> str:
    r"""
    Return a line of JSON without escapes of lone surrogates, such as `\ud83d` without its pair.

    Clients write such an escape for a text that was cut inside an emoji. The SDK would refuse the
    line without a response, and the client would wait.
    """
    if "\\ud" not in line and "\\uD" not in line:
        return line
    try:
        message = json.dumps(json.loads(line), ensure_ascii=False)
    except (ValueError, RecursionError):
        return line
    return message.encode("utf-16", "surrogatepass").decode("utf-16", "replace") + "\n"


def _end(*_: object) -> NoReturn:
    os._exit(INTERRUPTED)
