import contextlib
import threading
import time
from pathlib import Path

import httpx
import pytest
from openrouter_rerank.local.endpoint import LocalOpenRouter
from openrouter_rerank.local.stage import (
    Fault,
    Reply,
    Stage,
    answered_by,
    error,
    scores,
)

from tests.rerank_requests import KEY, PAYLOAD, connect, raw_request, rerank
from tests.starvation import repeat_if_starved


def test_the_default_ranks_by_the_words_of_the_query(client):
    """Without a script, a document's score is the share of the query's words in it."""
    response = rerank(client)

    found = [(item["index"], item["relevance_score"]) for item in response.json()["results"]]
    assert found == [(1, 1.0), (0, pytest.approx(2 / 3)), (2, 0.0)]


def test_the_local_service_can_be_the_default(stage, client):
    """The local service and its scorer can replace the default."""
    stage.always(answered_by(LocalOpenRouter()))

    response = rerank(client)

    assert response.json()["results"][0]["index"] == 1
    assert response.json()["provider"] != "Stage"
    assert rerank(client, documents=[]).status_code == 400
    assert stage.connections == 1


def test_each_scripted_reply_is_used_once_and_then_the_default(stage, client):
    """Scripted replies are sent in order, once each, and then the default is sent."""
    stage.script(error(503, "down"), Reply(status=204))
    stage.script(Reply(body={"third": True}))
    stage.always(error(529, "overloaded"))

    statuses = [rerank(client).status_code for _ in range(5)]

    assert statuses == [503, 204, 200, 529, 529]
    assert stage.unused == []


def test_unused_replies_can_be_read(stage, client):
    """A test can check which scripted replies were not used."""
    first, second = error(500, "first"), error(500, "second")
    stage.script(first, second)

    rerank(client)

    assert stage.unused == [second]


def test_functions_get_the_request(stage, client):
    """A scripted function gets the recorded request with its number."""
    stage.always(lambda request: Reply(body=[request.number, request.query]))

    assert [rerank(client, query=query).json() for query in "ab"] == [[1, "a"], [2, "b"]]


def test_functions_may_return_faults(stage, client):
    """A scripted function can return a fault, or another function that replies."""
    stage.always(lambda request: Fault.close() if request.number == 1 else scores(1, 2, 3))

    with pytest.raises(httpx.RemoteProtocolError):
        rerank(client)

    assert rerank(client).status_code == 200


def test_an_error_in_a_function_is_sent_to_the_client(stage, client, caplog):
    """An exception in a scripted function is logged, and the client gets a status 500."""
    stage.script(lambda request: request.json["nothing"])

    response = rerank(client)

    assert response.status_code == 500
    assert "KeyError('nothing')" in response.json()["error"]["message"]
    assert "a scripted function raised" in caplog.text


@pytest.mark.parametrize("reply", [None, 429, {"results": []}, "<html>"])
def test_an_invalid_reply_is_rejected_immediately(stage, reply):
    """A value other than a reply, fault or function raises an error when it is added."""
    with pytest.raises(TypeError, match="expected a Reply, a Fault or a function"):
        stage.script(error(500, "never added"), reply)
    with pytest.raises(TypeError, match="expected a Reply, a Fault or a function"):
        stage.always(reply)

    assert stage.unused == []


def test_a_function_with_an_invalid_result_causes_an_error_response(stage, client):
    """If a scripted function returns another value, the client gets an error that says so."""
    stage.script(lambda request: {"results": []})

    assert "expected a Reply, a Fault" in rerank(client).json()["error"]["message"]


def descriptors():
    """Return the number of open files and sockets of this process."""
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.parametrize(
    "use",
    [
        lambda stage: stage.base_url,
        lambda stage: stage.release(),
        lambda stage: stage.reset(),
    ],
)
def test_a_stage_runs_only_inside_with(use):
    """Before and after its `with`, a stage has no address, and the error says why."""
    stage = Stage()
    with pytest.raises(RuntimeError, match="only inside `with Stage"):
        use(stage)
    with stage:
        use(stage)
    with pytest.raises(RuntimeError, match="only inside `with Stage"):
        use(stage)


def test_a_running_stage_cannot_be_started(stage):
    """Starting a running stage raises an error, and the stage continues to run."""
    with pytest.raises(RuntimeError, match="running already"), stage:
        pass

    assert stage.base_url


def test_a_stage_can_be_started_again(client):
    """A stopped stage can be started again, and replies can be added before the start."""
    stage = Stage()
    for status in (418, 451):
        stage.script(error(status, "scripted before"))
        with stage:
            response = httpx.post(f"{stage.base_url}/rerank", json=PAYLOAD)

        assert response.status_code == status


def test_no_resources_are_left():
    """A stopped stage leaves no thread, no file descriptor and no open port."""
    threads, files = threading.enumerate(), descriptors()

    with Stage() as stage, connect(stage), connect(stage) as hanging:
        stage.script(Fault.hang())
        hanging.sendall(raw_request())
        stage.wait_until(lambda: stage.in_flight == 1)
        url = stage.base_url

    assert threading.enumerate() == threads
    assert descriptors() == files
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@repeat_if_starved
def test_stopping_a_stage_waits_for_no_client():
    """A stage stops within 0.5 seconds, even with clients that wait or do not read."""
    with contextlib.ExitStack() as clients:
        with Stage() as stage:
            stage.script(*[Fault.hang()] * 5, *[Reply(delay=60)] * 5, *[Fault.huge_body()] * 5)
            for number in range(1, 16):
                connection = clients.enter_context(connect(stage))
                connection.sendall(raw_request())
                stage.wait_until(lambda number=number: len(stage.requests) == number)
            start = time.monotonic()

        assert time.monotonic() - start < 0.5


def test_reset_forgets_requests_and_replies(stage, client):
    """After a reset the stage is in its initial state, at the same address."""
    url = stage.base_url
    stage.always(error(500, "always"))
    rerank(client)
    stage.script(error(503, "unused"))

    stage.reset()

    assert (stage.requests, stage.unused, stage.base_url) == ([], [], url)
    assert (stage.connections, stage.open_connections, stage.in_flight_peak) == (0, 0, 0)
    assert rerank(client).status_code == 200


def test_reset_closes_every_connection(stage):
    """A reset closes every existing connection, even one that is not yet accepted."""
    for _ in range(20):
        with connect(stage) as first, connect(stage) as second:
            first.sendall(raw_request())
            stage.reset()

            for connection in (first, second):
                with contextlib.suppress(ConnectionResetError):
                    while connection.recv(65_536):
                        pass
    stage.reset()
    assert stage.requests == []


def test_stages_are_independent():
    """Two stages that run at the same time share no state."""
    with Stage() as one, Stage() as other:
        one.always(error(500, "one"))

        assert httpx.post(f"{other.base_url}/rerank", json=PAYLOAD, headers=KEY).is_success
        assert (len(one.requests), len(other.requests)) == (0, 1)
