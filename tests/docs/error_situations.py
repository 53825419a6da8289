"""The situations of `docs/errors.md` in which the service or the network fails, made to happen."""

import datetime as dt
import os
import resource
from urllib.parse import urlsplit

import pytest
from openrouter_rerank import WindowRateLimiter
from openrouter_rerank.local.stage import Fault, Reply, Stage, error, refusing_address
from openrouter_rerank.rate_limiter import RateLimiter

from tests.certificates import authority_and_server_context

QUERY = "capital of France"
DOCUMENTS = ["Berlin is in Germany.", "Paris is the capital of France."]
NOW = dt.datetime(2026, 11, 2, 12, 0, 0, tzinfo=dt.UTC)


def provider_error(status, code, raw):
    """Return a response in which OpenRouter quotes the response of a provider."""
    metadata = {"provider_name": "Cohere", "raw": raw}
    body = {"error": {"code": code, "message": "Provider returned error", "metadata": metadata}}
    return Reply(status=status, body=body)


UNAVAILABLE = {
    "code": "no_allowed_provider",
    "retryable": False,
    "fallback_models": ["cohere/rerank-4-fast"],
    "excluded_by": ["data_collection"],
}
RESET = f"{1000 * (NOW.timestamp() + 3600):.0f}"

REPLIES = {
    "The key is wrong.": error(401, "User not found."),
    "The account has no credits.": error(402, "Insufficient credits"),
    "The key may not spend more.": error(403, "Key limit exceeded (daily limit)."),
    "The model does not exist.": error(400, "Model cohere/rerank-v3.6 does not exist"),
    "No provider serves the model.": error(404, "No endpoints found for cohere/rerank-v3.5."),
    "A provider refuses the documents.": provider_error(
        400, 400, '{"message":"image 0 could not be decoded"}'
    ),
    "A provider fails.": provider_error(400, 502, {"detail": "upstream connect error"}),
    "The request is too large.": error(413, "Request Entity Too Large"),
    "Too many requests; the service says how long to wait.": error(
        429, "Rate limit exceeded", retry_after=60
    ),
    "The daily limit of a `:free` model is reached.": Reply(
        status=429,
        headers={"Date": f"{NOW:%a, %d %b %Y %H:%M:%S} GMT", "X-RateLimit-Reset": RESET},
        body={"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-day."}},
    ),
    "Preferences exclude all providers.": Reply(
        status=503,
        body={
            "error": {
                "code": 503,
                "message": "No allowed providers are available",
                "availability": UNAVAILABLE,
            }
        },
    ),
    "OpenRouter's edge network waits no longer.": Reply(
        status=524, body="<html><title>524: A timeout occurred</title></html>"
    ),
    "A gateway has no such endpoint.": Reply(status=404, body={"detail": "Not Found"}),
    "`base_url` leads to a web page.": Reply(body="<html><title>Welcome</title></html>"),
    "`base_url` is redirected.": Fault.redirect("https://www.example.com/api/v1/rerank", 301),
    "The response is not a ranking.": Reply(body={"message": "model is loading"}),
    "The response does not rank all documents.": Reply(
        body={"results": [{"index": 0, "relevance_score": 0.5}]}
    ),
    "A gateway compresses the response.": Reply(headers={"Content-Encoding": "gzip"}, body=b"x"),
    "The server closes the connection.": Fault.close(),
    "The response is larger than any ranking.": Fault.huge_body(4 << 20),
}
"""Situations in which the service replies; a call with these documents, without a retry."""

MODELS = {"The model does not exist.": "cohere/rerank-v3.6"}


def set_variable(resources, name, value):
    """Set a variable of the environment until the test ends."""
    resources.enter_context(pytest.MonkeyPatch.context()).setenv(name, value)


def refused(client, stage, resources):
    """Nothing listens at the address."""
    return client(base_url=resources.enter_context(refusing_address()))


def no_descriptors(client, stage, resources):
    """No more files and sockets may be opened than are open now."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    # This opens the event loop.
    client(base_url=stage.base_url).close()
    new_client = client(base_url=stage.base_url)
    next_descriptor = os.dup(0)
    os.close(next_descriptor)
    resources.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_descriptor, before[1]))
    return new_client


def proxy_refused(client, stage, resources):
    """Nothing listens at the address of the proxy, whose URL has a password."""
    address = urlsplit(resources.enter_context(refusing_address())).netloc
    set_variable(resources, "HTTPS_PROXY", f"http://user:secret@{address}")
    return client(base_url="https://openrouter.ai/api/v1")


def proxy_without_login(client, stage, resources):
    """The proxy wants a user name and a password."""
    stage.always(Reply(status=407))
    set_variable(resources, "HTTPS_PROXY", stage.base_url.removesuffix("/api/v1"))
    return client(base_url="https://openrouter.ai/api/v1")


def late_response(client, stage, resources):
    """The server reads the request and sends nothing."""
    stage.always(Fault.hang())
    return client(timeout=0.3)


def late_body(client, stage, resources):
    """The server sends the head of a response and then its body too slowly."""
    stage.always(Fault.drip_body(0.1))
    return client(timeout=0.3)


def untrusted(client, stage, resources):
    """The certificate of the server is from a private authority."""
    tls = resources.enter_context(Stage(tls=authority_and_server_context()[1]))
    return client(base_url=tls.base_url)


def no_permission(client, stage, resources):
    """The rate limiter permits no request for the next minute."""
    limiter = WindowRateLimiter(1)
    limiter.acquire()
    return client(timeout=0.3, rate_limiter=limiter)


class FailingLimiter(RateLimiter):
    """A rate limiter whose database cannot be reached."""

    def acquire(self, *, blocking=True):
        """Fail."""
        raise OSError("redis://user:secret@host")

    async def aacquire(self, *, blocking=True):
        """Fail."""
        raise OSError("redis://user:secret@host")


def failing_limiter(client, stage, resources):
    """The rate limiter raises an exception."""
    return client(rate_limiter=FailingLimiter())


def spent_budget(client, stage, resources):
    """The budget has been spent by an earlier call."""
    return client(budget=0)


def budget_spent_by_the_call(client, stage, resources):
    """An error response costs more than the budget, so the request is not repeated."""
    body = {"error": {"code": 503, "message": "busy"}, "usage": {"cost": 0.002}}
    stage.always(Reply(status=503, body=body, headers={"retry-after": "0"}))
    return client(budget=0.001, max_retries=1)


def closed(client, stage, resources):
    """The client was closed before the call."""
    caller = client()
    caller.close()
    return caller


def bad_proxy(client, stage, resources):
    """The password in the URL of the proxy has a character that must be written in another way."""
    set_variable(resources, "HTTPS_PROXY", "http://user:pass#word@proxy.example:8080")
    return client(base_url="https://openrouter.ai/api/v1")


def bad_certificates(client, stage, resources):
    """The file with the certificates contains something else."""
    set_variable(resources, "SSL_CERT_FILE", __file__)
    return client(base_url="https://openrouter.ai/api/v1")


SETUPS = {
    "The `budget` is spent.": spent_budget,
    "A call needs another request after it has spent the `budget`.": budget_spent_by_the_call,
    "The client was closed.": closed,
    "The value of `HTTPS_PROXY` is not the URL of a proxy.": bad_proxy,
    "`SSL_CERT_FILE` names something else.": bad_certificates,
    "No server listens at `base_url`.": refused,
    "The process may not open another socket.": no_descriptors,
    "No proxy listens at the address in `HTTPS_PROXY`.": proxy_refused,
    "The proxy wants another user name or password.": proxy_without_login,
    "The certificate of the server is not trusted.": untrusted,
    "No response comes within `timeout`.": late_response,
    "The response does not end within `timeout`.": late_body,
    "The rate limiter does not permit the request within `timeout`.": no_permission,
    "The rate limiter fails.": failing_limiter,
}
"""Situations that need more than a reply: functions that prepare them and make the client."""
