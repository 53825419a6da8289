"""The processes that are told what to do by lines: the service, and one for each client."""

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

Role = Literal["measured", "yardstick"]


class ClientFailedError(Exception):
    """A client could not make a call: its name, and what it says."""


def python_of(environment: str) -> str:
    """Return the interpreter of an environment, or this one where there is none."""
    found = ROOT / "build" / environment / "bin" / "python"
    return str(found) if found.exists() else sys.executable


def clean_environment() -> dict[str, str]:
    """Return the variables of this process, without proxies, keys and tracing."""
    # The last would have every import compiled anew.
    unwanted = (
        "_PROXY",
        "_API_KEY",
        "_TRACING",
        "_TRACING_V2",
        "_API_BASE",
        "PYTHONDONTWRITEBYTECODE",
    )
    kept = {name: os.environ[name] for name in os.environ if not name.upper().endswith(unwanted)}
    # LiteLLM would fetch a list of prices when it is imported.
    return kept | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONWARNINGS": "ignore"}


class _Process:
    """A child that is told by lines and answers by lines."""

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
        self._stay_on(core)

    def _stay_on(self, core: int) -> None:
        # A client that shares a core with the service, or moves about, takes up to a third more.
        if sys.platform == "linux":
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(self._child.pid, {cores[core % len(cores)]})

    def answer(self) -> str:
        """Wait for a line."""
        return self._child.stdout.readline() if self._child.stdout else ""

    def tell(self, line: str) -> None:
        """Send a line."""
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


class Service(_Process):
    """The service that all clients ask."""

    def __init__(self) -> None:
        super().__init__(sys.executable, "benchmarks.service", core=1)
        self._port = int(self.answer())
        self.url = f"http://127.0.0.1:{self._port}"

    def tally(self) -> dict[str, int]:
        """Return the counts of connections and of requests."""
        with closing(HTTPConnection("127.0.0.1", self._port)) as line:
            line.request("GET", "/tally")
            counts: dict[str, int] = json.load(line.getresponse())
            return counts


class Worker(_Process):
    """The process of one client, which also calls the other clients of the same module."""

    def __init__(self, client: Client) -> None:
        self.client = client
        module = f"benchmarks.clients.{client.module}"
        super().__init__(python_of(client.environment), "benchmarks.worker", module, core=0)

    def ready(self, role: Role, case: Case, service: Service, *, client: Client) -> None:
        """Make a client for `case`, and its documents."""
        self._ask("ready", role=role, name=_maker(client, case), task=_task(case, service))

    def prepare(self, role: Role, case: Case, service: Service, *, client: Client) -> None:
        """Make a client for `case`, and see that it answers in full."""
        found = self._ask(
            "prepare", role=role, name=_maker(client, case), task=_task(case, service)
        )
        if found["results"] != case.workload.results:
            raise ClientFailedError(f"{client.name} returned {found} for {case.name}")

    def block(self, role: Role, calls: int) -> Mapping[str, Any]:
        """Measure calls: their `cpu` and `wall` in seconds, and how many `failed`."""
        return self._ask("block", role=role, calls=calls)

    def peak(self, role: Role) -> int:
        """Measure by how many bytes one call raises the peak of the process."""
        return int(self._ask("peak", role=role)["peak"])

    def _ask(self, command: str, **arguments: object) -> Mapping[str, Any]:
        self.tell(json.dumps([command, arguments]))
        line = self.answer()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the process has ended"}
        if "error" in answer:
            raise ClientFailedError(f"{self.client.name}: {answer['error']}")
        return answer


def _maker(client: Client, case: Case) -> str | None:
    return client.asynchronous if case.asynchronous else client.synchronous


def _task(case: Case, service: Service) -> dict[str, object]:
    return case.task(service.url).fields()
