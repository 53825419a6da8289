"""The last sentences of the message of an error response: what to do."""

import pytest

from tests.error_responses import error_for

CHECK_CALL = "Check the documents and the options of the call."
CHECK_BASE_URL = "Check base_url: no rerank endpoint answers at its URL."
LIMIT = "lower max_concurrency, or set rate_limiter."


def advice_of(body=b"", **response):
    """Return what follows the place in the message of the error."""
    return error_for(body, **response).message.partition("). ")[2]


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (200, "Retry later, or set fallback_models."),
        (400, CHECK_CALL),
        (401, "Check OPENROUTER_API_KEY or api_key (keys: openrouter.ai/keys)."),
        (402, "Add credits (openrouter.ai/credits), or raise the limit of the key."),
        (
            403,
            "Check what the key may do and spend (openrouter.ai/keys), and the privacy settings.",
        ),
        (404, "Check model and provider."),
        (408, "Retry later, or set fallback_models."),
        (410, CHECK_CALL),
        (413, "Set max_documents_per_request, or shorten the documents."),
        (422, CHECK_CALL),
        (429, f"Retry later, {LIMIT}"),
        (499, CHECK_CALL),
        (500, "Retry later, or set fallback_models."),
        (503, "Retry later, or set fallback_models."),
    ],
)
def test_what_to_do_about_a_status(status, advice):
    """The message ends with what to do about the status."""
    assert advice_of({"error": {"message": "reason"}}, status=status) == advice


@pytest.mark.parametrize(
    ("status", "retry_after", "advice"),
    [
        pytest.param(429, "1.5", f"Retry after 2 s, {LIMIT}", id="limit of a minute"),
        pytest.param(429, "120", f"Retry after 120 s, {LIMIT}", id="longest limit of a minute"),
        pytest.param(429, "121", "Retry after 121 s, or set fallback_models.", id="of a day"),
        pytest.param(503, "0", "Retry after 0 s, or set fallback_models.", id="no wait"),
        pytest.param(503, "9999999", "Retry after 9999999 s, or set fallback_models.", id="long"),
        pytest.param(503, "10000000", "Retry later, or set fallback_models.", id="too long"),
    ],
)
def test_the_time_that_the_server_asks_to_wait_is_shown(status, retry_after, advice):
    """The message names the seconds to wait, unless they are certainly a mistake."""
    headers = {"retry-after": retry_after}

    assert advice_of({"error": "reason"}, status=status, headers=headers) == advice


def test_a_list_of_models_has_no_fallback_model():
    """If the request named no model, the message does not advise a fallback model."""
    assert advice_of({"error": "reason"}, status=503, model="") == "Retry later."


@pytest.mark.parametrize(
    ("status", "body", "content_type", "advice"),
    [
        pytest.param(404, b"", "", CHECK_BASE_URL, id="nothing found"),
        pytest.param(405, b"", "", CHECK_BASE_URL, id="method not allowed"),
        pytest.param(400, b"", "", CHECK_CALL, id="no page"),
        pytest.param(403, b"", "Text/HTML", CHECK_BASE_URL, id="page by its type"),
        pytest.param(403, b" \n<p>", "", CHECK_BASE_URL, id="page by its content"),
        pytest.param(403, b" " * 64 + b"<p>", "", None, id="no page at its beginning"),
        pytest.param(422, b"<p>", "", CHECK_CALL, id="page with another status"),
        pytest.param(503, b"<p>", "", "Retry later, or set fallback_models.", id="temporary"),
        pytest.param(
            404,
            b'{"error":""}',
            "text/html",
            "Check model and provider.",
            id="error of the service",
        ),
    ],
)
def test_a_response_of_another_service_is_about_the_base_url(status, body, content_type, advice):
    """A page or a missing URL is about `base_url`, unless the body has an `error`."""
    found = advice_of(body, status=status, headers={"content-type": content_type})

    assert found == advice if advice else found != CHECK_BASE_URL


def test_the_base_url_is_shown():
    """The advice about `base_url` names the URL of the response."""
    advice = advice_of(status=404, url="https://host/v1/rerank")

    assert advice == "Check base_url: no rerank endpoint answers at https://host/v1/rerank."


@pytest.mark.parametrize(
    ("status", "model", "message", "advice"),
    [
        pytest.param(
            400,
            "cohere/rerank-v3.6",
            "Unknown Model",
            "Did you mean 'cohere/rerank-v3.5'? RerankClient.models() lists the models.",
            id="typo",
        ),
        pytest.param(
            404,
            "cohere/rerank-v3.6",
            "cohere/rerank-v3.6 is unknown",
            "Did you mean 'cohere/rerank-v3.5'? RerankClient.models() lists the models.",
            id="message with the name alone",
        ),
        pytest.param(
            400,
            "a/b",
            "no such model",
            "Check model: RerankClient.models() lists the models.",
            id="no similar name",
        ),
        pytest.param(
            404, "a/b", "no such model", "Check model and provider.", id="no similar name, 404"
        ),
        pytest.param(
            400,
            "cohere/rerank-v3.5",
            "no such model",
            "Check model: RerankClient.models() lists the models.",
            id="listed",
        ),
        pytest.param(400, "cohere/rerank-v3.6", "no text", CHECK_CALL, id="about something else"),
        pytest.param(422, "cohere/rerank-v3.6", "no such model", CHECK_CALL, id="other status"),
        pytest.param(
            400,
            "cohere/rerank-v3.6" + "x" * 83,
            "no such model",
            "Check model: RerankClient.models() lists the models.",
            id="too long to be similar",
        ),
    ],
)
def test_what_to_do_about_the_name_of_a_model(status, model, message, advice):
    """If the message is about the model, the most similar name is shown, if there is one."""
    assert advice_of({"error": {"message": message}}, status=status, model=model) == advice


@pytest.mark.parametrize(
    ("availability", "advice"),
    [
        pytest.param({"excluded_by": ["a", "b"]}, "Providers were excluded by a, b.", id="two"),
        pytest.param({"excluded_by": "a"}, "Providers were excluded by a.", id="one"),
        pytest.param({"fallback_models": ["a/b"]}, "Set fallback_models=['a/b'].", id="models"),
        pytest.param({"docs_url": "https://a"}, "See https://a", id="page"),
        pytest.param(
            {"docs_url": "https://a", "excluded_by": "a", "fallback_models": ["a/b", 5, "c/d"]},
            "Providers were excluded by a. Set fallback_models=['a/b', 'c/d']. See https://a",
            id="all",
        ),
        pytest.param(
            {"excluded_by": ["x" * 101, *"bcdef"]},
            f"Providers were excluded by {'x' * 100}, b, c, d, e.",
            id="at most five, of 100 characters",
        ),
        pytest.param({"excluded_by": [5]}, "Retry later, or set fallback_models.", id="no text"),
    ],
)
def test_what_to_do_if_no_provider_serves_the_request(availability, advice):
    """The message says why no provider serves the request, and what the service advises."""
    body = {"error": {"message": "reason", "availability": availability}}

    assert advice_of(body) == advice
