"""The error of a failed attempt: its class, and the exact message of each kind and step."""

from dataclasses import replace

import pytest
from openrouter_rerank._attempt import Failure, FailureKind, Step
from openrouter_rerank._call.failure_errors import failure_error, no_time_error
from openrouter_rerank._wire.request import encode
from openrouter_rerank.errors import APIConnectionError, DeadlineExceededError, InvalidResponseError

REQUEST = encode("a/b", "q", ("x",))
URL = "https://openrouter.ai/api/v1/rerank"
FINAL = {
    FailureKind.PROXY_REFUSED,
    FailureKind.UNTRUSTED,
    FailureKind.UNSENDABLE,
    FailureKind.BROKEN_CLIENT,
}
LATE = "(model a/b, 2 attempts). Raise timeout, or set fallback_models."


def error_of(kind, *, allowed=30.0, **fields):
    """Return the error of a failure of this kind, after two attempts."""
    failure = Failure(kind=kind, **{"url": URL, "reason": "Reason", "waited": 2.96} | fields)
    return failure_error(failure, REQUEST, allowed=allowed, timeout=30.0, attempts=2)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        pytest.param(
            FailureKind.UNSENT,
            {"reason": "Name or service not known"},
            "could not connect to openrouter.ai:443: Name or service not known. Check base_url and "
            "the network.",
            id="unknown host",
        ),
        pytest.param(
            FailureKind.UNSENT,
            {"url": "http://localhost/v1/rerank"},
            "could not connect to localhost:80: Reason. Check base_url and the network.",
            id="port of http",
        ),
        pytest.param(
            FailureKind.EXHAUSTED,
            {"reason": "Too many open files"},
            "could not connect to openrouter.ai:443: Too many open files. End threads and close "
            "files and connections that are not needed, or raise the limits of the process "
            "(ulimit).",
            id="no descriptor left",
        ),
        pytest.param(
            FailureKind.UNSENT,
            {"url": "https://host:8443/v1/rerank"},
            "could not connect to host:8443: Reason. Check base_url and the network.",
            id="port of the URL",
        ),
        pytest.param(
            FailureKind.UNSENT,
            {"url": ""},
            "could not connect to the server: Reason. Check base_url and the network.",
            id="unknown URL",
        ),
        pytest.param(
            FailureKind.UNSENT,
            {"proxy": "http://proxy:3128"},
            "could not connect to openrouter.ai:443 through the proxy http://proxy:3128: Reason. "
            "Check HTTPS_PROXY and ALL_PROXY.",
            id="proxy",
        ),
        pytest.param(
            FailureKind.UNSENT,
            {"url": "http://host:8080/v1/rerank", "proxy": "http://proxy:3128"},
            "could not connect to host:8080 through the proxy http://proxy:3128: Reason. "
            "Check HTTP_PROXY and ALL_PROXY.",
            id="proxy of an http URL",
        ),
        pytest.param(
            FailureKind.PROXY_REFUSED,
            {"proxy": "http://proxy:3128", "reason": "HTTP 407"},
            "the proxy http://proxy:3128 refused to connect to openrouter.ai:443: HTTP 407. Check "
            "the user name and the password in HTTPS_PROXY or ALL_PROXY.",
            id="login of a proxy",
        ),
        pytest.param(
            FailureKind.UNSENT,
            {"reason": "error 407"},
            "could not connect to openrouter.ai:443: error 407. Check base_url and the network.",
            id="number of a proxy's login without a proxy",
        ),
        pytest.param(
            FailureKind.UNSENT,
            {"proxy": "socks5://proxy:1080", "reason": "wrong password"},
            "could not connect to openrouter.ai:443 through the proxy socks5://proxy:1080: wrong "
            "password. Check the user name and the password in HTTPS_PROXY or ALL_PROXY.",
            id="password of a proxy",
        ),
        pytest.param(
            FailureKind.PROXY_REFUSED,
            {"is_injected": True, "reason": "HTTP 403"},
            "the proxy of http_client refused to connect to openrouter.ai:443: HTTP 403. Check "
            "base_url, the network and http_client.",
            id="proxy of an injected client",
        ),
        pytest.param(
            FailureKind.UNTRUSTED,
            {"reason": "certificate has expired"},
            "the certificate of openrouter.ai:443 is not trusted: certificate has expired. Check "
            "base_url and the certificate of the server.",
            id="expired certificate",
        ),
        pytest.param(
            FailureKind.UNTRUSTED,
            {"reason": "hostname mismatch"},
            "the certificate of openrouter.ai:443 is not trusted: hostname mismatch. Check "
            "base_url and the certificate of the server.",
            id="certificate of another host",
        ),
        pytest.param(
            FailureKind.UNTRUSTED,
            {},
            "the certificate of openrouter.ai:443 is not trusted: Reason. Set SSL_CERT_FILE to a "
            "file with the certificate of its authority (REQUESTS_CA_BUNDLE is not read).",
            id="unknown authority",
        ),
        pytest.param(
            FailureKind.LOST,
            {"proxy": "http://proxy:3128"},
            "the connection to openrouter.ai:443 through the proxy http://proxy:3128 was lost: "
            "Reason. Retry later, or check HTTPS_PROXY and ALL_PROXY.",
            id="lost through a proxy",
        ),
        pytest.param(
            FailureKind.UNSENT,
            {"is_injected": True},
            "could not connect to openrouter.ai:443: Reason. Check base_url, the network and "
            "http_client.",
            id="injected client",
        ),
        pytest.param(
            FailureKind.UNTRUSTED,
            {"is_injected": True},
            "the certificate of openrouter.ai:443 is not trusted: Reason. Check verify of "
            "http_client.",
            id="certificate for an injected client",
        ),
        pytest.param(
            FailureKind.UNSENDABLE,
            {"is_injected": True},
            "the request to openrouter.ai could not be sent: Reason. Check http_client.",
            id="closed client",
        ),
        pytest.param(
            FailureKind.UNSENDABLE,
            {},
            "the request to openrouter.ai could not be sent: Reason. Check default_headers and "
            "base_url.",
            id="refused request",
        ),
        pytest.param(
            FailureKind.BROKEN_CLIENT,
            {"is_injected": True},
            "http_client failed: Reason. Check its event hooks and its transport.",
            id="failed hook",
        ),
        pytest.param(
            FailureKind.STALE,
            {},
            "the connection to openrouter.ai:443 was lost: Reason. Retry later, or set "
            "fallback_models.",
            id="stale",
        ),
        pytest.param(
            FailureKind.TIMEOUT,
            {},
            "no response from openrouter.ai in time: Reason. Retry later, or set fallback_models.",
            id="timeout of the library",
        ),
        pytest.param(
            FailureKind.BROKEN_LIMITER,
            {},
            "rate_limiter failed, and nothing was sent: Reason. Correct rate_limiter.",
            id="broken limiter",
        ),
    ],
)
def test_a_failure_of_the_connection(kind, fields, message):
    """A failure of the connection is an `APIConnectionError` that names host, reason and fix."""
    error = error_of(kind, **fields)

    assert (type(error), error.message, error.model) == (APIConnectionError, message, "a/b")
    assert error.retryable == (kind not in FINAL)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        pytest.param(
            FailureKind.DEADLINE,
            {"step": Step.CONNECTION},
            f"could not connect to openrouter.ai:443 within timeout=30 s {LATE}",
            id="connection",
        ),
        pytest.param(
            FailureKind.DEADLINE,
            {"proxy": "http://proxy:3128"},
            "no response from openrouter.ai through the proxy http://proxy:3128 within timeout=30 "
            f"s {LATE}",
            id="response through a proxy",
        ),
        pytest.param(
            FailureKind.DEADLINE,
            {"allowed": 18.0},
            f"no response from openrouter.ai within 18 s, its part of timeout=30 s {LATE}",
            id="before a fallback model",
        ),
        pytest.param(
            FailureKind.DEADLINE,
            {"allowed": 28.5, "slots": 8, "slot_wait": 3.0},
            f"no response from openrouter.ai within timeout=30 s {LATE}",
            id="nearly all of the time, and a short wait for a request slot",
        ),
        pytest.param(
            FailureKind.DEADLINE,
            {"step": Step.BODY},
            f"no complete response from openrouter.ai within timeout=30 s {LATE}",
            id="body",
        ),
        pytest.param(
            FailureKind.DEADLINE,
            {"slots": 8, "slot_wait": 20.04},
            "no response from openrouter.ai within timeout=30 s, of which 20.0 s were a wait for "
            "one of max_concurrency=8 request slots (model a/b, 2 attempts). Raise max_concurrency "
            "or timeout.",
            id="response after a wait for a request slot",
        ),
        pytest.param(
            FailureKind.BUSY,
            {"slots": 8},
            "waited 3.0 s for one of max_concurrency=8 request slots, and nothing was sent. Raise "
            "max_concurrency or timeout, or make fewer calls at the same time.",
            id="request slot",
        ),
        pytest.param(
            FailureKind.UNPERMITTED,
            {},
            "waited 3.0 s for permission of rate_limiter, and nothing was sent. Raise timeout, or "
            "the limit of rate_limiter.",
            id="permission",
        ),
    ],
)
def test_a_wait_until_the_deadline(kind, fields, message):
    """A wait until the deadline is a `DeadlineExceededError` that says for what and how long."""
    error = error_of(kind, **fields)

    assert (type(error), error.message, error.model) == (DeadlineExceededError, message, "a/b")
    assert error.retryable


def test_a_response_that_is_too_large():
    """A response that is too large is an `InvalidResponseError` with the largest valid size."""
    error = error_of(FailureKind.OVERSIZED)

    assert type(error) is InvalidResponseError
    assert error.message == (
        f"the response of openrouter.ai is larger than {REQUEST.longest_response:,} bytes, the "
        "most that a valid response to this request can have. Check base_url."
    )
    assert (error.model, error.retryable) == ("a/b", True)


def test_no_time_for_an_attempt():
    """If waits leave no time for an attempt, the error says so and names `timeout`."""
    error = no_time_error(30.0, "a/b")

    assert (error.model, error.retryable) == ("a/b", True)
    assert error.message == (
        "waits before the request took all of timeout=30 s, and nothing was sent. Raise timeout."
    )


def test_the_list_of_models_has_no_fallback_model():
    """The errors of a request for no model name no model, and advise no fallback model."""
    failure = Failure(kind=FailureKind.DEADLINE, url=URL, reason="Reason", step=Step.BODY)
    request = replace(REQUEST, model="")

    late = failure_error(failure, request, allowed=30.0, timeout=30.0, attempts=1)
    lost = failure_error(
        replace(failure, kind=FailureKind.LOST), request, allowed=30.0, timeout=30.0, attempts=1
    )

    assert late.message == (
        "no complete response from openrouter.ai within timeout=30 s. Raise timeout."
    )
    assert lost.message == "the connection to openrouter.ai:443 was lost: Reason. Retry later."


def test_one_attempt():
    """The message of a call with one attempt says "1 attempt"."""
    failure = Failure(kind=FailureKind.DEADLINE, url=URL, reason="Reason", step=Step.BODY)

    error = failure_error(failure, REQUEST, allowed=30.0, timeout=30.0, attempts=1)

    assert "(model a/b, 1 attempt)." in error.message


def test_the_error_of_the_system_is_the_cause():
    """The cause of the error is the error of the system."""
    cause = ConnectionRefusedError(111, "Connection refused")

    assert error_of(FailureKind.UNSENT, cause=cause).__cause__ is cause
