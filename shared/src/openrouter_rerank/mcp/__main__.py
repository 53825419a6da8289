"""`python -m openrouter_rerank.mcp`, for MCP clients that do not find installed commands."""

import sys

from openrouter_rerank.cli import main

sys.exit(main(["mcp", *sys.argv[1:]]))
