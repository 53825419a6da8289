"""What OpenInference's instrumentation makes of reranking, read from an in-memory exporter."""

import asyncio
import json
import subprocess
import sys
from importlib.metadata import version

import pytest
from llama_index.core.llms import MockLLM
from llama_index.core.schema import NodeWithScore, TextNode
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from openrouter_rerank.errors import PaymentRequiredError
from openrouter_rerank.local.stage import Fault, error, scores
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from packaging.version import Version

pytestmark = pytest.mark.skipif(
    Version(version("llama-index-core")) < Version("0.14.19"),
    reason="OpenInference instruments llama-index-core from 0.14.19 on",
)

BEST = "Paris is the capital of France."
QUERY = "capital of France"
KIND = "openinference.span.kind"
COST = "openrouter.usage.cost"


class Trace:
    """The spans that have ended, LlamaIndex's and the client's."""

    def __init__(self, provider):
        self.provider = provider
        self.exporter = InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def spans(self):
        """All of them."""
        return self.exporter.get_finished_spans()

    def named(self, *names):
        """Tell the spans of these names."""
        return [span for span in self.spans if span.name in names]

    @property
    def reranking(self):
        """The only span of the reranking method."""
        (span,) = self.named(
            "OpenRouterRerank._postprocess_nodes", "OpenRouterRerank._apostprocess_nodes"
        )
        return span

    @property
    def costs(self):
        """The cost of each reranking, by its query: on its span, or on the client's below it."""
        queries = {
            span.context.span_id: span.attributes["reranker.query"]
            for span in self.spans
            if "reranker.query" in span.attributes
        }
        return [
            (queries.get(span.context.span_id) or queries[span.parent.span_id], cost)
            for span in self.spans
            if (cost := span.attributes.get(COST)) is not None
        ]


@pytest.fixture(scope="session")
def provider():
    """The tracer provider of the process, which can be set only once."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    return trace.get_tracer_provider()


@pytest.fixture
def traced(provider):
    """LlamaIndex, instrumented for one test."""
    instrumentor = LlamaIndexInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    traced = Trace(provider)
    yield traced
    traced.exporter.shutdown()
    instrumentor.uninstrument()


def nodes_of(*texts):
    """Make a node with a score of each text."""
    return [NodeWithScore(node=TextNode(text=text), score=0.5) for text in texts]


async def rerank(reranker, mode, nodes, query=QUERY):
    """Postprocess in either mode."""
    if mode == "async":
        return await reranker.apostprocess_nodes(nodes, query_str=query)
    return reranker.postprocess_nodes(nodes, query_str=query)


async def test_an_engine_has_a_reranker_below_it(index, reranker, mode, traced):
    """The reranking is a span of its kind with its nodes, and the engine's keeps its own kind."""
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[reranker(top_n=2)]
    )

    await engine.aquery(QUERY) if mode == "async" else engine.query(QUERY)

    method = "_aquery" if mode == "async" else "_query"
    (parent,) = traced.named(f"RetrieverQueryEngine.{method}")
    attributes = traced.reranking.attributes
    assert traced.reranking.parent.span_id == parent.context.span_id
    assert (attributes[KIND], parent.attributes[KIND]) == ("RERANKER", "CHAIN")
    assert attributes["reranker.query"] == QUERY
    assert attributes["reranker.top_k"] == 2
    assert attributes["reranker.model_name"] == "cohere/rerank-v3.5"
    assert attributes["reranker.output_documents.0.document.content"] == BEST
    assert attributes["reranker.output_documents.0.document.score"] == 1.0
    assert "reranker.input_documents.2.document.id" in attributes


async def test_usage_and_cost_are_in_the_trace_once(reranker, mode, traced, local_openrouter):
    """A span of its kind tells what was spent, who answered, and how many attempts it took."""
    local_openrouter.script(error(503, "busy", retry_after=0), scores(0.5, 0.7, cost=0.002))

    await rerank(reranker(), mode, nodes_of("a", "b"))

    (span,) = [span for span in traced.spans if COST in span.attributes]
    assert traced.reranking.context.span_id in {span.context.span_id, span.parent.span_id}
    assert span.attributes[KIND] == "RERANKER"
    assert span.attributes[COST] == 0.002
    assert span.attributes["openrouter.usage.search_units"] == 1
    assert span.attributes["openrouter.provider"] == "Stage"
    assert span.attributes["openrouter.model"] == "cohere/rerank-v3.5"
    assert span.attributes["openrouter.rerank.attempts"] == 2
    assert span.attributes["gen_ai.response.id"] == "gen-rerank-0000000002-stage"


WITHOUT_PROVIDER = """
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
with provider.get_tracer("app").start_as_current_span("untraced"):
    reranker.postprocess_nodes(nodes, query_str="a")
LlamaIndexInstrumentor().instrument(tracer_provider=provider)
reranker.postprocess_nodes(nodes, query_str="a")
noted = [(span.name, span.attributes.get("openrouter.usage.cost")) for span in
         exporter.get_finished_spans()]
print(json.dumps(noted))
"""


def test_a_provider_given_to_the_instrumentation_alone_sees_the_cost(local_openrouter):
    """Then the client has no span, and its numbers are on LlamaIndex's; never on a caller's."""
    environment = {
        "OPENROUTER_API_KEY": local_openrouter.api_key,
        "OPENROUTER_API_BASE": local_openrouter.base_url,
        "NO_PROXY": "127.0.0.1",
    }

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PROVIDER],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        ["untraced", None],
        ["OpenRouterRerank._postprocess_nodes", 0.001],
    ]


async def test_nothing_is_noted_on_the_span_of_a_caller(reranker, mode, provider):
    """Where LlamaIndex is not traced, the span around the call belongs to somebody else."""
    tracing = Trace(provider)

    with provider.get_tracer("app").start_as_current_span("answer"):
        await rerank(reranker(), mode, nodes_of("a"))

    (span,) = tracing.named("answer")
    assert span.attributes == {}


async def test_an_error_ends_the_span_with_it(reranker, mode, traced, local_openrouter):
    """A failed reranking is an error in the trace, and still a reranker."""
    local_openrouter.script(error(402, "Insufficient credits"))

    with pytest.raises(PaymentRequiredError):
        await rerank(reranker(), mode, nodes_of("a"))

    assert traced.reranking.status.status_code is StatusCode.ERROR
    assert "Insufficient credits" in traced.reranking.status.description
    assert traced.reranking.attributes[KIND] == "RERANKER"


async def test_a_failure_that_was_passed_through_is_seen(reranker, mode, traced, local_openrouter):
    """The span is well, and says what happened."""
    local_openrouter.always(error(503, "down"))

    await rerank(reranker(on_error="passthrough", max_retries=0), mode, nodes_of("a"))

    assert traced.reranking.status.status_code is StatusCode.OK
    told = traced.reranking.attributes["openrouter.passed_through"]
    assert told.startswith("ServiceUnavailableError: down")


async def test_no_span_is_left_open_by_a_cancelled_call(reranker, traced, local_openrouter):
    """Cancelling ends the span."""
    local_openrouter.script(Fault.hang())

    task = asyncio.create_task(rerank(reranker(), "async", nodes_of("a")))
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert traced.reranking.status.status_code is StatusCode.ERROR


async def test_parallel_calls_have_a_span_each(reranker, traced, local_openrouter):
    """Costs of calls that run side by side do not end up on each other's spans."""
    local_openrouter.always(lambda request: scores(0.5, cost=len(request.query))(request))

    await asyncio.gather(
        *(rerank(reranker(), "async", nodes_of("a"), "q" * length) for length in (1, 2, 3))
    )

    assert sorted(traced.costs) == [("q", 1), ("qq", 2), ("qqq", 3)]


async def test_secrets_are_in_no_span(reranker, mode, traced, local_openrouter, index):
    """Parents write down their arguments, the reranker among them: the key is not in it."""
    shared = reranker(default_headers={"X-Secret": "a secret header"})
    engine = index.as_query_engine(llm=MockLLM(), similarity_top_k=3, node_postprocessors=[shared])

    await engine.aquery(QUERY) if mode == "async" else engine.query(QUERY)

    written = "".join(span.to_json() for span in traced.spans)
    assert QUERY in written
    assert local_openrouter.api_key not in written
    assert "a secret header" not in written
