"""A response that ranks fewer documents than were requested: it is paid for once, and refused."""

import json

import pytest
from openrouter_rerank._attempt import Cost, Request, Response, cost
from openrouter_rerank._wire.request import encode
from openrouter_rerank._wire.response import decode
from openrouter_rerank.errors import InvalidResponseError


def decoded(*indexes, top_n=None):
    """Decode a response that ranks the documents at `indexes` of three documents."""
    rows = [{"index": index, "relevance_score": 0.5} for index in indexes]
    request = encode("the/slug", "q", ("a", "b", "c"), top_n=top_n)
    assert isinstance(request, Request)
    return decode(
        Response(status=200, headers={}, body=json.dumps({"results": rows}).encode()), request
    )


@pytest.mark.parametrize(
    ("indexes", "top_n", "is_incomplete"),
    [
        ((), None, True),
        ((0,), None, True),
        ((2, 0), None, True),
        ((0,), 2, True),
        ((0, 0), None, False),
        ((0, 7), None, False),
    ],
)
def test_a_request_is_not_repeated_if_documents_are_missing(indexes, top_n, is_incomplete):
    """Missing documents end the request; other invalid rankings are requested once more."""
    error = decoded(*indexes, top_n=top_n)

    assert type(error) is InvalidResponseError
    assert error.retryable
    assert error.is_incomplete == is_incomplete
    assert cost(error) is (Cost.FINAL if is_incomplete else Cost.MAYBE_BILLED)


def test_top_n_results_are_complete():
    """If `top_n` was sent, that many results are a ranking."""
    assert [result.index for result in decoded(2, 0, top_n=2).results] == [0, 2]
