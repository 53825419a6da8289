"""Promise: each fault of a server ends in the expected error or in a valid ranking, in time."""

import socket
import threading
import time
from contextlib import contextmanager, nullcontext, suppress

import pytest
from openrouter_rerank import Ranking, errors
from openrouter_rerank.local.stage import (
    Fault,
    Reply,
    Stage,
    error,
    refusing_address,
    results,
    unaccepting_address,
)

from tests.certificates import authority_and_server_context, trusted
from tests.starvation import repeat_if_starved

QUERY, DOCUMENTS = "two", ["one", "two"]
BEST_FIRST = [1, 0]
SHORT_TIMEOUT = 0.12
TOLERANCE = 0.1
LONG_TIMEOUT = 10.0
MIB = 1024 * 1024
NAN = float("nan")

# Each fault of the server, and the error class or `Ranking` in which the call ends. Calls that end
# in a DeadlineExceededError have the short timeout.
FAULTS = {
    "reset before": (Fault.reset_before(), "APIConnectionError"),
    "reset after": (Fault.reset_after(), "APIConnectionError"),
    "reset mid-body": (Fault.reset_mid_body(), "APIConnectionError"),
    "close": (Fault.close(), "APIConnectionError"),
    "truncated": (Fault.truncated(), "APIConnectionError"),
    "cut": (Fault.cut(), "APIConnectionError"),
    "wrong length": (Fault.wrong_length(), "InvalidResponseError"),
    "bad chunk": (Fault.bad_chunk(), "APIConnectionError"),
    "garbage": (Fault.garbage(), "APIConnectionError"),
    "drip head": (Fault.drip_head(0.02), "DeadlineExceededError"),
    "drip body": (Fault.drip_body(0.02), "DeadlineExceededError"),
    "hang": (Fault.hang(), "DeadlineExceededError"),
    "too late head": (Fault.late_head(60), "DeadlineExceededError"),
    "late head": (Fault.late_head(0.1), "Ranking"),
    "64 MiB": (Fault.huge_body(64 * MIB), "InvalidResponseError"),
    "gzip bomb": (Fault.gzip_bomb(64 * MIB), "InvalidResponseError"),
    "redirect": (Fault.redirect(), "InvalidResponseError"),
}
RESPONSES = {
    "HTML 502": (Reply(status=502, body="<title>Bad gateway</title>"), "BadGatewayError"),
    "HTML 503": (Reply(status=503, body="<h1>Down</h1>"), "ServiceUnavailableError"),
    "HTML 524": (Reply(status=524, body="<h1>Timeout</h1>"), "EdgeNetworkTimeoutError"),
    "HTML 200": (Reply(body="<h1>Log in</h1>"), "InvalidResponseError"),
    "200 with error": (error(503, "down", status=200), "ServiceUnavailableError"),
    "NaN": (results((0, NAN), (1, 0.5)), "InvalidResponseError"),
    "null score": (results((0, None), (1, 0.5)), "InvalidResponseError"),
    "null": (Reply(body=b"null"), "InvalidResponseError"),
    "null results": (Reply(body={"results": None}), "InvalidResponseError"),
    "duplicate": (results((1, 0.5), (1, 0.4)), "InvalidResponseError"),
    "negative": (results((-1, 0.5), (1, 0.4)), "InvalidResponseError"),
    "out of range": (results((2, 0.5), (1, 0.4)), "InvalidResponseError"),
    "missing": (Reply(body={}), "InvalidResponseError"),
    "unsorted": (results((0, 0.1), (1, 0.9)), "Ranking"),
    "too few": (results((1, 0.5)), "InvalidResponseError"),
    "too many": (results((1, 0.5), (0, 0.4), (0, 0.3)), "InvalidResponseError"),
    "empty": (Reply(), "InvalidResponseError"),
    "204": (Reply(status=204), "InvalidResponseError"),
    "429": (error(429, "slow"), "TooManyRequestsError"),
    **{
        f"429, {hint:.20}": (error(429, "slow", retry_after=hint), "TooManyRequestsError")
        for hint in (
            *("0", "7", "inf", "1e999", "\u0663", "9" * 400, "-1", "soon"),
            *("Wed, 21 Oct 2099 07:28:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"),
        )
    },
    "400": (error(400, "bad"), "BadRequestError"),
    "401": (error(401, "who?"), "UnauthorizedError"),
    "402": (error(402, "no credits"), "PaymentRequiredError"),
    "403": (error(403, "no"), "ForbiddenError"),
    "404": (error(404, "no endpoints"), "NotFoundError"),
    "408": (error(408, "late"), "RequestTimeoutError"),
    "413": (error(413, "large"), "PayloadTooLargeError"),
    "422": (error(422, "invalid"), "UnprocessableEntityError"),
    "500": (error(500, "broken"), "InternalServerError"),
    "504": (error(504, "late"), "GatewayTimeoutError"),
    "529": (error(529, "busy"), "ProviderOverloadedError"),
    "599": (error(599, "unlisted status"), "APIStatusError"),
}


def ends_in_time(expected, caller, record_measurement):
    """Require the outcome `expected`; return `True` if the call ends at most 100 ms too late."""
    timeout = SHORT_TIMEOUT if expected == "DeadlineExceededError" else LONG_TIMEOUT
    started = time.monotonic()
    try:
        outcome = caller.rerank(QUERY, DOCUMENTS, timeout=timeout)
    except errors.OpenRouterRerankError as failure:
        outcome = failure
    seconds_late = time.monotonic() - started - timeout
    if timeout == SHORT_TIMEOUT:
        record_measurement("ms after the deadline", seconds_late * 1000)
    assert type(outcome).__name__ == expected, repr(outcome)
    if isinstance(outcome, Ranking):
        assert [result.index for result in outcome.results] == BEST_FIRST
    return seconds_late < TOLERANCE


def require_outcome_in_time(expected, caller, record_measurement, repeat_fault=nullcontext):
    """Require the outcome `expected` in time; `repeat_fault` prepares the fault for another try."""
    # On a busy machine some calls end late, but a call without a deadline ends late every time.
    for _ in range(3):
        if ends_in_time(expected, caller, record_measurement):
            return
        repeat_fault()
    pytest.fail(f"later than {TOLERANCE} s after the deadline, three times in a row")


def script_only(stage, fault):
    """Script only `fault`, because a call that ended before it sent a request left one unused."""
    stage.reset()
    stage.script(fault)


def test_every_fault_of_the_stage_is_tested():
    """`FAULTS` contains every fault of the stage, so new faults are tested too."""
    assert {fault.name for fault in Fault.every()} == {fault.name for fault, _ in FAULTS.values()}


@pytest.mark.parametrize("name", FAULTS | RESPONSES)
@repeat_if_starved
def test_a_fault_ends_in_the_expected_outcome(make_client, stage, record_measurement, name):
    """Each fault ends in its error class or in a ranking, and the next call succeeds."""
    fault, expected = (FAULTS | RESPONSES)[name]
    caller = make_client(max_retries=0)
    stage.script(fault)

    require_outcome_in_time(
        expected, caller, record_measurement, repeat_fault=lambda: script_only(stage, fault)
    )

    assert stage.unused == []
    if name != "wrong length":  # The stage stops reading, but keeps the connection open
        assert len(caller.rerank(QUERY, DOCUMENTS, timeout=LONG_TIMEOUT).results) == len(DOCUMENTS)


@contextmanager
def silent_address(scheme="http"):
    """Yield the base URL of a server that accepts connections, but never reads."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"{scheme}://127.0.0.1:{server.getsockname()[1]}/v1"


UNRESPONSIVE = {
    "refused": (refusing_address, "APIConnectionError"),
    "not accepted": (unaccepting_address, "DeadlineExceededError"),
    "not read": (silent_address, "DeadlineExceededError"),
    "no handshake": (lambda: silent_address("https"), "DeadlineExceededError"),
}


@pytest.mark.parametrize("name", UNRESPONSIVE)
@repeat_if_starved
def test_an_unresponsive_address_takes_the_timeout_at_most(make_client, record_measurement, name):
    """An address that refuses, or never responds, ends the call by its deadline."""
    address, expected = UNRESPONSIVE[name]

    with address() as base_url:
        caller = make_client(base_url=base_url, max_retries=0)
        require_outcome_in_time(expected, caller, record_measurement)


@pytest.fixture(scope="module")
def tls_contexts():
    """The TLS contexts of a server and of clients that trust it."""
    authority, server = authority_and_server_context()
    with trusted(authority) as client:
        yield server, client


@pytest.fixture
def make_trusting_client(tls_contexts, client_kind):
    """A function that makes a client of the current kind that trusts the server's certificate."""

    def client(base_url):
        options = {"base_url": base_url, "api_key": "k", "max_retries": 0}
        return client_kind.client(http_options={"verify": tls_contexts[1]}, **options)

    return client


@pytest.mark.parametrize("name", FAULTS)
@repeat_if_starved
def test_a_fault_within_tls_ends_in_the_expected_outcome(
    tls_contexts, make_trusting_client, record_measurement, name
):
    """A fault within TLS ends in the same outcome as without TLS, and in time."""
    fault, expected = FAULTS[name]

    with Stage(tls=tls_contexts[0]) as stage:
        caller = make_trusting_client(stage.base_url)
        stage.script(fault)
        require_outcome_in_time(
            expected, caller, record_measurement, repeat_fault=lambda: script_only(stage, fault)
        )
        if name != "wrong length":
            assert len(caller.rerank(QUERY, DOCUMENTS, timeout=LONG_TIMEOUT).results) == len(
                DOCUMENTS
            )


@contextmanager
def tampering_server(tls):
    """Yield the base URL of a server whose response ends in bytes that are not valid TLS."""

    def respond():
        with (
            suppress(OSError),
            tls.wrap_socket(listener.accept()[0], server_side=True) as connection,
        ):
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{")
            # Bypass Python's TLS to send a record that cannot be decrypted.
            socket.socket.sendall(connection, b"\x17\x03\x03\x00\x20" + bytes(32))
            connection.recv(65_536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=respond)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            # If the call timed out before it connected, the thread still waits in accept().
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@repeat_if_starved
def test_invalid_bytes_below_tls_are_a_connection_error(
    tls_contexts, make_trusting_client, record_measurement
):
    """Invalid TLS bytes in the middle of a response are an `APIConnectionError`."""
    with tampering_server(tls_contexts[0]) as base_url:
        require_outcome_in_time(
            "APIConnectionError", make_trusting_client(base_url), record_measurement
        )


@pytest.mark.parametrize(
    "fault", [Fault.reset_before(), Fault.garbage(), Reply()], ids=["reset", "garbage", "HTTP"]
)
def test_a_failed_handshake_is_retryable(make_trusting_client, stage, fault):
    """If a server aborts the handshake, or speaks no TLS, the error is retryable."""
    stage.always(fault)

    with pytest.raises(errors.APIConnectionError, match="could not connect") as caught:
        make_trusting_client(stage.base_url.replace("http:", "https:")).rerank(QUERY, DOCUMENTS)

    assert caught.value.retryable
    assert stage.requests == []


def test_an_untrusted_certificate_is_not_retried(make_trusting_client):
    """A server with an untrusted certificate gets no request, and the call is not retried."""
    with (
        Stage(tls=authority_and_server_context()[1]) as stage,
        pytest.raises(errors.APIConnectionError, match="is not trusted") as caught,
    ):
        make_trusting_client(stage.base_url).rerank(QUERY, DOCUMENTS)

    assert (caught.value.retryable, caught.value.attempts, stage.connections) == (False, 1, 0)
