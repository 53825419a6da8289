"""Promise: no key is in a repr, a log, an error, a traceback's locals, a pickle or a trace."""

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
from openrouter_rerank import ConfigurationError, OpenRouterRerankError, RerankClient
from openrouter_rerank.local.stage import Reply, error
from openrouter_rerank.reranker import Reranker
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import ValidationError

from tests.clients import OWN_CONNECTIONS
from tests.error_causes import ERROR_OPTIONS, ERROR_REPLIES, error_names, timeout_for
from tests.secret_walker import HEADER, KEY, secrets_in_frames

TEXT = "the secret text of a document"
QUERY = "the secret question"


@pytest.fixture
def spans(exporter):
    """A function that returns the spans that have ended since the test began."""
    exporter.clear()
    return exporter.get_finished_spans


@pytest.fixture(scope="session")
def exporter():
    """The exporter of this process, which can set its tracer provider only once."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    exporter = InMemorySpanExporter()
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def traceback_text(failure):
    """Return the tracebacks of an error, its causes and contexts, with locals outside the tests."""
    text = []
    pending = [failure]
    while pending:
        current = pending.pop()
        report = traceback.TracebackException.from_exception(current, capture_locals=True)
        for frame in report.stack:
            if "/tests/" not in frame.filename:
                text += [f"{frame.name}: {frame.locals}"]
        text += ["".join(traceback.format_exception_only(current)), repr(current)]
        text += [repr(vars(current))]
        pending += [linked for linked in (current.__cause__, current.__context__) if linked]
    return "\n".join(text)


def failure_texts(failure, records, spans):
    """Yield every place in which a failure can appear, and its text there."""
    yield "repr", repr(failure)
    yield "str", str(failure)
    yield "format", f"{failure} {failure!a} %s %r" % (failure, failure)
    yield "traceback", traceback_text(failure)
    yield "pickle", repr(pickle.dumps(failure))
    yield "traces", " ".join(span.to_json() for span in spans)
    yield from log_texts(records)


def log_texts(records):
    """Yield the forms of log records, and their texts."""
    yield "log text", " ".join(map(logging.Formatter().format, records))
    yield "log args", repr([(record.args, vars(record)) for record in records])
    yield "exc_info", repr([record.exc_info for record in records])


def logged_failure(call):
    """Make a call that fails, log the error as applications do, and return it."""
    with pytest.raises(OpenRouterRerankError) as caught:
        call()
    logging.getLogger("application").error("failed: %s", caught.value, exc_info=caught.value)
    return caught.value


def leaks(name, texts, secrets):
    """Return the places whose text contains one of the secrets."""
    return [(name, place) for place, text in texts for secret in secrets if secret in text]


SECRET_OPTIONS = {"api_key": KEY, "default_headers": {"X-Secret": HEADER}}


def test_every_error_class_has_a_cause():
    """Each error class has a cause in `tests.error_causes`, so new classes are tested too."""
    assert error_names() == ERROR_REPLIES.keys() | ERROR_OPTIONS.keys()


@pytest.mark.parametrize("name", ERROR_REPLIES | ERROR_OPTIONS)
def test_no_failure_of_a_client_contains_a_secret(make_client, stage, caplog, spans, name):
    """No error, log or trace contains the key or a header; no log of ours contains a document."""
    caplog.set_level(logging.DEBUG)
    stage.always(ERROR_REPLIES.get(name, Reply()))
    options = {
        key: ERROR_OPTIONS.get(name, {})[key]
        for key in ERROR_OPTIONS.get(name, {})
        if key != "unscorable"
    }
    documents = [TEXT, ""] if name == "InvalidRequestError" else [TEXT]

    failure = logged_failure(
        lambda: make_client(
            **SECRET_OPTIONS, timeout=timeout_for(name), max_retries=0, **options
        ).rerank(QUERY, documents)
    )

    assert type(failure).__name__ == name
    assert secrets_in_frames(failure) == []
    texts = [*failure_texts(failure, caplog.records, spans())]
    assert leaks(name, texts, (KEY, HEADER)) == []
    assert leaks(name, [*log_texts(caplog.records[:-1])], (TEXT, QUERY)) == []
    assert len(texts) == 9


def langchain_reranker(options):
    """Yield a LangChain reranker, a sync and an async call of it, and its serialized forms."""
    reranker = LangChainRerank(**options)
    documents = [Document(TEXT), Document("")]
    yield reranker
    yield lambda: reranker.compress_documents(documents, QUERY)
    yield lambda: asyncio.run(reranker.acompress_documents(documents, QUERY))
    yield [("dumps", dumps(reranker)), ("dumps", dumps(dumpd(reranker)))]


def llamaindex_reranker(options):
    """Yield a LlamaIndex reranker, a sync and an async call of it, and its serialized forms."""
    reranker = LlamaIndexRerank(**options)
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in (TEXT, "")]
    yield reranker
    yield lambda: reranker.postprocess_nodes(nodes, query_str=QUERY)
    yield lambda: asyncio.run(reranker.apostprocess_nodes(nodes, query_str=QUERY))
    yield [("to_dict", repr(reranker.to_dict())), ("to_json", reranker.to_json())]


def reranker_and_calls(framework, options):
    """Return the four values that `framework` yields."""
    return tuple(framework(options))


@pytest.mark.parametrize("framework", [langchain_reranker, llamaindex_reranker])
@pytest.mark.parametrize("name", ERROR_REPLIES | ERROR_OPTIONS)
def test_no_failure_of_a_reranker_contains_a_secret(stage, caplog, spans, name, framework):
    """After a failed call, no error, log, trace or serialized form of a reranker has a secret."""
    caplog.set_level(logging.DEBUG)
    stage.always(ERROR_REPLIES.get(name, Reply()))
    options = SECRET_OPTIONS | {
        "base_url": stage.base_url,
        "timeout": timeout_for(name),
        "max_retries": 0,
    }
    if name == "ConfigurationError":  # The constructor refuses this option
        failure = logged_failure(
            lambda: reranker_and_calls(framework, options | ERROR_OPTIONS[name])
        )
        assert secrets_in_frames(failure) == []
        assert leaks(name, failure_texts(failure, caplog.records, spans()), (KEY, HEADER)) == []
        return
    reranker, call, acall, serialized = reranker_and_calls(
        framework, options | ERROR_OPTIONS.get(name, {})
    )

    for failing_call in (call, acall):
        failure = logged_failure(failing_call)
        assert type(failure).__name__ == name
        assert secrets_in_frames(failure) == []
        assert leaks(name, failure_texts(failure, caplog.records, spans()), (KEY, HEADER)) == []
    assert (
        leaks(name, log_texts(r for r in caplog.records if r.name != "application"), (TEXT,)) == []
    )
    forms = [("repr", repr(reranker)), ("pickle", repr(pickle.dumps(reranker))), *serialized]
    assert leaks(name, forms, (KEY, HEADER)) == []


@OWN_CONNECTIONS
def test_each_attempt_is_logged_without_its_content(make_client, stage, caplog):
    """Each attempt is one `DEBUG` line with the model, the number of documents and the status."""
    stage.script(error(503, "down"))

    with caplog.at_level(logging.DEBUG, "openrouter_rerank"):
        make_client(api_key=KEY).rerank(QUERY, [TEXT])

    messages = [
        record.getMessage() for record in caplog.records if record.name == "openrouter_rerank"
    ]
    assert ["response=503" in messages[0], "response=200" in messages[1], len(messages)] == [
        True,
        True,
        2,
    ]
    assert "model=cohere/rerank-v3.5 documents=1" in messages[0]


@OWN_CONNECTIONS
def test_no_form_of_a_client_contains_the_key(make_client):
    """The `repr`, `str` and attributes of a client contain neither the key nor a header."""
    client = make_client(api_key=KEY, default_headers={"X-Secret": HEADER}).client

    forms = [repr(client), str(client), *map(repr, vars(client).values())]

    assert [form for form in forms if KEY in form or HEADER in form] == []


def test_a_client_cannot_be_pickled():
    """Pickling a client raises an error that does not contain the key."""
    with pytest.raises(Exception, match="pickle") as caught:
        pickle.dumps(RerankClient(api_key=KEY))

    assert KEY not in str(caught.value)


def test_no_form_of_a_reranker_contains_the_key():
    """A reranker's `repr`, dumps and pickle contain neither the key nor the user's headers."""
    reranker = Reranker(api_key=KEY, default_headers={"X-Secret": HEADER})

    forms = [
        repr(reranker),
        str(reranker),
        reranker.model_dump_json(),
        repr(reranker.model_dump()),
        repr(pickle.dumps(reranker)),
        repr(pickle.loads(pickle.dumps(reranker)).api_key),  # noqa: S301 - pickled here
    ]

    assert [form for form in forms if KEY in form or HEADER in form or "***" in form] == []


@pytest.mark.parametrize("framework", [LangChainRerank, LlamaIndexRerank])
@pytest.mark.parametrize("option", ["api_keyy", "apikey", "OPENROUTER_API_KEY", "default_header"])
def test_a_key_under_an_unknown_option_is_not_quoted(framework, option):
    """If the key is passed under an unknown name, no form of the error contains it."""
    with pytest.raises(ConfigurationError, match=option) as caught:
        framework(**{option: KEY})
    with pytest.raises(ValidationError, match=option) as of_pydantic:
        framework.model_validate({option: KEY})

    assert KEY not in traceback_text(caught.value) + str(caught.value)
    error = of_pydantic.value
    assert KEY not in error.json() + repr(error.errors()) + str(error)


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY} {KEY}", f"{KEY}\u200b"], ids=ascii)
def test_an_invalid_key_is_not_quoted(key, monkeypatch):
    """An invalid key, passed or from the environment, is refused with an error without the key."""
    with pytest.raises(OpenRouterRerankError) as from_argument:
        RerankClient(api_key=key)
    with RerankClient() as client:
        monkeypatch.setenv("OPENROUTER_API_KEY", key)
        with pytest.raises(OpenRouterRerankError) as from_environment:
            client.rerank("q", ["a"])
    with pytest.raises(OpenRouterRerankError) as when_created:
        RerankClient()

    for caught in (from_argument, from_environment, when_created):
        assert KEY not in repr(caught.value) + str(caught.value) + repr(vars(caught.value))


@pytest.mark.parametrize("key", [KEY, f"{KEY}\n"], ids=["refused host", "invalid key"])
def test_no_frame_of_a_refused_call_contains_the_environment_key(monkeypatch, key):
    """If the environment's key cannot be used, no frame of the package has it in its locals."""
    monkeypatch.setenv("OPENROUTER_API_KEY", key)
    base_url = None if key != KEY else "https://gateway.example/v1"

    with pytest.raises(OpenRouterRerankError) as caught:
        RerankClient(base_url=base_url)

    assert KEY not in traceback_text(caught.value)
    assert secrets_in_frames(caught.value) == []


@OWN_CONNECTIONS
def test_the_environment_key_is_not_sent_to_a_configured_host(make_client, monkeypatch):
    """The key from the environment is never sent to another host that `base_url` names."""
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)

    with pytest.raises(OpenRouterRerankError, match=r"is not sent to gateway\.example"):
        make_client(base_url="https://gateway.example/v1", api_key=None).rerank("q", ["a"])
