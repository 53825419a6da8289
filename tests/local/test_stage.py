import contextlib
import threading
import time
from pathlib import Path

import httpx
import pytest
from openrouter_rerank.local.service import LocalOpenRouter
from openrouter_rerank.local.stage import (
    Fault,
    Reply,
    Stage,
    answered_by,
    error,
    scores,
)

from tests.local.asking import KEY, PAYLOAD, connect, rerank, wire
from tests.starvation import repeat_if_starved


def test_default_ranks_by_the_words_of_the_query(client):
    """An unscripted stage ranks documents by the share of the query's words they hold."""
    response = rerank(client)

    found = [(item["index"], item["relevance_score"]) for item in response.json()["results"]]
    assert found == [(1, 1.0), (0, pytest.approx(2 / 3)), (2, 0.0)]


def test_the_local_service_can_answer(stage, client):
    """The local service and its scorer can take the place of the default."""
    stage.always(answered_by(LocalOpenRouter()))

    response = rerank(client)

    assert response.json()["results"][0]["index"] == 1
    assert response.json()["provider"] != "Stage"
    assert rerank(client, documents=[]).status_code == 400
    assert stage.connections == 1


def test_lines_serve_one_request_each_and_then_the_default(stage, client):
    """Scripted replies come in their order, once, and the default follows."""
    stage.script(error(503, "down"), Reply(status=204))
    stage.script(Reply(body={"third": True}))
    stage.always(error(529, "overloaded"))

    statuses = [rerank(client).status_code for _ in range(5)]

    assert statuses == [503, 204, 200, 529, 529]
    assert stage.unused == []


def test_unused_lines_are_told(stage, client):
    """A test can see which lines of its script were never reached."""
    first, second = error(500, "first"), error(500, "second")
    stage.script(first, second)

    rerank(client)

    assert stage.unused == [second]


def test_functions_answer_from_the_request(stage, client):
    """A scripted function is given the request and its number."""
    stage.always(lambda request: Reply(body=[request.number, request.query]))

    assert [rerank(client, query=query).json() for query in "ab"] == [[1, "a"], [2, "b"]]


def test_functions_may_make_faults(stage, client):
    """A scripted function can decide what goes wrong, and what else is answered."""
    stage.always(lambda request: Fault.close() if request.number == 1 else scores(1, 2, 3))

    with pytest.raises(httpx.RemoteProtocolError):
        rerank(client)

    assert rerank(client).status_code == 200


def test_a_failing_function_is_shown_to_the_client(stage, client, caplog):
    """The exception of a scripted function reaches the log and, as a 500, the client."""
    stage.script(lambda request: request.json["nothing"])

    response = rerank(client)

    assert response.status_code == 500
    assert "KeyError('nothing')" in response.json()["error"]["message"]
    assert "a scripted function raised" in caplog.text


@pytest.mark.parametrize("line", [None, 429, {"results": []}, "<html>"])
def test_what_is_no_line_is_refused(stage, line):
    """Anything but replies, faults and functions is refused where it is written."""
    with pytest.raises(TypeError, match="expected a Reply, a Fault or a function"):
        stage.script(error(500, "never added"), line)
    with pytest.raises(TypeError, match="expected a Reply, a Fault or a function"):
        stage.always(line)

    assert stage.unused == []


def test_functions_that_make_nothing_are_told_so(stage, client):
    """A scripted function that returns no line of a script is a 500 that says so."""
    stage.script(lambda request: {"results": []})

    assert "expected a Reply, a Fault" in rerank(client).json()["error"]["message"]


def descriptors():
    """How many files and sockets this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.parametrize(
    "use",
    [
        lambda stage: stage.base_url,
        lambda stage: stage.release(),
        lambda stage: stage.reset(),
    ],
)
def test_a_stage_plays_only_inside_with(use):
    """Before and after its `with`, a stage has no address and says why."""
    stage = Stage()
    with pytest.raises(RuntimeError, match="only inside `with Stage"):
        use(stage)
    with stage:
        use(stage)
    with pytest.raises(RuntimeError, match="only inside `with Stage"):
        use(stage)


def test_a_running_stage_cannot_be_started(stage):
    """Entering a stage twice is refused, and the first goes on."""
    with pytest.raises(RuntimeError, match="running already"), stage:
        pass

    assert stage.base_url


def test_a_stage_can_play_again(client):
    """A stage that has ended can be started anew, and can be scripted before it starts."""
    stage = Stage()
    for status in (418, 451):
        stage.script(error(status, "scripted before"))
        with stage:
            response = httpx.post(f"{stage.base_url}/rerank", json=PAYLOAD)

        assert response.status_code == status


def test_nothing_is_left_behind():
    """After its end a stage has left no thread, no descriptor and no open port."""
    threads, files = threading.enumerate(), descriptors()

    with Stage() as stage, connect(stage), connect(stage) as held:
        stage.script(Fault.hang())
        held.sendall(wire())
        stage.wait_until(lambda: stage.in_flight == 1)
        url = stage.base_url

    assert threading.enumerate() == threads
    assert descriptors() == files
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@repeat_if_starved
def test_the_end_waits_for_nobody():
    """A stage ends at once, though clients hang, dally or do not read."""
    with contextlib.ExitStack() as clients:
        with Stage() as stage:
            stage.script(*[Fault.hang()] * 5, *[Reply(delay=60)] * 5, *[Fault.huge_body()] * 5)
            for number in range(1, 16):
                plug = clients.enter_context(connect(stage))
                plug.sendall(wire())
                stage.wait_until(lambda number=number: len(stage.requests) == number)
            start = time.monotonic()

        assert time.monotonic() - start < 0.5


def test_reset_forgets_everything(stage, client):
    """After a reset the stage is as new, at the same address."""
    url = stage.base_url
    stage.always(error(500, "always"))
    rerank(client)
    stage.script(error(503, "left over"))

    stage.reset()

    assert (stage.requests, stage.unused, stage.base_url) == ([], [], url)
    assert (stage.connections, stage.open_connections, stage.in_flight_peak) == (0, 0, 0)
    assert rerank(client).status_code == 200


def test_reset_hangs_up_on_everyone(stage):
    """A reset ends every connection made before it, even one not yet accepted."""
    for _ in range(20):
        with connect(stage) as first, connect(stage) as second:
            first.sendall(wire())
            stage.reset()

            for plug in (first, second):
                with contextlib.suppress(ConnectionResetError):
                    while plug.recv(65_536):
                        pass
    stage.reset()
    assert stage.requests == []


def test_stages_are_independent():
    """Two stages side by side share nothing."""
    with Stage() as one, Stage() as other:
        one.always(error(500, "one"))

        assert httpx.post(f"{other.base_url}/rerank", json=PAYLOAD, headers=KEY).is_success
        assert (len(one.requests), len(other.requests)) == (0, 1)
