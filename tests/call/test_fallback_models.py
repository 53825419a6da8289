"""The fallback models of a call: when they are used, and how they share the time."""

import pytest
from openrouter_rerank.errors import (
    APIConnectionError,
    APIStatusError,
    BadRequestError,
    InvalidResponseError,
    NotFoundError,
    PaymentRequiredError,
    ServiceUnavailableError,
    UnauthorizedError,
)
from openrouter_rerank.ranking import Ranking

from tests.call.scripted_call import DEADLINE, LOST, NO_RANKING, OK, UNTRUSTED, ScriptedCall, status


@pytest.mark.parametrize(
    ("replies", "models", "outcome"),
    [
        pytest.param([OK], "a", Ranking, id="not needed"),
        pytest.param([status(404), OK], "ab", Ranking, id="404"),
        pytest.param([status(429, "60"), OK], "ab", Ranking, id="429 for too long"),
        pytest.param([status(503)] * 3 + [OK], "aaab", Ranking, id="503"),
        pytest.param([LOST, LOST, OK], "aab", Ranking, id="lost"),
        pytest.param([NO_RANKING] * 2 + [OK], "aab", Ranking, id="no ranking"),
        pytest.param([(6.0, DEADLINE), OK], "ab", Ranking, id="share of the time used up"),
        pytest.param([status(404)] * 3, "abc", NotFoundError, id="no model available"),
        pytest.param([LOST] * 6, "aabbcc", APIConnectionError, id="two billed attempts each"),
        pytest.param([status(400)], "a", BadRequestError, id="400"),
        pytest.param([status(401)], "a", UnauthorizedError, id="401"),
        pytest.param([status(402)], "a", PaymentRequiredError, id="402"),
        pytest.param([status(403)], "a", APIStatusError, id="403"),
        pytest.param([status(413)], "a", APIStatusError, id="413"),
        pytest.param([status(422)], "a", APIStatusError, id="422"),
        pytest.param([status(307)], "a", InvalidResponseError, id="redirect"),
        pytest.param([UNTRUSTED], "a", APIConnectionError, id="certificate"),
        pytest.param([status(404), status(401)], "ab", UnauthorizedError, id="404, 401"),
    ],
)
def test_fallback_models(replies, models, outcome):
    """A fallback model is used after a failure of the service, not after the caller's mistake."""
    call = ScriptedCall(*replies, models=("a", "b", "c"))

    assert isinstance(call.outcome, outcome)
    assert "".join(call.models) == models
    assert call.outcome.attempts == len(models)
    assert call.outcome.model == models[-1]


def test_fallback_models_share_one_deadline():
    """Each model gets three fifths of the remaining time, and the last model all of it."""
    call = ScriptedCall(
        (1.0, status(404)), (1.0, status(404)), (1.0, status(404)), models=("a", "b", "c")
    )

    assert call.timeouts == [6.0, 5.4, 8.0]


def test_a_retry_after_beyond_the_share_of_a_model_is_not_awaited():
    """If `Retry-After` exceeds the model's share of the time, the fallback model is used."""
    call = ScriptedCall(status(429, "7"), OK, models=("a", "b"))

    assert (call.delays, call.models) == ([0, 0], ["a", "b"])


def test_a_fallback_model_without_time_is_not_requested():
    """If a model has used up the time, its error is raised and no fallback model is used."""
    call = ScriptedCall((11.0, status(503)), models=("a", "b"))

    assert isinstance(call.outcome, ServiceUnavailableError)
    assert call.models == ["a"]


def test_the_error_of_an_earlier_model_is_raised_instead_of_a_timeout():
    """The first model's 404 is raised, not the timeout of the last model."""
    call = ScriptedCall(status(404), (10.0, DEADLINE), models=("a", "b"))

    assert isinstance(call.outcome, NotFoundError)
    assert call.outcome.attempts == 2
