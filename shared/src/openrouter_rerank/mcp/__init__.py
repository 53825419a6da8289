"""
The MCP server `openrouter-rerank mcp`, whose tools rerank documents for language models.

`tools.py` describes the two tools: their arguments, their results and the texts that a language
model reads. `arguments.py` checks arguments, `results.py` makes results of what the client returns,
and `errors.py` turns an error into the text of a tool error. `server.py` makes the server of the
MCP SDK, whose calls an `AsyncRerankClient` carries out. `stdio.py` and `http_server.py` run it, and
`command.py` is the command.

In this package, `mcp` is always the MCP SDK: all imports are absolute.
"""
