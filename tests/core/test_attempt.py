"""The size limit of a response, the defaults of attempts and their outcomes, and their `repr`."""

import json
from functools import partial

import pytest
from openrouter_rerank._attempt import Attempt, Failure, FailureKind, Request, Response, Step
from openrouter_rerank._wire.request import encode
from openrouter_rerank.documents import RerankDocument

IMAGE = "data:image/png;base64," + "A" * 100_000


@pytest.mark.parametrize("ensure_ascii", [True, False], ids=["escaped", "not escaped"])
@pytest.mark.parametrize(
    "documents",
    [
        pytest.param(("a",), id="one document"),
        pytest.param(("a",) * 10_000, id="many short documents"),
        pytest.param(("😀" * 500_000,), id="three times as long if escaped"),
        pytest.param(("\x01" * 100_000,), id="control characters"),
        pytest.param((RerankDocument(image=IMAGE),) * 20, id="images"),
    ],
)
def test_a_valid_response_fits(documents, ensure_ascii):
    """A response that echoes every document, escaped or not, is within the limit."""
    request = encode("m", "q", documents)
    rows = [
        {"index": index, "relevance_score": 0.12345678901234567, "document": {"text": document}}
        for index, document in enumerate(json.loads(b"".join(request.body))["documents"])
    ]

    response = json.dumps(
        {"model": "m" * 500, "results": rows}, ensure_ascii=ensure_ascii, indent=1
    )

    assert len(response.encode()) <= request.longest_response


def test_the_limit_is_a_small_multiple_of_the_request():
    """The limit is about 1 MiB for a small request, and a few times its size for a large one."""
    small = encode("m", "q", ("x",))
    large = encode("m", "q", ("x" * 10_000_000,))

    assert 1_000_000 < small.longest_response < 2_000_000
    assert large.longest_response <= 5 * large.body.size


@pytest.mark.parametrize("documents", [1, 10, 100])
def test_the_bounds_of_a_response(documents):
    """The bounds grow with the request and with the number of its documents."""
    request = encode("m", "q", ("x",) * documents)

    assert request.longest_response == 4 * request.body.size + 512 * documents + 1_048_576
    assert request.most_marks == 12 * documents + 1_000


def test_no_repr_shows_bodies_headers_or_causes():
    """The `repr` of an exchange shows no body, no headers, no cause, and not what is masked."""
    request = Request(body=[b"secret"], model="m", documents=1, results=1)
    response = Response(
        status=200,
        headers={"set-cookie": "secret"},
        body=b"secret",
        masked=partial(str.replace, "secret", ""),
    )

    failure = Failure(kind=FailureKind.LOST, cause=OSError("secret"))

    assert "secret" not in repr(request) + repr(response) + repr(failure)


def test_an_attempt_by_default():
    """An attempt waits for nothing, may use an open connection, and has no budget."""
    request = encode("m", "q", ("x",))

    assert Attempt(request=request, timeout=1) == Attempt(
        request=request, timeout=1, delay=0, is_on_new_connection=False, budget=None
    )


def test_a_response_by_default():
    """A response was received at no known time, from no known URL, and no text of it is masked."""
    response = Response(status=200, headers={}, body=b"")

    assert (response.received, response.url, response.masked("sk-1")) == (0, "", "sk-1")


def test_a_failure_by_default():
    """A failure says nothing that is not known: no address, no reason, no time and no slots."""
    assert Failure(kind=FailureKind.TIMEOUT) == Failure(
        kind=FailureKind.TIMEOUT,
        url="",
        step=Step.RESPONSE,
        proxy="",
        is_injected=False,
        reason="",
        cause=None,
        waited=0,
        slot_wait=0,
        slots=0,
    )
