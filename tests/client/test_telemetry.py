"""The OpenTelemetry span of a call."""

import asyncio
import subprocess
import sys

import pytest
from openrouter_rerank import AsyncRerankClient, OpenRouterRerankError, RerankClient
from openrouter_rerank.local.stage import error
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

SECRET = "sk-or-v1-secret"


@pytest.fixture(scope="session")
def exporter():
    """The exporter of this process, which can set its tracer provider only once."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    exporter = InMemorySpanExporter()
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
def spans(exporter):
    """A function that returns the spans that have ended since the test began."""
    exporter.clear()
    return exporter.get_finished_spans


@pytest.fixture(params=["sync", "async"])
def rerank(request, local_openrouter):
    """A function that makes one call with the sync or async client."""
    settings = {"base_url": local_openrouter.base_url, "api_key": SECRET}

    def call(*arguments, **options):
        if request.param == "sync":
            return RerankClient(**settings).rerank(*arguments, **options)
        return asyncio.run(AsyncRerankClient(**settings).rerank(*arguments, **options))

    return call


class Unprintable(str):
    """A string whose methods fail."""

    __slots__ = ()

    def __format__(self, spec):
        """Fail."""
        raise ZeroDivisionError


class Incomparable(int):
    """A number whose methods fail."""

    def __lt__(self, other):
        """Fail."""
        raise ZeroDivisionError

    __gt__ = __lt__


def test_a_span_has_the_values_that_are_sent(rerank, spans):
    """The values in a span are the checked ones: methods of the caller's classes are not called."""
    rerank("q", ["a", "b"], model=Unprintable("cohere/rerank-v3.5"), top_n=Incomparable(1))

    [span] = spans()
    assert span.name == "rerank cohere/rerank-v3.5"
    assert span.attributes["reranker.top_k"] == 1


def test_a_call_is_one_span_with_its_cost(rerank, spans):
    """A call is one span with the model, `top_n`, the cost and the attempts."""
    rerank("the question", ["first text", "second text"], top_n=1)

    [span] = spans()
    assert span.name == "rerank cohere/rerank-v3.5"
    assert span.attributes["openinference.span.kind"] == "RERANKER"
    assert span.attributes["gen_ai.operation.name"] == "rerank"
    assert span.attributes["reranker.top_k"] == 1
    assert span.attributes["openrouter.usage.cost"] == 0.001
    assert span.attributes["gen_ai.usage.cost"] == 0.001
    assert span.attributes["openrouter.rerank.attempts"] == 1


def test_a_failed_call_is_an_error_span(rerank, spans, local_openrouter):
    """The span of a failed call has the status `ERROR` and the name of the error class."""
    local_openrouter.always(error(402, "Insufficient credits"))

    with pytest.raises(OpenRouterRerankError):
        rerank("the question", ["first text"])

    [span] = spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes["error.type"] == "PaymentRequiredError"


def test_a_span_has_no_content(rerank, spans, local_openrouter):
    """A span contains no key, query, document text or server message."""
    local_openrouter.script(error(400, "first text is bad"))

    with pytest.raises(OpenRouterRerankError):
        rerank("the question", ["first text"])

    [span] = spans()
    exported = span.to_json()
    assert not [word for word in (SECRET, "the question", "first text") if word in exported]


def test_calls_work_without_opentelemetry():
    """If OpenTelemetry is not installed, calls work without spans."""
    code = """
import sys
sys.modules["opentelemetry"] = None
from openrouter_rerank import RerankClient
from openrouter_rerank.local.stage import Stage
with Stage() as stage:
    client = RerankClient(base_url=stage.base_url, api_key="k")
    assert len(client.rerank("q", ["a", "b"]).results) == 2
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (run.returncode, run.stderr) == (0, "")
