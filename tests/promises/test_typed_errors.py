"""Promise: only typed errors leave, for any bytes a server can send."""

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

from tests.sizes import figure

KEYS = st.sampled_from(
    [
        *("results", "index", "relevance_score", "document", "id", "model", "provider", "detail"),
        *("error", "code", "message", "metadata", "provider_name", "availability", "retry_after"),
        *("usage", "cost", "search_units", "total_tokens", "http_status"),
    ]
)
# Built by hand to a fixed depth: `st.recursive` takes three times as long.
TEXTS = st.text(max_size=6) | st.sampled_from(["503", "\ud800", "\x1b[2J\n", "\u2028", "x" * 400])
ODD = st.sampled_from([None, True, 0, 1, -1, 0.5, 1e308, 10**400, -(10**400), math.nan, math.inf])
SCALARS = ODD | st.integers() | st.floats() | TEXTS
FLAT = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(KEYS | TEXTS, SCALARS, max_size=3)
TREES = FLAT | st.lists(FLAT, max_size=2) | st.dictionaries(KEYS | TEXTS, FLAT, max_size=2)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"index": st.integers(-1, 3) | SCALARS, "relevance_score": st.floats(0, 1) | SCALARS},
        optional={"document": TREES},
    ),
    max_size=4,
)
ERRORS = st.fixed_dictionaries(
    {},
    optional={
        "code": st.integers(100, 600) | TREES,
        "message": TREES,
        "metadata": st.dictionaries(KEYS, TREES, max_size=3) | TREES,
        "availability": st.dictionaries(KEYS, TREES, max_size=2) | TREES,
    },
)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "results": ROWS | TREES,
        "error": ERRORS | TREES,
        "usage": st.dictionaries(KEYS, TREES, max_size=3) | TREES,
        "id": TREES,
        "model": TREES,
        "provider": TREES,
    },
)
VALID = st.fixed_dictionaries(
    {
        "results": st.permutations([0, 1, 2]).map(
            lambda order: [{"index": index, "relevance_score": 0.5} for index in order]
        )
    },
    optional={"usage": st.dictionaries(KEYS, TREES, max_size=3) | TREES, "id": TREES},
)
BODIES = st.binary(max_size=300) | st.one_of(VALID, OBJECTS, TREES).map(
    lambda tree: json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass")
)
TIMES = (
    TEXTS
    | st.integers().map(str)
    | st.floats().map(str)
    | st.datetimes().map(lambda date: date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    | st.from_regex(r"\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} [-+]\d{4}", fullmatch=True)
)
HEADERS = st.lists(
    st.tuples(st.sampled_from(["retry-after", "date"]), TIMES)
    | st.tuples(st.sampled_from(["content-type", "x-request-id", "content-encoding"]), TEXTS)
    | st.just(("content-encoding", "gzip")),
    max_size=2,
).map(dict)
REQUEST = Request(body=b"", model="m", documents=3, results=2)


# Hypothesis takes longer to begin an example than to make one of these: each has several.
AT_ONCE = 10
RESPONSES = st.builds(
    Response, status=st.just(200) | st.integers(100, 599), headers=HEADERS, body=BODIES
)


@given(st.lists(RESPONSES, min_size=AT_ONCE, max_size=AT_ONCE))
@settings(max_examples=figure(desk=60, ci=1_000))
def test_every_answer_is_a_valid_ranking_or_a_typed_error(responses):
    """Whatever a server sends is read as a ranking of the documents, or as an error that fits."""
    for response in responses:
        check(response.status, decode(response, REQUEST))


def check(status, outcome):
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


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: (
        st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=5,
)
NEARLY = st.dictionaries(st.sampled_from(["text", "image", "title", 1]), ANYTHING, max_size=3)


@given(
    st.lists(ANYTHING | NEARLY | st.builds(RerankDocument, text=ANYTHING, image=ANYTHING))
    | ANYTHING
)
@settings(max_examples=200)
@example([object()])
@example([{"image": "data:" + "x" * 200}])
def test_any_documents_are_checked_or_refused(documents):
    """Any object at all is a list of documents that can be sent, or an `InvalidRequestError`."""
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
    "line",
    [
        pytest.param(Reply(status=429, headers={"retry-after": "\u0663"}), id="Arabic digits"),
        pytest.param(Reply(status=429, headers={"retry-after": "1e999"}), id="1e999"),
        pytest.param(Reply(status=503, headers={"x-request-id": "é\u2028"}), id="odd id"),
        pytest.param(Reply(body=b"[" * 200_000), id="deep"),
        pytest.param(Reply(body=b"\xff" * 1000), id="bytes"),
        pytest.param(Reply(body={"error": {"code": []}}), id="odd code"),
        pytest.param(Reply(headers={"x-long": "x" * 50_000}, body={}), id="long header"),
        pytest.param(error(418, "\x1b[2J\n" * 100), id="control characters"),
        pytest.param(
            Fault.garbage(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), id="length -1"
        ),
        pytest.param(Fault.garbage(b"HTTP/1.1 999 ?\r\n\r\n"), id="status 999"),
        pytest.param(Fault.garbage(b"HTTP/1.1 200 OK\r\n\r\n"), id="no length"),
        pytest.param(Fault.garbage(b"\x16\x03\x01"), id="TLS"),
        pytest.param(Fault.garbage(b""), id="nothing"),
        pytest.param(Fault.garbage(b"HTTP/1.1 100 Continue\r\n\r\n" * 50), id="endless 100"),
    ],
)
def test_odd_answers_on_the_wire(make, stage, line):
    """What HTTP itself cannot stop from arriving is a typed error too."""
    stage.always(line)

    with pytest.raises(OpenRouterRerankError) as caught:
        make(timeout=5, max_retries=0).rerank("q", ["a"])

    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("a..b", id="empty label"),
        pytest.param("x" * 70 + ".example", id="long label"),
        pytest.param("ho\x01st", id="control character"),
        pytest.param("h\u200b", id="invisible character"),
        pytest.param("xn--", id="no punycode"),
    ],
)
def test_a_host_that_cannot_be(make, host):
    """A base URL whose host no name server could know is a typed error, when made or called."""
    with pytest.raises(OpenRouterRerankError):
        make(base_url=f"https://{host}/v1", max_retries=0).rerank("q", ["a"])
