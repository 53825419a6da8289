"""Promise: a failed call keeps the input order only if the user chose so, and logs a warning."""

import logging

import pytest
from openrouter_rerank import errors
from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.local.stage import Fault, Reply, error
from openrouter_rerank.reranker import Placed, Reranker

from tests.clients import OWN_CONNECTIONS
from tests.error_causes import ERROR_OPTIONS, ERROR_REPLIES, error_names, timeout_for

CONTENTS = ["a", "", "b", "c"]
TEMPORARY = {
    "APIConnectionError",
    "APIStatusError",
    "BadGatewayError",
    "DeadlineExceededError",
    "EdgeNetworkTimeoutError",
    "GatewayTimeoutError",
    "InternalServerError",
    "InvalidResponseError",
    "ProviderOverloadedError",
    "RequestTimeoutError",
    "ServiceUnavailableError",
    "TooManyRequestsError",
}


def test_every_error_class_has_a_cause():
    """Each error class has a cause in `tests.error_causes`, so new classes are tested too."""
    assert error_names() == ERROR_REPLIES.keys() | ERROR_OPTIONS.keys()


@pytest.fixture
def make_reranker(stage):
    """A function that makes a reranker for the stage, without retries."""

    def make(**options):
        return Reranker(
            **{
                "base_url": stage.base_url,
                "api_key": stage.api_key,
                "timeout": 20,
                "max_retries": 0,
            }
            | options
        )

    return make


@pytest.fixture(params=["sync", "async"])
async def place(request):
    """A coroutine function that calls `place` or `aplace` of a reranker."""

    async def call(reranker, query, contents):
        if request.param == "sync":
            return reranker.place(query, contents)
        return await reranker.aplace(query, contents)

    return call


@pytest.mark.parametrize("name", ERROR_REPLIES)
async def test_failures_are_raised_by_default(make_reranker, place, stage, name):
    """By default every failure is raised as its error class."""
    stage.always(ERROR_REPLIES[name])

    with pytest.raises(OpenRouterRerankError) as caught:
        await place(make_reranker(timeout=timeout_for(name)), "q", CONTENTS)

    assert type(caught.value).__name__ == name


@pytest.mark.parametrize("name", ERROR_REPLIES)
async def test_passthrough_keeps_the_input_order_on_temporary_failures(
    make_reranker, place, stage, caplog, name
):
    """With `passthrough`, temporary failures keep the input order, limited to `top_n`, and log."""
    stage.always(ERROR_REPLIES[name])
    reranker = make_reranker(on_error="passthrough", top_n=3, timeout=timeout_for(name))

    if name not in TEMPORARY:
        with pytest.raises(getattr(errors, name)):
            await place(reranker, "q", CONTENTS)
        return
    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        placement = await place(reranker, "q", CONTENTS)

    assert placement.order == tuple(Placed(index, None) for index in range(3))
    assert type(placement.error).__name__ == name
    assert placement.ranking is None
    (record,) = failures(caplog)
    assert record.levelno == logging.WARNING
    assert name in record.getMessage()


def failures(caplog):
    """Return what was logged about failures."""
    return [each for each in caplog.records if "reranking failed" in each.getMessage()]


@pytest.mark.parametrize("name", ERROR_REPLIES)
async def test_passthrough_all_keeps_the_input_order_on_every_failure(
    make_reranker, place, stage, caplog, name
):
    """With `passthrough_all`, every failure keeps the input order; each lasting one is an error."""
    stage.always(ERROR_REPLIES[name])
    reranker = make_reranker(on_error="passthrough_all", top_n=3, timeout=timeout_for(name))

    placements = [await place(reranker, "q", CONTENTS) for _ in range(2)]

    for placement in placements:
        assert placement.order == tuple(Placed(index, None) for index in range(3))
        assert type(placement.error).__name__ == name
    level = "WARNING" if name in TEMPORARY else "ERROR"
    assert [record.levelname for record in failures(caplog)] == [level] * 2


async def test_passthrough_all_covers_the_budget(make_reranker, place, stage, caplog):
    """With `passthrough_all`, a spent budget keeps the input order and logs an error."""
    reranker = make_reranker(on_error="passthrough_all", budget=0)

    placement = await place(reranker, "q", CONTENTS)

    assert placement.order == tuple(Placed(index, None) for index in range(4))
    assert type(placement.error).__name__ == "BudgetExceededError"
    assert [record.levelname for record in failures(caplog)] == ["ERROR"]
    assert stage.requests == []


async def test_passthrough_all_covers_what_is_wrong_with_the_connection(
    make_reranker, place, stage, caplog
):
    """With `passthrough_all`, a redirect and a web page keep the order."""
    stage.script(Fault.redirect("https://elsewhere.example/", 301), Reply(body="<html></html>"))
    reranker = make_reranker(on_error="passthrough_all")

    placements = [await place(reranker, "q", CONTENTS) for _ in range(2)]

    assert {type(placement.error).__name__ for placement in placements} == {"InvalidResponseError"}
    assert [record.levelname for record in failures(caplog)] == ["ERROR"] * 2


@pytest.mark.parametrize("on_error", ["passthrough", "passthrough_all"])
@pytest.mark.parametrize(
    ("options", "error_name"),
    [
        ({"api_key": None}, "ConfigurationError"),
        ({"session_id": "a\nb"}, "ConfigurationError"),
        ({"unscorable": "raise"}, "InvalidRequestError"),
    ],
)
async def test_passthrough_raises_errors_of_the_user(
    make_reranker, place, stage, monkeypatch, *, on_error, options, error_name
):
    """A missing key and an invalid argument raise, even with `passthrough`."""
    monkeypatch.delenv("OPENROUTER_API_KEY")

    with pytest.raises(getattr(errors, error_name)):
        await place(make_reranker(on_error=on_error, **options), "q", CONTENTS)

    assert stage.requests == []


@pytest.mark.parametrize("query", [5, None, ["q"]])
async def test_passthrough_all_raises_programming_mistakes(make_reranker, place, stage, query):
    """A query of a wrong type raises, even with `passthrough_all`."""
    with pytest.raises(errors.InvalidRequestError, match=r"^query must be a string"):
        await place(make_reranker(on_error="passthrough_all"), query, ["a"])

    assert stage.requests == []


async def test_passthrough_does_not_cover_the_budget(make_reranker, place, stage):
    """With `passthrough`, a spent budget raises."""
    with pytest.raises(errors.BudgetExceededError):
        await place(make_reranker(on_error="passthrough", budget=0), "q", CONTENTS)

    assert stage.requests == []


async def test_a_successful_call_logs_no_failure(make_reranker, place, caplog):
    """With `passthrough`, a successful call has a ranking and logs no failure."""
    placement = await place(make_reranker(on_error="passthrough", timeout=5), "b", CONTENTS)

    assert placement.order == (Placed(2, 1.0), Placed(0, 0.0), Placed(3, 0.0), Placed(1, None))
    assert placement.error is None
    assert placement.ranking.attempts == 1
    assert failures(caplog) == []


@pytest.mark.parametrize(("query", "contents"), [(" ", CONTENTS), ("q", []), ("q", ["", " "])])
async def test_a_call_with_nothing_to_rank_keeps_the_input_order(
    make_reranker, place, stage, query, contents
):
    """A blank query, or no document to rank, keeps the input order and sends no request."""
    placement = await place(make_reranker(top_n=3), query, contents)

    assert placement.order == tuple(Placed(index, None) for index in range(min(3, len(contents))))
    assert (placement.ranking, placement.error, stage.requests) == (None, None, [])


@OWN_CONNECTIONS
def test_a_client_always_raises(make_client, stage):
    """A client has no `passthrough`, so it raises the error."""
    stage.always(error(503, "down"))

    with pytest.raises(errors.ServiceUnavailableError):
        make_client(max_retries=0).rerank("q", ["a"])
