"""The table of the commands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command, and where it is."""

    name: str
    summary: str
    module: str
    """The module whose `command` is the `click.Command`."""
    extra: str
    """The extra of `openrouter-rerank` that the command needs."""


COMMANDS = (
    Entry(
        name="demo",
        summary="rerank passages of Python's documentation in the frameworks that are installed",
        module="openrouter_rerank.demo.command",
        extra="demo",
    ),
    Entry(
        name="serve",
        summary="answer OpenRouter's rerank protocol on this machine, without a key",
        module="openrouter_rerank.local.command",
        extra="local",
    ),
    Entry(
        name="rank",
        summary="rank lines, files or images by their relevance to a query",
        module="openrouter_rerank.cli.rank",
        extra="cli",
    ),
    Entry(
        name="models",
        summary="list the rerank models with their limits and prices",
        module="openrouter_rerank.cli.models",
        extra="cli",
    ),
    Entry(
        name="check",
        summary="check the key, the network and a call, and say what to fix",
        module="openrouter_rerank.cli.check",
        extra="cli",
    ),
    Entry(
        name="evaluate",
        summary="say whether reranking is worth it on your data",
        module="openrouter_rerank.evaluation.command",
        extra="evaluate",
    ),
    Entry(
        name="mcp",
        summary="offer reranking to language models: an MCP server",
        module="openrouter_rerank.mcp.command",
        extra="mcp",
    ),
)
"""The commands in the order of the help. A command is added with one entry."""

BY_NAME = {entry.name: entry for entry in COMMANDS}
