"""The server as a process that an MCP client starts."""

import json
import os
import signal
import subprocess

import pytest
from openrouter_rerank import DEFAULT_MODEL, __version__
from openrouter_rerank.local.stage import Fault, error

from tests.mcp.conftest import COMMAND, HELLO

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from openrouter_rerank.mcp.stdio import readable

SECRET = "the secret text of a document"


class Process:
    """A server whose standard streams the test reads and writes. Its errors go to a file."""

    def __init__(self, environment, folder, *arguments):
        self._errors = folder / "errors"
        with self._errors.open("wb") as errors:
            self.running = subprocess.Popen(
                [*COMMAND, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | environment,
            )
        self.send(HELLO)
        self.receive()
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        """Send a message, or a line that is not a message."""
        line = message if isinstance(message, str) else json.dumps(message)
        self.running.stdin.write(line.encode() + b"\n")
        self.running.stdin.flush()

    def call(self, number, **arguments):
        """Send a call of `rerank`."""
        params = {"name": "rerank", "arguments": arguments}
        self.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})

    def receive(self):
        """Return the next line of standard output, which must be a message of the server."""
        message = json.loads(self.running.stdout.readline())
        assert message["jsonrpc"] == "2.0"
        return message

    def errors(self):
        """Return what was written to standard error."""
        return self._errors.read_text("utf-8")

    def kill(self):
        """End the process."""
        self.running.kill()
        self.running.wait()
        self.running.stdin.close()
        self.running.stdout.close()


@pytest.fixture(scope="module")
def shared(session_stage, environment, tmp_path_factory):
    """A server that several tests use. It logs each request."""
    process = Process(environment, tmp_path_factory.mktemp("mcp"), "--budget", "0.5", "--debug")
    yield process
    process.kill()


@pytest.fixture
def process(stage, environment, tmp_path):
    """A server during a call that gets no response, for tests that end it."""
    stage.script(Fault.hang())
    process = Process(environment, tmp_path)
    process.call(2, query="q", documents=["a"])
    stage.wait_until(lambda: stage.in_flight == 1, timeout=30)
    yield process
    process.kill()


def test_the_start_says_what_is_configured(shared):
    """The first line of standard error has the version, the model and the budget."""
    (line, *_) = shared.errors().splitlines()

    started = f"openrouter-rerank {__version__} MCP server, model {DEFAULT_MODEL}"
    assert line == f"{started}, budget $0.50, over stdio"


def test_neither_key_nor_documents_are_logged(shared, stage):
    """
    Standard error has no key and no document, also after errors and broken messages.

    Standard output has only messages of the protocol, of which `receive` reads one for each line.
    """
    stage.script(error(500, "no"), error(401, f"wrong key {stage.api_key} for {SECRET}"))
    shared.call(2, query=SECRET, documents=[SECRET])
    failed = shared.receive()
    shared.call(3, query=SECRET, documents=[SECRET, 1], text=SECRET)
    refused = shared.receive()
    shared.send('{"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": "' + SECRET + '"}')
    shared.send(f"not JSON {SECRET}")
    shared.send({"jsonrpc": "2.0", "id": 5, "method": "no/such/method"})
    unknown = shared.receive()
    shared.send({"jsonrpc": "2.0", "id": 6, "method": "ping"})

    assert [failed["id"], refused["id"], unknown["id"]] == [2, 3, 5]
    assert failed["result"]["isError"]
    assert shared.receive() == {"jsonrpc": "2.0", "id": 6, "result": {}}
    assert SECRET not in shared.errors()
    assert stage.api_key not in shared.errors() + str(failed)


def test_half_a_character_does_not_stop_the_client(shared, stage):
    """A message with a text that was cut inside an emoji gets a response."""
    shared.send(
        '{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "rerank", '
        r'"arguments": {"query": "q", "documents": ["a \ud83d", "\ud83d\ude00 \\ud83d"], '
        '"return_documents": true}}}'
    )

    rows = shared.receive()["result"]["structuredContent"]["results"]

    assert [row["text"] for row in rows] == ["a \ufffd", "\U0001f600 \\ud83d"]
    assert stage.requests[0].documents == ["a \ufffd", "\U0001f600 \\ud83d"]


@pytest.mark.parametrize("line", ["", "{}\n", r'{"a": "\u00e9"}', r'broken "\ud83d', "[" * 99_999])
def test_other_lines_stay_as_they_are(line):
    """A line without lone surrogates, or that is not JSON, is not changed."""
    assert readable(line) == line


def test_the_end_of_standard_input_ends_the_server(process, stage):
    """If the client closes standard input during a call, the server ends and drops the request."""
    process.running.stdin.close()

    assert process.running.wait(60) == 0
    stage.wait_until(lambda: stage.in_flight == 0, timeout=30)


def test_a_client_that_reads_no_more_ends_the_server(process, stage):
    """If the client ends before it has read a result, the server ends without an error."""
    process.running.stdout.close()
    stage.release()
    stage.wait_until(lambda: stage.in_flight == 0, timeout=30)
    process.running.stdin.close()

    assert process.running.wait(60) == 0
    assert process.errors().count("\n") == 1


def test_ctrl_c_ends_the_server(process):
    """Ctrl-C ends the server with status 130 and no traceback, also during a call."""
    process.running.send_signal(signal.SIGINT)

    assert process.running.wait(60) == 130
    assert process.errors().count("\n") == 1
