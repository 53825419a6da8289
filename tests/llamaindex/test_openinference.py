"""The spans that OpenInference's instrumentation makes, read from an in-memory exporter."""

import asyncio
import json
import subprocess
import sys
from importlib.metadata import version

import pytest
from llama_index.core.llms import MockLLM
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from openrouter_rerank.errors import PaymentRequiredError
from openrouter_rerank.local.stage import Fault, error, scores
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from packaging.version import Version

from tests.passages import BEST, QUERY, scored_nodes

pytestmark = pytest.mark.skipif(
    Version(version("llama-index-core")) < Version("0.14.19"),
    reason="OpenInference supports llama-index-core from 0.14.19 on",
)

KIND = "openinference.span.kind"
COST = "openrouter.usage.cost"


class FinishedSpans:
    """The finished spans of a tracer provider: those of LlamaIndex and those of the client."""

    def __init__(self, provider):
        self.exporter = InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def all(self):
        """All finished spans."""
        return self.exporter.get_finished_spans()

    def named(self, *names):
        """Return the spans with one of these names."""
        return [span for span in self.all if span.name in names]

    @property
    def reranking(self):
        """The only span of the reranking method."""
        (span,) = self.named(
            "OpenRouterRerank._postprocess_nodes", "OpenRouterRerank._apostprocess_nodes"
        )
        return span

    @property
    def costs(self):
        """The query and the cost of each call; the cost is on its span or on a child span."""
        queries = {
            span.context.span_id: span.attributes["reranker.query"]
            for span in self.all
            if "reranker.query" in span.attributes
        }
        return [
            (queries.get(span.context.span_id) or queries[span.parent.span_id], cost)
            for span in self.all
            if (cost := span.attributes.get(COST)) is not None
        ]


@pytest.fixture(scope="session")
def provider():
    """Return the tracer provider of the process, which can be set only once."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    return trace.get_tracer_provider()


@pytest.fixture
def spans(provider):
    """Instrument LlamaIndex during one test, and return the spans that finish."""
    instrumentor = LlamaIndexInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    spans = FinishedSpans(provider)
    yield spans
    spans.exporter.shutdown()
    instrumentor.uninstrument()


async def test_the_span_of_a_call_is_below_that_of_its_engine(
    index, make_reranker, ask, mode, spans
):
    """A call has a `RERANKER` span below its engine's span, which keeps its kind `CHAIN`."""
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[make_reranker(top_n=2)]
    )

    await ask(engine)

    method = "_aquery" if mode == "async" else "_query"
    (parent,) = spans.named(f"RetrieverQueryEngine.{method}")
    attributes = spans.reranking.attributes
    assert spans.reranking.parent.span_id == parent.context.span_id
    assert (attributes[KIND], parent.attributes[KIND]) == ("RERANKER", "CHAIN")
    assert attributes["reranker.query"] == QUERY
    assert attributes["reranker.top_k"] == 2
    assert attributes["reranker.model_name"] == "cohere/rerank-v3.5"
    assert attributes["reranker.output_documents.0.document.content"] == BEST
    assert attributes["reranker.output_documents.0.document.score"] == 1.0
    assert "reranker.input_documents.2.document.id" in attributes


async def test_usage_and_cost_are_in_the_trace_once(
    make_reranker, postprocess, spans, local_openrouter
):
    """Exactly one `RERANKER` span has the cost, the provider and the number of attempts."""
    local_openrouter.script(error(503, "busy", retry_after=0), scores(0.5, 0.7, cost=0.002))

    await postprocess(make_reranker(), scored_nodes("a", "b"), query_str=QUERY)

    (span,) = [span for span in spans.all if COST in span.attributes]
    assert spans.reranking.context.span_id in {span.context.span_id, span.parent.span_id}
    assert span.attributes[KIND] == "RERANKER"
    assert span.attributes[COST] == 0.002
    assert span.attributes["openrouter.usage.search_units"] == 1
    assert span.attributes["openrouter.provider"] == "Stage"
    assert span.attributes["openrouter.model"] == "cohere/rerank-v3.5"
    assert span.attributes["openrouter.rerank.attempts"] == 2
    assert span.attributes["gen_ai.response.id"] == "gen-rerank-0000000002-stage"


WITHOUT_GLOBAL_PROVIDER = """
import json
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from llama_index.core.schema import NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
reranker = OpenRouterRerank()
nodes = [NodeWithScore(node=TextNode(text="a"))]
with provider.get_tracer("app").start_as_current_span("not instrumented"):
    reranker.postprocess_nodes(nodes, query_str="a")
LlamaIndexInstrumentor().instrument(tracer_provider=provider)
reranker.postprocess_nodes(nodes, query_str="a")
costs = [(span.name, span.attributes.get("openrouter.usage.cost")) for span in
         exporter.get_finished_spans()]
print(json.dumps(costs))
"""


def test_without_a_global_provider_the_cost_is_on_the_span_of_llamaindex(local_openrouter):
    """Without a global provider, the cost is on LlamaIndex's span and never on a caller's span."""
    environment = {
        "OPENROUTER_API_KEY": local_openrouter.api_key,
        "OPENROUTER_API_BASE": local_openrouter.base_url,
        "NO_PROXY": "127.0.0.1",
    }

    finished = subprocess.run(
        [sys.executable, "-c", WITHOUT_GLOBAL_PROVIDER],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == [
        ["not instrumented", None],
        ["OpenRouterRerank._postprocess_nodes", 0.001],
    ]


async def test_the_span_of_a_caller_gets_no_attributes(make_reranker, postprocess, provider):
    """If LlamaIndex is not instrumented, a call sets no attributes on its caller's span."""
    spans = FinishedSpans(provider)

    with provider.get_tracer("app").start_as_current_span("answer"):
        await postprocess(make_reranker(), scored_nodes("a"), query_str=QUERY)

    (span,) = spans.named("answer")
    assert span.attributes == {}


async def test_an_error_ends_the_span(make_reranker, postprocess, spans, local_openrouter):
    """The span of a failed call has the error and is still a `RERANKER` span."""
    local_openrouter.script(error(402, "Insufficient credits"))

    with pytest.raises(PaymentRequiredError):
        await postprocess(make_reranker(), scored_nodes("a"), query_str=QUERY)

    assert spans.reranking.status.status_code is StatusCode.ERROR
    assert "Insufficient credits" in spans.reranking.status.description
    assert spans.reranking.attributes[KIND] == "RERANKER"


async def test_a_failure_that_was_passed_through_is_in_the_span(
    make_reranker, postprocess, spans, local_openrouter
):
    """If a failure is passed through, the span is successful and has the failure as attribute."""
    local_openrouter.always(error(503, "down"))

    reranker = make_reranker(on_error="passthrough", max_retries=0)
    await postprocess(reranker, scored_nodes("a"), query_str=QUERY)

    assert spans.reranking.status.status_code is StatusCode.OK
    failure = spans.reranking.attributes["openrouter.passed_through"]
    assert failure.startswith("ServiceUnavailableError: down")


async def test_a_cancelled_call_ends_its_span(make_reranker, spans, local_openrouter):
    """The span of a cancelled call ends with an error."""
    local_openrouter.script(Fault.hang())

    task = asyncio.create_task(
        make_reranker().apostprocess_nodes(scored_nodes("a"), query_str=QUERY)
    )
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert spans.reranking.status.status_code is StatusCode.ERROR


async def test_concurrent_calls_have_a_span_each(make_reranker, spans, local_openrouter):
    """The cost of each of several concurrent calls is on its own span."""
    local_openrouter.always(lambda request: scores(0.5, cost=len(request.query))(request))

    await asyncio.gather(
        *(
            make_reranker().apostprocess_nodes(scored_nodes("a"), query_str="q" * length)
            for length in (1, 2, 3)
        )
    )

    assert sorted(spans.costs) == [("q", 1), ("qq", 2), ("qqq", 3)]


async def test_secrets_are_in_no_span(make_reranker, ask, spans, local_openrouter, index):
    """No span contains the key or a header, although parent spans record the reranker."""
    shared = make_reranker(default_headers={"X-Secret": "a secret header"})
    engine = index.as_query_engine(llm=MockLLM(), similarity_top_k=3, node_postprocessors=[shared])

    await ask(engine)

    text = "".join(span.to_json() for span in spans.all)
    assert QUERY in text
    assert local_openrouter.api_key not in text
    assert "a secret header" not in text
