"""The child processes: the service, and one worker for each client."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from .cases import Case
from .catalog import Client

ROOT = Path(__file__).parents[1]

Role = Literal["measured", "baseline"]


class ClientFailedError(Exception):
    """A client could not make a call. The message has its name and its error."""


def python_of(environment: str) -> str:
    """Return the interpreter of an environment, or the running one if there is no environment."""
    found = ROOT / "build" / "benchmarks" / environment / "bin" / "python"
    return str(found) if found.exists() else sys.executable


def clean_environment() -> dict[str, str]:
    """Return the variables of this process, without proxies, keys and tracing."""
    # With PYTHONDONTWRITEBYTECODE, each process would compile what it imports.
    unwanted = (
        "_PROXY",
        "_API_KEY",
        "_TRACING",
        "_TRACING_V2",
        "_API_BASE",
        "PYTHONDONTWRITEBYTECODE",
    )
    kept = {name: os.environ[name] for name in os.environ if not name.upper().endswith(unwanted)}
    # Without LITELLM_LOCAL_MODEL_COST_MAP, the import of LiteLLM downloads a list of prices.
    return kept | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONWARNINGS": "ignore"}


class Process:
    """A child process that reads commands and writes replies, one in each line."""

    def __init__(self, python: str, *arguments: str, core: int) -> None:
        self._child = subprocess.Popen(
            [python, "-m", *arguments],
            cwd=ROOT,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._pin_to(core)

    def _pin_to(self, core: int) -> None:
        # A client that shares a core with the service, or changes cores, takes up to a third more.
        if sys.platform == "linux":
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(self._child.pid, {cores[core % len(cores)]})

    def read_line(self) -> str:
        """Wait for a line of the child, and return it."""
        return self._child.stdout.readline() if self._child.stdout else ""

    def write_line(self, line: str) -> None:
        """Send a line to the child."""
        if self._child.stdin:
            self._child.stdin.write(f"{line}\n")
            self._child.stdin.flush()

    def close(self) -> None:
        """End the child."""
        self._child.kill()
        self._child.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Service(Process):
    """The service that all clients call."""

    def __init__(self) -> None:
        super().__init__(sys.executable, "benchmarks.service", core=1)
        self._port = int(self.read_line())
        self.url = f"http://127.0.0.1:{self._port}"

    def counts(self) -> dict[str, int]:
        """Return the number of connections and of requests."""
        with closing(HTTPConnection("127.0.0.1", self._port)) as connection:
            connection.request("GET", "/counts")
            counts: dict[str, int] = json.load(connection.getresponse())
            return counts


class Worker(Process):
    """The process of one client. It can also call other clients of the same module."""

    def __init__(self, client: Client) -> None:
        self.client = client
        module = f"benchmarks.clients.{client.module}"
        super().__init__(python_of(client.environment), "benchmarks.worker", module, core=0)

    def create(self, role: Role, case: Case, service: Service, *, client: Client) -> None:
        """Create a client for `case`, and its documents."""
        self._send("create", role=role, name=_maker(client, case), task=_task(case, service))

    def warm_up(self, role: Role, case: Case, service: Service, *, client: Client) -> None:
        """
        Create a client for `case`, and make one call with it.

        Raises:
            ClientFailedError: If the call fails, or returns fewer or more results than it should.
        """
        found = self._send(
            "warm_up", role=role, name=_maker(client, case), task=_task(case, service)
        )
        if found["results"] != case.workload.results:
            raise ClientFailedError(f"{client.name} returned {found} for {case.name}")

    def run_block(self, role: Role, calls: int) -> Mapping[str, Any]:
        """Make calls. Return their `cpu` and `wall` time in seconds, and how many `failed`."""
        return self._send("run_block", role=role, calls=calls)

    def measure_peak(self, role: Role) -> int:
        """Return by how many bytes one call increases the peak memory of the process."""
        return int(self._send("measure_peak", role=role)["peak"])

    def _send(self, command: str, **arguments: object) -> Mapping[str, Any]:
        self.write_line(json.dumps([command, arguments]))
        line = self.read_line()
        reply: dict[str, Any] = json.loads(line) if line else {"error": "the process has ended"}
        if "error" in reply:
            raise ClientFailedError(f"{self.client.name}: {reply['error']}")
        return reply


def _maker(client: Client, case: Case) -> str | None:
    return client.asynchronous if case.asynchronous else client.synchronous


def _task(case: Case, service: Service) -> dict[str, object]:
    return case.task(service.url).fields()
