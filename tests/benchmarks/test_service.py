"""The service that the benchmarks ask, and the process of a client."""

import json

import pytest

from benchmarks import cases
from benchmarks.cases import Case
from benchmarks.catalog import CORE
from benchmarks.children import Service, Worker
from benchmarks.clients.ours import core
from benchmarks.pairing import Yardstick, compare
from benchmarks.service import answer
from benchmarks.task import Task
from benchmarks.workload import Workload


@pytest.fixture(scope="module")
def service():
    """The service, in a process of its own."""
    with Service() as service:
        yield service


@pytest.mark.parametrize(
    ("wire", "path", "asked", "rows", "echoes"),
    [
        ("openrouter", ["rerank"], {"top_n": 2}, "results", True),
        ("cohere", ["v2", "rerank"], {"top_n": 2}, "results", False),
        ("cohere", ["v1", "rerank"], {"top_n": 2, "return_documents": True}, "results", True),
        ("voyage", ["rerank"], {"top_k": 2}, "data", False),
    ],
)
def test_each_wire_answers_and_echoes_as_its_service_does(wire, path, asked, rows, echoes):
    """The best documents come back by index, with an echo where the real service has one."""
    body = json.dumps({"query": "q", "documents": ["a", "b", "c"], **asked}).encode()

    found = json.loads(answer(wire, path, body))[rows]
    assert len({row["index"] for row in found}) == 2
    scores = [row["relevance_score"] for row in found]
    assert scores == sorted(scores, reverse=True)
    assert all(
        row["document"] == {"text": "abc"[row["index"]]} if echoes else "document" not in row
        for row in found
    )


def test_one_connection_serves_many_calls(service):
    """Kept connections are not counted again; requests are."""
    before = service.tally()
    call = core(Task(service=service.url, workload=Workload(documents=30, top_n=7)))

    assert [call() for _ in range(5)] == [7] * 5
    after = service.tally()
    assert after["requests"] - before["requests"] == 5
    # The other one asks for the tally.
    assert after["connections"] - before["connections"] == 2


def test_faults_come_as_often_as_asked_for(service):
    """Of four requests one fails, and our client repeats those that do."""
    before = service.tally()["requests"]
    call = core(Task(service=service.url, workload=Workload(documents=3), faults=4))

    assert [call() for _ in range(6)] == [3] * 6
    assert service.tally()["requests"] - before > 6


def test_a_client_beside_itself_needs_what_it_needs(service):
    """A pair of processes is measured block by block, and nothing fails."""
    case = Case(name="small", workload=Workload(documents=5), calls=30)
    with Worker(CORE) as worker:
        yardstick = Yardstick(worker=worker, client=CORE)
        found = compare(worker, case, yardstick, service, rounds=3)

    assert (found.failed, found.connections, found.calls) == (0, 0, 90)
    assert 0.2 < found.cpu < 5
    assert 0 < found.milliseconds < 1000 / found.rate * 2


@pytest.mark.parametrize("case", [*cases.ALL, *cases.BY_DOCUMENTS, *cases.BY_IN_FLIGHT])
def test_a_task_survives_its_way_to_the_worker(case):
    """What a worker is told is what was meant."""
    task = case.task("http://127.0.0.1:1")

    assert Task.of(**json.loads(json.dumps(task.fields()))) == task
