"""Promise: secrets stay. No key in repr, str, logs, exceptions, traceback locals or pickles."""

import asyncio
import logging
import pickle
import traceback

import pytest
from langchain_core.documents import Document
from langchain_core.load import dumpd, dumps
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llama_index.core.schema import NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from openrouter_rerank import OpenRouterRerankError, RerankClient
from openrouter_rerank.local.stage import Reply, error
from openrouter_rerank.reranker import Reranker
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import ValidationError

from tests.clients import OWN
from tests.error_tree import LINES, LOCAL, timeout_for, tree

KEY = "sk-or-v1-THE-SECRET-KEY"
HEADER = "the-secret-header"
TEXT = "the secret text of a document"
QUERY = "the secret question"


@pytest.fixture
def spans(exporter):
    """The spans that have ended."""
    exporter.clear()
    return exporter.get_finished_spans


@pytest.fixture(scope="session")
def exporter():
    """What receives the spans of this process, whose provider can be set only once."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    exporter = InMemorySpanExporter()
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def lines_of_ours(failure):
    """The traceback of an error, its causes and contexts, with the locals of foreign frames."""
    text = []
    pending = [failure]
    while pending:
        each = pending.pop()
        told = traceback.TracebackException.from_exception(each, capture_locals=True)
        for frame in told.stack:
            if "/tests/" not in frame.filename:
                text += [f"{frame.name}: {frame.locals}"]
        text += ["".join(traceback.format_exception_only(each)), repr(each), repr(vars(each))]
        pending += [linked for linked in (each.__cause__, each.__context__) if linked]
    return "\n".join(text)


def sinks(failure, records, spans):
    """Everywhere that a failure may be told, and what is told there."""
    yield "repr", repr(failure)
    yield "str", str(failure)
    yield "format", f"{failure} {failure!a} %s %r" % (failure, failure)
    yield "traceback", lines_of_ours(failure)
    yield "pickle", repr(pickle.dumps(failure))
    yield "traces", " ".join(span.to_json() for span in spans)
    yield from logs(records)


def logs(records):
    """What is told in the log."""
    yield "log text", " ".join(map(logging.Formatter().format, records))
    yield "log args", repr([(record.args, vars(record)) for record in records])
    yield "exc_info", repr([record.exc_info for record in records])


def failed(call):
    """Make a call that fails, and tell of it as applications do."""
    with pytest.raises(OpenRouterRerankError) as caught:
        call()
    logging.getLogger("application").error("failed: %s", caught.value, exc_info=caught.value)
    return caught.value


def told(name, found, secrets):
    """Where any of the secrets is told."""
    return [(name, sink) for sink, text in found for secret in secrets if secret in text]


SECRET = {"api_key": KEY, "default_headers": {"X-Secret": HEADER}}


def test_every_error_of_the_tree_has_a_row():
    """An error class that is added is looked into here."""
    assert tree() == LINES.keys() | LOCAL.keys()


@pytest.mark.parametrize("name", LINES | LOCAL)
def test_no_failure_of_a_client_shows_a_secret(make, stage, caplog, spans, name):
    """In no form of any error, log or trace are the key or a header; in no log is a document."""
    caplog.set_level(logging.DEBUG)
    stage.always(LINES.get(name, Reply()))
    options = {key: LOCAL.get(name, {})[key] for key in LOCAL.get(name, {}) if key != "unscorable"}
    documents = [TEXT, ""] if name == "InvalidRequestError" else [TEXT]

    failure = failed(
        lambda: make(**SECRET, timeout=timeout_for(name), max_retries=0, **options).rerank(
            QUERY, documents
        )
    )

    assert type(failure).__name__ == name
    found = [*sinks(failure, caplog.records, spans())]
    assert told(name, found, (KEY, HEADER)) == []
    assert told(name, [*logs(caplog.records[:-1])], (TEXT, QUERY)) == []
    assert len(found) == 9


def langchain(options):
    """A reranker of LangChain, a call of it, and the forms that LangChain writes it in."""
    reranker = LangChainRerank(**options)
    documents = [Document(TEXT), Document("")]
    yield reranker
    yield lambda: reranker.compress_documents(documents, QUERY)
    yield lambda: asyncio.run(reranker.acompress_documents(documents, QUERY))
    yield [("dumps", dumps(reranker)), ("dumps", dumps(dumpd(reranker)))]


def llamaindex(options):
    """A reranker of LlamaIndex, a call of it, and the forms that LlamaIndex writes it in."""
    reranker = LlamaIndexRerank(**options)
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in (TEXT, "")]
    yield reranker
    yield lambda: reranker.postprocess_nodes(nodes, query_str=QUERY)
    yield lambda: asyncio.run(reranker.apostprocess_nodes(nodes, query_str=QUERY))
    yield [("to_dict", repr(reranker.to_dict())), ("to_json", reranker.to_json())]


def made(framework, options):
    """The parts of a framework's reranker."""
    return tuple(framework(options))


@pytest.mark.parametrize("framework", [langchain, llamaindex])
@pytest.mark.parametrize("name", LINES | LOCAL)
def test_no_failure_of_a_reranker_shows_a_secret(stage, caplog, spans, name, framework):
    """Nor are they in what a framework tells or writes of a reranker whose call has failed."""
    caplog.set_level(logging.DEBUG)
    stage.always(LINES.get(name, Reply()))
    options = SECRET | {"base_url": stage.base_url, "timeout": timeout_for(name), "max_retries": 0}
    if name == "ConfigurationError":  # Such an option is refused before there is a reranker
        failure = failed(lambda: made(framework, options | LOCAL[name]))
        assert told(name, sinks(failure, caplog.records, spans()), (KEY, HEADER)) == []
        return
    reranker, call, acall, written = made(framework, options | LOCAL.get(name, {}))

    for each in (call, acall):
        failure = failed(each)
        assert type(failure).__name__ == name
        assert told(name, sinks(failure, caplog.records, spans()), (KEY, HEADER)) == []
    assert told(name, logs(r for r in caplog.records if r.name != "application"), (TEXT,)) == []
    forms = [("repr", repr(reranker)), ("pickle", repr(pickle.dumps(reranker))), *written]
    assert told(name, forms, (KEY, HEADER)) == []


@OWN
def test_our_log_tells_of_each_attempt_without_its_content(make, stage, caplog):
    """One line at DEBUG for each attempt: model, numbers and outcome; no query, text or header."""
    stage.script(error(503, "down"))

    with caplog.at_level(logging.DEBUG, "openrouter_rerank"):
        make(api_key=KEY).rerank(QUERY, [TEXT])

    ours = [record.getMessage() for record in caplog.records if record.name == "openrouter_rerank"]
    assert ["answer=503" in ours[0], "answer=200" in ours[1], len(ours)] == [True, True, 2]
    assert "model=cohere/rerank-v3.5 documents=1" in ours[0]


@OWN
def test_no_form_of_a_client_shows_the_key(make):
    """Neither `repr` nor `str` nor the attributes of a client show what it holds."""
    client = make(api_key=KEY, default_headers={"X-Secret": HEADER}).client

    forms = [repr(client), str(client), repr(vars(client)["_api_key"])]

    assert [form for form in forms if KEY in form or HEADER in form] == []


def test_a_client_is_not_pickled_with_its_key():
    """A client refuses to be pickled rather than writing its key."""
    with pytest.raises(Exception, match="pickle") as caught:
        pickle.dumps(RerankClient(api_key=KEY))

    assert KEY not in str(caught.value)


def test_no_form_of_a_reranker_shows_the_key():
    """A reranker's `repr`, dumps and pickle hold neither the key nor the user's headers."""
    reranker = Reranker(api_key=KEY, default_headers={"X-Secret": HEADER})

    forms = [
        repr(reranker),
        str(reranker),
        reranker.model_dump_json(),
        repr(reranker.model_dump()),
        repr(pickle.dumps(reranker)),
        repr(pickle.loads(pickle.dumps(reranker)).api_key),  # noqa: S301 - its own
    ]

    assert [form for form in forms if KEY in form or HEADER in form or "***" in form] == []


@pytest.mark.parametrize("framework", [LangChainRerank, LlamaIndexRerank])
@pytest.mark.parametrize("option", ["api_keyy", "apikey", "OPENROUTER_API_KEY", "default_header"])
def test_a_misspelt_key_is_not_quoted(framework, option):
    """A key under a name that is no option is in no form of the error, nor in its traceback."""
    with pytest.raises(ValidationError, match=option) as caught:
        framework(**{option: KEY})

    told = lines_of_ours(caught.value) + caught.value.json() + repr(caught.value.errors())
    assert KEY not in told + str(caught.value)


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY} {KEY}", f"{KEY}\u200b"], ids=ascii)
def test_a_damaged_key_is_not_quoted(key, monkeypatch):
    """A key that cannot be sent is refused without being shown, given or found."""
    with pytest.raises(OpenRouterRerankError) as given:
        RerankClient(api_key=key)
    monkeypatch.setenv("OPENROUTER_API_KEY", key)
    with RerankClient() as client, pytest.raises(OpenRouterRerankError) as found:
        client.rerank("q", ["a"])

    for caught in (given, found):
        assert KEY not in repr(caught.value) + str(caught.value) + repr(vars(caught.value))


@pytest.mark.parametrize(
    "options",
    [{"api_key": f"{KEY}\n"}, {"api_key": KEY, "timeout": -1}, {"api_key": KEY, "app_title": "\n"}],
    ids=["damaged key", "another option", "another header"],
)
def test_no_frame_of_a_refused_client_holds_the_key(options):
    """When a client cannot be made, no frame of ours has the plain key among its locals."""
    with pytest.raises(OpenRouterRerankError) as caught:
        RerankClient(**options)

    assert KEY not in lines_of_ours(caught.value)


@pytest.mark.parametrize("key", [KEY, f"{KEY}\n"], ids=["refused host", "damaged key"])
def test_no_frame_of_a_refused_call_holds_the_key_of_the_environment(monkeypatch, key):
    """When the environment's key cannot be used, no frame of ours has it among its locals."""
    monkeypatch.setenv("OPENROUTER_API_KEY", key)
    base_url = None if key != KEY else "https://gateway.example/v1"

    with RerankClient(base_url=base_url) as client, pytest.raises(OpenRouterRerankError) as caught:
        client.rerank("q", ["a"])

    assert KEY not in lines_of_ours(caught.value)


@OWN
def test_a_key_of_the_environment_does_not_follow_a_configured_host(make, monkeypatch):
    """A base URL from a configuration cannot lead the environment's key to another host."""
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)

    with pytest.raises(OpenRouterRerankError, match=r"is not sent to gateway\.example"):
        make(base_url="https://gateway.example/v1", api_key=None).rerank("q", ["a"])
