"""Promise: secrets stay. No key in repr, str, logs, exceptions, traceback locals or pickles."""

import logging
import pickle
import traceback

import pytest
from openrouter_rerank import OpenRouterRerankError, RerankClient
from openrouter_rerank.local.stage import Fault, Reply, error
from openrouter_rerank.reranker import Reranker

from tests.client.shells import OWN

KEY = "sk-or-v1-THE-SECRET-KEY"
HEADER = "the-secret-header"
TEXT = "the secret text of a document"
QUERY = "the secret question"

LINES = [
    Fault.reset_before(),
    Fault.reset_after(),
    Fault.truncated(),
    Fault.bad_chunk(),
    Fault.garbage(),
    Fault.hang(),
    Fault.drip_body(),
    Fault.huge_body(2_000_000),
    Fault.gzip_bomb(2_000_000),
    Fault.redirect(),
    error(401, "bad key"),
    error(429, "slow"),
    Reply(body={}),
    Reply(status=503),
]


def lines_of_ours(failure):
    """The traceback of an error, its causes and contexts, with the locals of our own frames."""
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


@pytest.mark.parametrize("line", LINES, ids=str)
def test_no_failure_shows_the_key(make, stage, caplog, line):
    """No error, chain of errors, local of its traceback, pickle of it or log line holds the key."""
    stage.script(line)
    caller = make(api_key=KEY, default_headers={"X-Secret": HEADER}, timeout=0.25, max_retries=0)

    with caplog.at_level(logging.DEBUG):
        try:
            caller.rerank(QUERY, [TEXT])
        except OpenRouterRerankError as failure:
            told = lines_of_ours(failure)
            pickled = pickle.dumps(failure)
        else:
            told, pickled = "", b""
    logged = repr(
        [(record.getMessage(), record.args, record.exc_info) for record in caplog.records]
    )

    assert stage.connections == 1
    for secret in (KEY, HEADER):
        assert secret not in told + logged
        assert secret.encode() not in pickled
    for content in (TEXT, QUERY):
        assert content not in logged
        assert content.encode() not in pickled


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
