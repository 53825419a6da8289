"""The configurations of MCP clients in docs/guides/mcp.md, and the entry in the MCP registry."""

import json
import re
from pathlib import Path

import pytest
from openrouter_rerank import DEFAULT_MODEL, __version__

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guides/mcp.md").read_text("utf-8")
CONFIGURATIONS = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
ENTRY = json.loads((ROOT / "shared/server.json").read_text("utf-8"))
(PACKAGE,) = ENTRY["packages"]
UVX = ["--from", "openrouter-rerank[mcp]", "openrouter-rerank"]


def parsed(arguments):
    """Parse the arguments of `openrouter-rerank` with the command that they name."""
    pytest.importorskip("click", reason="the extra cli is not installed")
    from openrouter_rerank.mcp.command import command

    name, *options = arguments
    assert name == command.name
    return command.make_context(name, options).params


def test_the_page_has_configurations():
    """The page has a configuration with `mcpServers`, and one with `servers`."""
    assert [[*each][-1] for each in CONFIGURATIONS] == ["mcpServers", "servers"]


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_the_command_of_a_configuration_is_valid(configuration):
    """The command of a configuration has valid arguments, and its environment has the key."""
    servers = configuration.get("mcpServers") or configuration["servers"]
    server = servers["rerank"]

    assert server["command"] == "uvx"
    assert server["args"][:3] == UVX
    assert parsed(server["args"][3:])["budget"].limit == 1
    assert [*server["env"]] == ["OPENROUTER_API_KEY"]


def test_the_page_describes_every_option():
    """The page names all options of the command."""
    pytest.importorskip("click", reason="the extra cli is not installed")
    from openrouter_rerank.mcp.command import command

    options = [option for each in command.params for option in each.opts]
    assert [option for option in options if f"`{option}`" not in PAGE] == []


def test_the_entry_has_the_version_of_the_package():
    """The server, its package and the requirement with the extra have the package's version."""
    (runtime,) = PACKAGE["runtimeArguments"]

    assert ENTRY["version"] == PACKAGE["version"] == __version__
    assert (runtime["name"], runtime["value"]) == (
        "--with",
        f"openrouter-rerank[mcp]=={__version__}",
    )


def test_the_entry_starts_the_command():
    """A client that follows the entry runs a valid command with the key in the environment."""
    command, *options = PACKAGE["packageArguments"]

    assert (PACKAGE["registryType"], PACKAGE["identifier"]) == ("pypi", "openrouter-rerank")
    assert PACKAGE["transport"] == {"type": "stdio"}
    assert parsed([command["value"], *(part for each in options for part in (each["name"], "1"))])
    (key,) = PACKAGE["environmentVariables"]
    assert key["name"] == "OPENROUTER_API_KEY"
    assert key["isRequired"]
    assert key["isSecret"]


def test_the_entry_names_no_address_of_a_package_index():
    """VS Code would pass the address to uvx as an index, and uvx would find no package there."""
    assert "registryBaseUrl" not in PACKAGE


def test_the_entry_has_a_default_for_each_option():
    """A client that shows the options in a form passes valid ones if the user changes nothing."""
    command, *options = PACKAGE["packageArguments"]

    defaults = [part for each in options for part in (each["name"], each["default"])]
    found = parsed([command["value"], *defaults])
    assert (found["model"], found["budget"].limit) == (DEFAULT_MODEL, 1)


def test_the_entry_fits_the_limits_of_the_registry():
    """The name has the form of the registry, and the description at most 100 characters."""
    assert ENTRY["$schema"] == (
        "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
    )
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", ENTRY["name"])
    assert 1 <= len(ENTRY["title"]) <= len(ENTRY["description"]) <= 100


def test_the_page_on_pypi_proves_who_publishes_the_server():
    """The README that becomes the page on PyPI names the server, as the registry demands."""
    readme = (ROOT / "shared/README.md").read_text("utf-8")

    assert f"<!-- mcp-name: {ENTRY['name']} -->" in readme
