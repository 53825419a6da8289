"""Every fault, for every kind of client: the right error or a valid ranking, and in time."""

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

from tests.certificates import identified, trusting
from tests.starvation import repeat_if_starved

QUERY, DOCUMENTS = "two", ["one", "two"]
BEST_FIRST = [1, 0]
DEADLINE = 0.12
SLACK = 0.1
ENOUGH = 10.0
MIB = 1024 * 1024
NAN = float("nan")

# What comes in place of an answer, and what the caller gets. What ends in a DeadlineExceededError
# has DEADLINE seconds, everything else has enough.
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
ANSWERS = {
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
    "422": (error(422, "odd"), "UnprocessableEntityError"),
    "500": (error(500, "broken"), "InternalServerError"),
    "504": (error(504, "late"), "GatewayTimeoutError"),
    "529": (error(529, "busy"), "ProviderOverloadedError"),
    "599": (error(599, "odd"), "APIStatusError"),
}


def ends_as(expected, caller, measured):
    """Tell whether a call ends as it should, and within 100 ms of its time."""
    timeout = DEADLINE if expected == "DeadlineExceededError" else ENOUGH
    started = time.monotonic()
    try:
        outcome = caller.rerank(QUERY, DOCUMENTS, timeout=timeout)
    except errors.OpenRouterRerankError as failure:
        outcome = failure
    late = time.monotonic() - started - timeout
    if timeout == DEADLINE:
        measured("ms after the deadline", late * 1000)
    assert type(outcome).__name__ == expected, repr(outcome)
    if isinstance(outcome, Ranking):
        assert [result.index for result in outcome.results] == BEST_FIRST
    return late < SLACK


def ends_in_time_as(expected, caller, measured, again=nullcontext):
    """Require a call to end as it should; `again` makes its fault happen once more."""
    # A busy machine is late now and then, a call without a deadline each time.
    for _ in range(3):
        if ends_as(expected, caller, measured):
            return
        again()
    pytest.fail(f"later than {SLACK} s after the deadline, three times in a row")


def only(stage, line):
    """Script one line, and no other: a call that ended before it was sent has left one unused."""
    stage.reset()
    stage.script(line)


def test_no_fault_of_the_stage_is_left_out():
    """A fault that is added to the stage gets a row here."""
    assert {fault.name for fault in Fault.every()} == {line.name for line, _ in FAULTS.values()}


@pytest.mark.parametrize("name", FAULTS | ANSWERS)
@repeat_if_starved
def test_every_fault(make, stage, measured, name):
    """Each fault is the error of its class, or does no harm; and the client lives on."""
    line, expected = (FAULTS | ANSWERS)[name]
    caller = make(max_retries=0)
    stage.script(line)

    ends_in_time_as(expected, caller, measured, again=lambda: only(stage, line))

    assert stage.unused == []
    if name != "wrong length":  # There, the stage does not listen any more
        assert len(caller.rerank(QUERY, DOCUMENTS, timeout=ENOUGH).results) == len(DOCUMENTS)


@contextmanager
def silent_address(scheme="http"):
    """A base URL where connections are made, and nothing is ever read."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"{scheme}://127.0.0.1:{server.getsockname()[1]}/v1"


NOBODY = {
    "refused": (refusing_address, "APIConnectionError"),
    "not accepted": (unaccepting_address, "DeadlineExceededError"),
    "not read": (silent_address, "DeadlineExceededError"),
    "no handshake": (lambda: silent_address("https"), "DeadlineExceededError"),
}


@pytest.mark.parametrize("name", NOBODY)
@repeat_if_starved
def test_nobody_there(make, measured, name):
    """Addresses that refuse, or where nothing happens, cost the deadline at most."""
    address, expected = NOBODY[name]

    with address() as base_url:
        caller = make(base_url=base_url, max_retries=0)
        ends_in_time_as(expected, caller, measured)


@pytest.fixture(scope="module")
def certified():
    """The TLS contexts of a server and of the clients that trust it."""
    authority, server = identified()
    with trusting(authority) as client:
        yield server, client


@pytest.fixture
def secured(certified, client_kind):
    """Makes clients that trust the server, with connections of their own or injected ones."""

    def client(base_url):
        options = {"base_url": base_url, "api_key": "k", "max_retries": 0}
        return client_kind.client(http_options={"verify": certified[1]}, **options)

    return client


@pytest.mark.parametrize("name", FAULTS)
@repeat_if_starved
def test_every_fault_within_tls(certified, secured, measured, name):
    """A connection that is secured fails in the same ways, and in the same time."""
    line, expected = FAULTS[name]

    with Stage(tls=certified[0]) as stage:
        caller = secured(stage.base_url)
        stage.script(line)
        ends_in_time_as(expected, caller, measured, again=lambda: only(stage, line))
        if name != "wrong length":
            assert len(caller.rerank(QUERY, DOCUMENTS, timeout=ENOUGH).results) == len(DOCUMENTS)


@contextmanager
def tampering(tls):
    """A base URL whose answer breaks off into bytes that are of no TLS connection."""

    def answer():
        with suppress(OSError), tls.wrap_socket(listener.accept()[0], server_side=True) as secured:
            secured.recv(65_536)
            secured.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{")
            # Past the TLS of Python: a record that nobody can have encrypted.
            socket.socket.sendall(secured, b"\x17\x03\x03\x00\x20" + bytes(32))
            secured.recv(65_536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            # A call whose time was up before it connected leaves the thread accepting.
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@repeat_if_starved
def test_bytes_beneath_tls(certified, secured, measured):
    """What breaks TLS in the middle of an answer is a lost connection."""
    with tampering(certified[0]) as base_url:
        ends_in_time_as("APIConnectionError", secured(base_url), measured)


@pytest.mark.parametrize(
    "line", [Fault.reset_before(), Fault.garbage(), Reply()], ids=["reset", "garbage", "HTTP"]
)
def test_a_handshake_that_fails(secured, stage, line):
    """A server that hangs up at the handshake, or speaks no TLS, may be asked again."""
    stage.always(line)

    with pytest.raises(errors.APIConnectionError, match="could not connect") as caught:
        secured(stage.base_url.replace("http:", "https:")).rerank(QUERY, DOCUMENTS)

    assert caught.value.retryable
    assert stage.requests == []


def test_a_certificate_that_nobody_trusts(secured):
    """A server whose certificate is not trusted is sent nothing, and is not asked again."""
    with (
        Stage(tls=identified()[1]) as stage,
        pytest.raises(errors.APIConnectionError, match="certificate is not trusted") as caught,
    ):
        secured(stage.base_url).rerank(QUERY, DOCUMENTS)

    assert (caught.value.retryable, caught.value.attempts, stage.connections) == (False, 1, 0)
