"""Promise: every exception is a typed error, for all bytes that a server can send."""

import json
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openrouter_rerank import Ranking
from openrouter_rerank._attempt import Request, Response
from openrouter_rerank._wire.response import decode
from openrouter_rerank.documents import RerankDocument, checked_documents
from openrouter_rerank.errors import (
    InvalidRequestError,
    OpenRouterRerankError,
)
from openrouter_rerank.local.stage import Fault, Reply, error

from tests.hostile_json import HOSTILE_BODIES
from tests.repetitions import repetitions

FIELD_NAMES = st.sampled_from(
    [
        *("results", "index", "relevance_score", "document", "id", "model", "provider", "detail"),
        *("error", "code", "message", "metadata", "provider_name", "availability", "retry_after"),
        *("usage", "cost", "search_units", "total_tokens", "http_status"),
    ]
)
# Nested by hand to a fixed depth, because `st.recursive` takes three times as long.
TEXTS = st.text(max_size=6) | st.sampled_from(["503", "\ud800", "\x1b[2J\n", "\u2028", "x" * 400])
UNUSUAL_VALUES = st.sampled_from(
    [None, True, 0, 1, -1, 0.5, 1e308, 10**400, -(10**400), math.nan, math.inf]
)
SCALARS = UNUSUAL_VALUES | st.integers() | st.floats() | TEXTS
FLAT_VALUES = (
    SCALARS
    | st.lists(SCALARS, max_size=3)
    | st.dictionaries(FIELD_NAMES | TEXTS, SCALARS, max_size=3)
)
NESTED_VALUES = (
    FLAT_VALUES
    | st.lists(FLAT_VALUES, max_size=2)
    | st.dictionaries(FIELD_NAMES | TEXTS, FLAT_VALUES, max_size=2)
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"index": st.integers(-1, 3) | SCALARS, "relevance_score": st.floats(0, 1) | SCALARS},
        optional={"document": NESTED_VALUES},
    ),
    max_size=4,
)
ERRORS = st.fixed_dictionaries(
    {},
    optional={
        "code": st.integers(100, 600) | NESTED_VALUES,
        "message": NESTED_VALUES,
        "metadata": st.dictionaries(FIELD_NAMES, NESTED_VALUES, max_size=3) | NESTED_VALUES,
        "availability": st.dictionaries(FIELD_NAMES, NESTED_VALUES, max_size=2) | NESTED_VALUES,
    },
)
RESPONSE_OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "results": ROWS | NESTED_VALUES,
        "error": ERRORS | NESTED_VALUES,
        "usage": st.dictionaries(FIELD_NAMES, NESTED_VALUES, max_size=3) | NESTED_VALUES,
        "id": NESTED_VALUES,
        "model": NESTED_VALUES,
        "provider": NESTED_VALUES,
    },
)
VALID_OBJECTS = st.fixed_dictionaries(
    {
        "results": st.permutations([0, 1, 2]).map(
            lambda order: [{"index": index, "relevance_score": 0.5} for index in order]
        )
    },
    optional={
        "usage": st.dictionaries(FIELD_NAMES, NESTED_VALUES, max_size=3) | NESTED_VALUES,
        "id": NESTED_VALUES,
    },
)
BODIES = st.binary(max_size=300) | st.one_of(VALID_OBJECTS, RESPONSE_OBJECTS, NESTED_VALUES).map(
    lambda tree: json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass")
)
DATES_AND_DELAYS = (
    TEXTS
    | st.integers().map(str)
    | st.floats().map(str)
    | st.datetimes().map(lambda date: date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    | st.from_regex(r"\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} [-+]\d{4}", fullmatch=True)
)
HEADERS = st.lists(
    st.tuples(st.sampled_from(["retry-after", "date"]), DATES_AND_DELAYS)
    | st.tuples(st.sampled_from(["content-type", "x-request-id", "content-encoding"]), TEXTS)
    | st.just(("content-encoding", "gzip")),
    max_size=2,
).map(dict)
REQUEST = Request(body=b"", model="m", documents=3, results=2)


# Several responses per example, because starting an example takes longer than a response.
RESPONSES_PER_EXAMPLE = 10
STATUSES = st.just(200) | st.integers(100, 599)
RESPONSES = st.builds(Response, status=STATUSES, headers=HEADERS, body=BODIES)


@given(st.lists(RESPONSES, min_size=RESPONSES_PER_EXAMPLE, max_size=RESPONSES_PER_EXAMPLE))
@settings(max_examples=repetitions(local=60, ci=250, full=1_000))
def test_every_response_is_a_valid_ranking_or_a_typed_error(responses):
    """Any status, headers and body are decoded to a valid ranking or to a typed error."""
    for response in responses:
        check_outcome(response.status, decode(response, REQUEST))


@given(st.builds(Response, status=STATUSES, headers=HEADERS, body=HOSTILE_BODIES))
@settings(max_examples=repetitions(local=60, ci=250, full=1_000))
def test_hostile_json_is_a_valid_ranking_or_a_typed_error(response):
    """JSON that is made to cost much is decoded to a valid ranking or to a typed error."""
    check_outcome(response.status, decode(response, REQUEST))


def check_outcome(status, outcome):
    """Require a valid ranking or a typed error."""
    if isinstance(outcome, Ranking):
        indexes = [result.index for result in outcome.results]
        scores = [result.relevance_score for result in outcome.results]
        assert 200 <= status < 300
        assert len(indexes) == len(set(indexes)) == 2
        assert set(indexes) <= {0, 1, 2}
        assert scores == sorted(scores, reverse=True)
        assert outcome.usage.cost is None or outcome.usage.cost >= 0
    else:
        assert isinstance(outcome, OpenRouterRerankError)
        assert str(outcome).isprintable()
        assert outcome.retry_after is None or outcome.retry_after >= 0
        assert outcome.status_code is None or 100 <= outcome.status_code < 600


ANY_OBJECTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: (
        st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=5,
)
SIMILAR_TO_DOCUMENTS = st.dictionaries(
    st.sampled_from(["text", "image", "title", 1]), ANY_OBJECTS, max_size=3
)


@given(
    st.lists(
        ANY_OBJECTS
        | SIMILAR_TO_DOCUMENTS
        | st.builds(RerankDocument, text=ANY_OBJECTS, image=ANY_OBJECTS)
    )
    | ANY_OBJECTS
)
@settings(max_examples=repetitions(local=60, ci=200))
@example([object()])
@example([{"image": "data:" + "x" * 200}])
def test_any_object_is_accepted_or_refused_as_documents(documents):
    """Any object is accepted as valid documents, or refused with an `InvalidRequestError`."""
    try:
        checked = checked_documents(documents)
    except InvalidRequestError:
        return

    for document in checked:
        text = document if isinstance(document, str) else document.text
        image = None if isinstance(document, str) else document.image
        assert text is None or (isinstance(text, str) and text.strip())
        assert text is not None or isinstance(image, str)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(status=429, headers={"retry-after": "\u0663"}), id="Arabic digits"),
        pytest.param(Reply(status=429, headers={"retry-after": "1e999"}), id="1e999"),
        pytest.param(
            Reply(status=503, headers={"x-request-id": "é\u2028"}), id="non-ASCII request id"
        ),
        pytest.param(Reply(body=b"[" * 200_000), id="deeply nested JSON"),
        pytest.param(Reply(body=b"\xff" * 1000), id="invalid UTF-8"),
        pytest.param(Reply(body={"error": {"code": []}}), id="list as error code"),
        pytest.param(Reply(headers={"x-long": "x" * 50_000}, body={}), id="long header"),
        pytest.param(error(418, "\x1b[2J\n" * 100), id="control characters"),
        pytest.param(
            Fault.garbage(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), id="negative length"
        ),
        pytest.param(Fault.garbage(b"HTTP/1.1 999 ?\r\n\r\n"), id="status 999"),
        pytest.param(Fault.garbage(b"HTTP/1.1 200 OK\r\n\r\n"), id="missing length"),
        pytest.param(Fault.garbage(b"\x16\x03\x01"), id="TLS record"),
        pytest.param(Fault.garbage(b""), id="empty"),
        pytest.param(
            Fault.garbage(b"HTTP/1.1 100 Continue\r\n\r\n" * 50), id="many informational responses"
        ),
    ],
)
def test_unusual_responses_are_typed_errors(make_client, stage, reply):
    """An unusual or invalid HTTP response is a typed error with a printable message."""
    stage.always(reply)

    with pytest.raises(OpenRouterRerankError) as caught:
        make_client(timeout=5, max_retries=0).rerank("q", ["a"])

    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("a..b", id="empty label"),
        pytest.param("x" * 70 + ".example", id="long label"),
        pytest.param("ho\x01st", id="control character"),
        pytest.param("h\u200b", id="invisible character"),
        pytest.param("xn--", id="invalid punycode"),
    ],
)
def test_an_impossible_host_is_a_typed_error(make_client, host):
    """A base URL with an impossible host is a typed error of the constructor or the call."""
    with pytest.raises(OpenRouterRerankError):
        make_client(base_url=f"https://{host}/v1", max_retries=0).rerank("q", ["a"])
