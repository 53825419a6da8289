"""Promise: degradation is chosen and visible."""

import logging

import pytest
from openrouter_rerank import errors
from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.local.stage import error
from openrouter_rerank.reranker import Placed, Reranker

from tests.clients import OWN
from tests.error_tree import LINES, LOCAL, timeout_for, tree

CONTENTS = ["a", "", "b", "c"]
PASSING = {
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


def test_every_error_of_the_tree_has_a_row():
    """An error class that is added is decided about here."""
    assert tree() == LINES.keys() | LOCAL.keys()


@pytest.fixture
def reranker(stage):
    """Makes rerankers of the stage that give up quickly."""

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
    """Places documents with a reranker, by either method."""

    async def call(reranker, query, contents):
        if request.param == "sync":
            return reranker.place(query, contents)
        return await reranker.aplace(query, contents)

    return call


@pytest.mark.parametrize("name", LINES)
async def test_failures_are_raised_unless_chosen_otherwise(reranker, place, stage, name):
    """By default every failure is raised as its class."""
    stage.always(LINES[name])

    with pytest.raises(OpenRouterRerankError) as caught:
        await place(reranker(timeout=timeout_for(name)), "q", CONTENTS)

    assert type(caught.value).__name__ == name


@pytest.mark.parametrize("name", LINES)
async def test_what_passes_through(reranker, place, stage, caplog, name):
    """With `passthrough` what may pass keeps the input's order, cut, and says so; others raise."""
    stage.always(LINES[name])
    chosen = reranker(on_error="passthrough", top_n=3, timeout=timeout_for(name))

    if name not in PASSING:
        with pytest.raises(getattr(errors, name)):
            await place(chosen, "q", CONTENTS)
        return
    with caplog.at_level(logging.WARNING, "openrouter_rerank"):
        placement = await place(chosen, "q", CONTENTS)

    assert placement.order == tuple(Placed(index, None) for index in range(3))
    assert type(placement.error).__name__ == name
    assert placement.ranking is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert name in record.getMessage()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"api_key": None}, "ConfigurationError"),
        ({"session_id": "a\nb"}, "InvalidRequestError"),
        ({"unscorable": "raise"}, "InvalidRequestError"),
        ({"budget": 0}, "BudgetExceededError"),
    ],
)
async def test_your_own_mistake_never_passes_through(reranker, place, stage, changes, kind):
    """A wrong key, argument or a spent budget is raised, whatever was chosen for failures."""
    with pytest.raises(getattr(errors, kind)):
        await place(reranker(on_error="passthrough", **changes), "q", CONTENTS)

    assert stage.requests == []


async def test_success_is_no_degradation(reranker, place, caplog):
    """A call that succeeds is not warned of, and has its ranking."""
    placement = await place(reranker(on_error="passthrough", timeout=5), "b", CONTENTS)

    assert placement.order == (Placed(2, 1.0), Placed(0, 0.0), Placed(3, 0.0), Placed(1, None))
    assert placement.error is None
    assert placement.ranking.attempts == 1
    assert caplog.records == []


@pytest.mark.parametrize(("query", "contents"), [(" ", CONTENTS), ("q", []), ("q", ["", " "])])
async def test_nothing_to_ask_is_no_failure(reranker, place, stage, query, contents):
    """A blank query, or nothing to rank, keeps the input's order without asking anyone."""
    placement = await place(reranker(top_n=3), query, contents)

    assert placement.order == tuple(Placed(at, None) for at in range(min(3, len(contents))))
    assert (placement.ranking, placement.error, stage.requests) == (None, None, [])


@OWN
def test_the_client_itself_never_degrades(make, stage):
    """The plain client raises: only a reranker has an order to fall back to."""
    stage.always(error(503, "down"))

    with pytest.raises(errors.ServiceUnavailableError):
        make(max_retries=0).rerank("q", ["a"])
