"""What OpenTelemetry is told of a call."""

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

SECRET = "sk-or-v1-told-to-nobody"


@pytest.fixture(scope="session")
def exporter():
    """What receives the spans of this process, whose provider can be set only once."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    exporter = InMemorySpanExporter()
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
def spans(exporter):
    """The spans that have ended."""
    exporter.clear()
    return exporter.get_finished_spans


@pytest.fixture(params=["sync", "async"])
def rerank(request, local_openrouter):
    """One call of either client."""
    settings = {"base_url": local_openrouter.base_url, "api_key": SECRET}

    def call(*arguments, **options):
        if request.param == "sync":
            return RerankClient(**settings).rerank(*arguments, **options)
        return asyncio.run(AsyncRerankClient(**settings).rerank(*arguments, **options))

    return call


def test_a_call_is_a_span_with_its_cost(rerank, spans):
    """A call is one span that names the model, the provider, the usage and the cost."""
    rerank("the question", ["first text", "second text"], top_n=1)

    [span] = spans()
    assert span.name == "rerank cohere/rerank-v3.5"
    assert span.attributes["openinference.span.kind"] == "RERANKER"
    assert span.attributes["gen_ai.operation.name"] == "rerank"
    assert span.attributes["reranker.top_k"] == 1
    assert span.attributes["openrouter.usage.cost"] == 0.001
    assert span.attributes["openrouter.rerank.attempts"] == 1


def test_an_error_ends_the_span_as_an_error(rerank, spans, local_openrouter):
    """A failed call is an erroneous span that names the class of the error."""
    local_openrouter.always(error(402, "Insufficient credits"))

    with pytest.raises(OpenRouterRerankError):
        rerank("the question", ["first text"])

    [span] = spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes["error.type"] == "PaymentRequiredError"


def test_a_span_has_no_content(rerank, spans, local_openrouter):
    """Neither the key nor the query nor a text nor the words of the server are in a span."""
    local_openrouter.script(error(400, "first text is bad"))

    with pytest.raises(OpenRouterRerankError):
        rerank("the question", ["first text"])

    [span] = spans()
    told = span.to_json()
    assert not [word for word in (SECRET, "the question", "first text") if word in told]


def test_without_the_package_there_is_nothing():
    """Where OpenTelemetry is not installed, calls are made without it."""
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
