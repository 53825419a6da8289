"""The server as a process that an MCP client starts."""

import asyncio
import json
import os
import signal
import subprocess

import pytest
from openrouter_rerank.local.stage import Fault, error

from tests.mcp.conftest import COMMAND

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from mcp import Client, MCPError
from openrouter_rerank.mcp.stdio import readable

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
SECRET = "the secret text of a document"


class Process:
    """A server whose standard streams the test reads and writes."""

    def __init__(self, environment, *arguments):
        self.running = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | environment,
        )
        self.lines = []
        self.send(HELLO)
        self.receive()
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        """Send a message, or a line that is none."""
        line = message if isinstance(message, str) else json.dumps(message)
        self.running.stdin.write(line.encode() + b"\n")
        self.running.stdin.flush()

    def call(self, number, **arguments):
        """Send a call of `rerank`."""
        params = {"name": "rerank", "arguments": arguments}
        self.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})

    def receive(self):
        """Return the next message of the server."""
        self.lines.append(self.running.stdout.readline())
        return json.loads(self.lines[-1])

    def end(self):
        """Close standard input, and return what was written to standard error."""
        rest, errors = self.running.communicate(timeout=60)
        self.lines += rest.splitlines()
        return errors.decode()


@pytest.fixture
def start(stage, environment):
    """Returns a function that starts a server."""
    started = []

    def start(*arguments, **variables):
        started.append(Process(environment | variables, *arguments))
        return started[-1]

    yield start
    for process in started:
        process.running.kill()
        process.running.wait()
        for stream in (process.running.stdin, process.running.stdout, process.running.stderr):
            stream.close()


def test_standard_output_has_only_the_protocol(start, stage):
    """Each line of standard output is a message; errors, logs and the start go elsewhere."""
    stage.script(error(500, "no"), error(500, "no"), error(500, "no"))
    process = start(OPENROUTER_API_KEY=" ")
    process.call(2, query="q", documents=[SECRET])
    process.receive()
    process.send("this is not JSON")
    process.send({"jsonrpc": "2.0", "id": 3, "method": "no/such/method"})
    process.receive()

    errors = process.end()

    assert [json.loads(line)["jsonrpc"] for line in process.lines] == ["2.0"] * 3
    assert errors.startswith("openrouter-rerank")
    assert "rerank cannot be called yet" in errors
    assert process.running.returncode == 0


def test_neither_key_nor_documents_are_logged(start, stage):
    """Standard error has no key and no document, also after errors and broken messages."""
    stage.script(error(401, f"wrong key {stage.api_key} for {SECRET}"))
    process = start()
    process.call(2, query=SECRET, documents=[SECRET])
    failed = process.receive()
    process.call(3, query=SECRET, documents=[SECRET, 1], text=SECRET)
    process.receive()
    process.send('{"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": "' + SECRET + '"}')
    process.send(f"not JSON {SECRET}")

    errors = process.end()

    assert failed["result"]["isError"]
    assert SECRET not in errors
    assert stage.api_key not in errors + str(process.lines)


def test_half_a_character_does_not_stop_the_client(start, stage):
    """A message with a text that was cut inside an emoji gets a response."""
    process = start()
    process.send(
        '{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "rerank", '
        r'"arguments": {"query": "q", "documents": ["a \ud83d", "\ud83d\ude00 \\ud83d"], '
        '"return_documents": true}}}'
    )

    rows = process.receive()["result"]["structuredContent"]["results"]

    assert [row["text"] for row in rows] == ["a \ufffd", "\U0001f600 \\ud83d"]
    assert stage.requests[0].documents == ["a \ufffd", "\U0001f600 \\ud83d"]


@pytest.mark.parametrize("line", ["", "{}\n", r'{"a": "\u00e9"}', r'broken "\ud83d', "[" * 99_999])
def test_other_lines_stay_as_they_are(line):
    """A line without lone surrogates, or that is no JSON, is not changed."""
    assert readable(line) == line


def test_the_end_of_standard_input_ends_the_server(start, stage):
    """If the client closes standard input during a call, the server ends and drops the request."""
    stage.script(Fault.hang())
    process = start()
    process.call(2, query="q", documents=["a"])
    stage.wait_until(lambda: stage.in_flight == 1, timeout=30)

    process.end()

    assert process.running.returncode == 0
    stage.wait_until(lambda: stage.in_flight == 0, timeout=30)


def test_a_client_that_reads_no_more_ends_the_server(start, stage):
    """If the client ends before it has read a result, the server ends without an error."""
    stage.script(Fault.hang())
    process = start()
    process.call(2, query="q", documents=["a"])
    stage.wait_until(lambda: stage.in_flight == 1, timeout=30)
    process.running.stdout.close()
    stage.release()
    stage.wait_until(lambda: stage.in_flight == 0, timeout=30)
    process.running.stdin.close()

    errors = process.running.stderr.read().decode()

    assert process.running.wait(60) == 0
    assert errors.count("\n") == 1


def test_ctrl_c_ends_the_server(start, stage):
    """Ctrl-C ends the server with status 130 and no traceback, also during a call."""
    stage.script(Fault.hang())
    process = start()
    process.call(2, query="q", documents=["a"])
    stage.wait_until(lambda: stage.in_flight == 1, timeout=30)

    process.running.send_signal(signal.SIGINT)

    assert process.running.wait(60) == 130
    assert b"Traceback" not in process.running.stderr.read()


def test_the_start_says_what_is_configured(start):
    """The first line of standard error has the version, the model and the budget."""
    process = start("--model", "cohere/rerank-4-pro", "--budget", "0.5")

    assert ", model cohere/rerank-4-pro, budget $0.50, over stdio\n" in process.end()


async def test_the_budget_of_the_command_is_kept(stdio_server, stage):
    """With `--budget`, calls fail when it is spent."""
    async with Client(stdio_server("--budget", "0.001")) as client:
        results = [
            await client.call_tool("rerank", {"query": "q", "documents": ["a"]}) for _ in range(2)
        ]

    assert [result.is_error for result in results] == [False, True]
    assert results[1].content[0].text.startswith("the budget of $0.001 is spent")


async def test_a_server_without_a_key_lists_its_tools(stdio_server, stage):
    """Without a key, the tools can be listed, and calls say which variable to set."""
    async with Client(stdio_server(OPENROUTER_API_KEY="")) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("rerank", {"query": "q", "documents": ["a"]})

    assert len(tools) == 2
    assert result.is_error
    assert "OPENROUTER_API_KEY" in result.content[0].text
    assert stage.requests == []


async def test_a_killed_server_fails_the_call(stdio_server, stage, tmp_path):
    """If the server is killed during a call, the client gets an error and does not wait."""
    parameters = stdio_server()
    file = tmp_path / "pid"
    # The shell replaces itself with the server, so the number in the file is the server's.
    script = f'echo $$ > {file}; exec "$0" "$@"'
    parameters.args = ["-c", script, parameters.command, *parameters.args]
    parameters.command = "/bin/sh"
    stage.script(Fault.hang())

    async with Client(parameters) as client:
        call = asyncio.create_task(client.call_tool("rerank", {"query": "q", "documents": ["a"]}))
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 1, timeout=30)
        os.kill(int(file.read_text()), signal.SIGKILL)
        with pytest.raises(MCPError, match="closed"):
            await call
