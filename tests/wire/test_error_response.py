"""The error of a response: its class, status and message, from any bytes."""

import pytest
from openrouter_rerank import errors
from openrouter_rerank.errors import APIStatusError

from tests.error_responses import error_for

BY_STATUS = {
    400: errors.BadRequestError,
    401: errors.UnauthorizedError,
    402: errors.PaymentRequiredError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    408: errors.RequestTimeoutError,
    413: errors.PayloadTooLargeError,
    422: errors.UnprocessableEntityError,
    429: errors.TooManyRequestsError,
    500: errors.InternalServerError,
    502: errors.BadGatewayError,
    503: errors.ServiceUnavailableError,
    504: errors.GatewayTimeoutError,
    524: errors.EdgeNetworkTimeoutError,
    529: errors.ProviderOverloadedError,
}
BODIES = [
    pytest.param(b'{"error":{"code":1,"message":"reason"},"user_id":"u"}', id="JSON"),
    pytest.param(b"<html><head><title>reason</title></head></html>", id="HTML"),
    pytest.param(b"", id="empty"),
    pytest.param(b'{"error":{"mess', id="malformed JSON"),
    pytest.param(b"\xff\xfe\x00", id="bytes"),
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("status", "error_class"), BY_STATUS.items())
def test_documented_statuses_have_their_own_error_class(status, error_class, body):
    """Each documented status has its own error class, with any body."""
    error = error_for(body, status=status)

    assert type(error) is error_class
    assert error.status_code == status
    assert f" (HTTP {status}, model the/slug). " in error.message


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(
    "status", [100, 199, 300, 405, 406, 409, 410, 418, 451, 499, 501, 505, 520, 599]
)
def test_other_statuses_are_an_api_status_error(status, body):
    """Any other status is an `APIStatusError`, which is retryable from 500 on."""
    error = error_for(body, status=status)

    assert type(error) is APIStatusError
    assert (error.status_code, error.retryable) == (status, status >= 500)


@pytest.mark.parametrize(
    ("code", "status", "retryable"),
    [
        pytest.param(400, 400, False, id="number"),
        pytest.param("401", 401, False, id="string"),
        pytest.param(429, 429, True, id="429"),
        pytest.param(502, 502, True, id="502"),
        pytest.param(599, 599, True, id="unlisted"),
        pytest.param(399, 200, True, id="redirect"),
        pytest.param(None, 200, True, id="null"),
        pytest.param("rate_limited", 200, True, id="word"),
        pytest.param("\u0664\u0660\u0660", 200, True, id="Arabic digits"),
        pytest.param("4000", 200, True, id="four digits"),
        pytest.param("0400", 200, True, id="leading zero"),
        pytest.param("abc", 200, True, id="three letters"),
        pytest.param(200, 200, True, id="success"),
        pytest.param(0, 200, True, id="zero"),
        pytest.param(-400, 200, True, id="negative"),
        pytest.param(600, 200, True, id="600"),
        pytest.param(10**30, 200, True, id="very large"),
        pytest.param(True, 200, True, id="boolean"),
        pytest.param(400.0, 200, True, id="decimal"),
        pytest.param([400], 200, True, id="list"),
    ],
)
def test_the_error_code_of_a_200_response_is_its_status(code, status, retryable):
    """In a 200 response, `error.code` is the status; without a valid code, it is retryable."""
    error = error_for({"error": {"code": code, "message": "reason"}}, status=200)

    assert type(error) is BY_STATUS.get(status, APIStatusError)
    assert (error.status_code, error.retryable) == (status, retryable)
    code = "" if status == 200 else f" with code {status}"
    assert error.message.startswith(f"reason (HTTP 200{code}, model the/slug). ")


@pytest.mark.parametrize("body", [{}, {"error": None}, {"results": []}, [], b"", b"<html>"])
def test_a_200_response_without_error_is_no_error(body):
    """A 200 response without `error` has no error."""
    assert error_for(body, status=200) is None


def test_an_error_string_in_a_200_response_is_retryable():
    """If `error` is a string, it is the message of a retryable error."""
    error = error_for({"error": "upstream went away"}, status=200)

    assert error.message.startswith("upstream went away (HTTP 200, model the/slug). Retry later")
    assert error.retryable


@pytest.mark.parametrize(
    ("status", "code", "error_class", "retryable"),
    [
        pytest.param(400, 502, errors.BadGatewayError, True, id="failure of a provider"),
        pytest.param(400, "503", errors.ServiceUnavailableError, True, id="code as string"),
        pytest.param(502, 400, errors.BadRequestError, False, id="refused by a provider"),
        pytest.param(500, 429, errors.TooManyRequestsError, True, id="rate limit of a provider"),
        pytest.param(400, 400, errors.BadRequestError, False, id="the same"),
        pytest.param(503, 1102, errors.ServiceUnavailableError, True, id="code of another kind"),
        pytest.param(400, 200, errors.BadRequestError, False, id="code of a success"),
    ],
)
def test_the_code_in_the_body_decides_over_the_status(status, code, error_class, retryable):
    """If `error.code` is a status of an error, it counts instead of that of the response."""
    error = error_for({"error": {"code": code, "message": "reason"}}, status=status)

    assert (type(error), error.retryable) == (error_class, retryable)


def test_the_http_status_of_a_failure_decides():
    """The status of a failed response decides the class, and the error keeps the server's code."""
    error = error_for({"error": {"code": "invalid_key", "message": "reason"}}, status=401)

    assert (type(error), error.code) == (errors.UnauthorizedError, "invalid_key")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({"error": {"message": " reason\n"}}, "reason", id="envelope"),
        pytest.param({"error": "reason"}, "reason", id="error as string"),
        pytest.param({"message": "reason"}, "reason", id="top-level message"),
        pytest.param({"detail": "reason"}, "reason", id="detail"),
        pytest.param({"error": {"message": ""}, "detail": "reason"}, "reason", id="blank message"),
        pytest.param({"detail": [{"msg": "reason"}, {"msg": "more"}]}, "reason; more", id="list"),
        pytest.param({"detail": {"error": "reason"}}, "reason", id="detail as object"),
        pytest.param({"errors": [{"message": "reason"}]}, "reason", id="errors"),
        pytest.param({"error_message": "reason"}, "reason", id="error_message"),
        pytest.param({"error": {"reason": "reason"}}, "reason", id="reason"),
        pytest.param({"error": {"message": 5}}, None, id="number as message"),
        pytest.param({"error": []}, None, id="list as error"),
        pytest.param(b"<TITLE> reason </TITLE>", "reason", id="HTML title"),
        pytest.param(b"</title><title>x", None, id="closing tag before title"),
        pytest.param(b"<title>reason", None, id="unclosed title"),
        pytest.param(b"<title></title>", None, id="empty title"),
        pytest.param(b" " * 5000 + b"<title>reason</title>", None, id="title after 5000 bytes"),
    ],
)
def test_the_message_of_an_error(body, message):
    """The error has the server's message, or a description of the response if there is none."""
    error = error_for(body, headers={"content-type": "text/html"})

    if message is None:
        assert error.message.startswith("the response has no message (text/html, ")
    else:
        assert error.message.startswith(message)


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({}, None),
        ({"x-request-id": "r", "x-generation-id": "g", "cf-ray": "c"}, "g"),
        ({"x-request-id": "r", "cf-ray": "c"}, "r"),
        ({"cf-ray": "c"}, "c"),
    ],
)
def test_the_request_id_of_an_error(headers, request_id):
    """The id is that of `x-generation-id`, which can be looked up, `x-request-id` or `cf-ray`."""
    assert error_for(headers=headers).request_id == request_id


@pytest.mark.parametrize(
    ("status", "model", "advice"),
    [
        pytest.param(400, "cohere/rerank-v3.6", "Did you mean 'cohere/rerank-v3.5'?", id="typo"),
        pytest.param(404, "voyageai/rerank-2.5", "Did you mean 'mongodb/rerank-2.5'?", id="old"),
        pytest.param(400, "a/b", "Check model: RerankClient.models() lists", id="unknown"),
        pytest.param(404, "cohere/rerank-v3.5", "Check model and provider.", id="listed"),
    ],
)
def test_the_advice_about_a_model(status, model, advice):
    """If the service does not know the model, the message names the closest listed one."""
    error = error_for({"error": {"message": "no such model"}}, status=status, model=model)

    assert f"model {model}). {advice}" in error.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_a_page_with_a_lasting_failure_is_about_the_base_url(status):
    """A web page with a lasting failure is not from OpenRouter: the message names `base_url`."""
    error = error_for(b"<title>Just a moment</title>", status=status)

    assert error.message.endswith("Check base_url: no rerank endpoint answers at its URL.")


def test_a_failure_in_any_success_is_like_one_in_a_200_response():
    """An error without a code in a response with another status of success has the status 200."""
    assert error_for({"error": "reason"}, status=201).status_code == 200
    assert error_for({}, status=299) is None


def test_the_message_names_host_and_model():
    """The message contains the host without path, and at most 100 characters of the model."""
    error = error_for({"error": "reason"}, url="https://host.test:8443/api", model="m" * 101)

    assert f"(HTTP 503 from host.test:8443, model {'m' * 100}). " in error.message
