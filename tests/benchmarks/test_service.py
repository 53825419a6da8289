"""The service of the benchmarks, and the process of a client."""

import json

import pytest

from benchmarks import cases
from benchmarks.cases import Case
from benchmarks.catalog import CORE
from benchmarks.clients.ours import core
from benchmarks.comparison import Baseline, compare
from benchmarks.processes import Service, Worker
from benchmarks.service import response_body
from benchmarks.task import Task
from benchmarks.workload import Workload


@pytest.fixture(scope="module")
def service():
    """The service, in its own process."""
    with Service() as service:
        yield service


@pytest.mark.parametrize(
    ("api", "path", "fields", "rows", "returns_documents"),
    [
        ("openrouter", ["rerank"], {"top_n": 2}, "results", True),
        ("cohere", ["v2", "rerank"], {"top_n": 2}, "results", False),
        ("cohere", ["v1", "rerank"], {"top_n": 2, "return_documents": True}, "results", True),
        ("voyage", ["rerank"], {"top_k": 2}, "data", False),
    ],
)
def test_each_api_responds_as_the_real_one(api, path, fields, rows, returns_documents):
    """A response has the best documents by index, and their texts if the real API sends them."""
    body = json.dumps({"query": "q", "documents": ["a", "b", "c"], **fields}).encode()

    found = json.loads(response_body(api, path, body))[rows]
    assert len({row["index"] for row in found}) == 2
    scores = [row["relevance_score"] for row in found]
    assert scores == sorted(scores, reverse=True)
    assert all(
        row["document"] == {"text": "abc"[row["index"]]}
        if returns_documents
        else "document" not in row
        for row in found
    )


def test_one_connection_serves_many_calls(service):
    """Five calls over one connection count as one connection and five requests."""
    before = service.counts()
    call = core(Task(service=service.url, workload=Workload(documents=30, top_n=7)))

    assert [call() for _ in range(5)] == [7] * 5
    after = service.counts()
    assert after["requests"] - before["requests"] == 5
    # The second connection is the one that reads the counts.
    assert after["connections"] - before["connections"] == 2


def test_one_attempt_in_the_given_number_fails(service):
    """One attempt in four fails, and our client retries it."""
    before = service.counts()["requests"]
    call = core(Task(service=service.url, workload=Workload(documents=3), faults=4))

    assert [call() for _ in range(6)] == [3] * 6
    assert service.counts()["requests"] - before > 6


def test_a_client_is_compared_with_itself(service):
    """Two clients of one process are measured in alternating blocks, and no call fails."""
    case = Case(name="small", workload=Workload(documents=5), calls=30)
    with Worker(CORE) as worker:
        baseline = Baseline(worker=worker, client=CORE)
        found = compare(worker, case, baseline, service, rounds=3)

    assert (found.failed, found.connections, found.calls) == (0, 0, 90)
    assert 0.2 < found.cpu < 5
    assert 0 < found.milliseconds < 1000 / found.rate * 2


@pytest.mark.parametrize("case", [*cases.ALL, *cases.BY_DOCUMENTS, *cases.BY_IN_FLIGHT])
def test_a_task_is_the_same_in_the_worker(case):
    """A task that is written as JSON and read again is equal to the original."""
    task = case.task("http://127.0.0.1:1")

    assert Task.of(**json.loads(json.dumps(task.fields()))) == task
