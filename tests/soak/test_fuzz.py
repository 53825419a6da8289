"""The fuzzer with 20,000 responses. `make fuzz` decodes a million."""

import math
import random
from dataclasses import replace

import pytest
from openrouter_rerank import RankedDocument, Ranking
from openrouter_rerank.errors import InvalidResponseError
from openrouter_rerank.ranking import AnsweredRequest, Usage

from tests.soak.fuzz import cases, flaw, fuzz, loaded, outcome_of, saved
from tests.soak.mutation import exchange, generated, recorded

REQUEST = exchange(b"", documents=3, results=2).request
ANSWERED = AnsweredRequest(id=None, served_model=None, provider=None, usage=Usage(cost=0.1))
RANKING = Ranking(
    results=(RankedDocument(2, 0.5), RankedDocument(0, 0.5)), model="m", requests=(ANSWERED,)
)


def test_damaged_responses_are_rankings_or_typed_errors():
    """Each of 20,000 damaged responses is decoded to a valid ranking or to a typed error."""
    outcomes, failures = fuzz(seed=20_000, count=20_000)

    assert [wrong for wrong, _ in failures] == []
    assert outcomes.total() == 20_000
    assert outcomes["Ranking"] > 2_000
    assert outcomes["InvalidResponseError"] > 2_000
    assert len(outcomes) > 15


def test_undamaged_responses_are_rankings():
    """Each generated response is a ranking before it is damaged."""
    outcomes = [outcome_of(case) for case in generated(random.Random(1), 200)]

    assert {(type(outcome), wrong) for outcome, wrong in outcomes} == {(Ranking, None)}
    assert len(list(recorded())) == 12


def test_the_same_seed_gives_the_same_responses():
    """A run can be repeated with its seed."""
    assert list(cases(3, 200)) == list(cases(3, 200)) != list(cases(4, 200))


def rows(*pairs):
    """Return the ranking with other results."""
    return replace(RANKING, results=tuple(RankedDocument(*pair) for pair in pairs))


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        pytest.param(None, "neither", id="nothing"),
        pytest.param(ValueError("no"), "neither", id="an untyped error"),
        pytest.param(rows((0, 0.5)), "1 results", id="too few"),
        pytest.param(rows((0, 0.5), (1, 0.4), (2, 0.3)), "3 results", id="too many"),
        pytest.param(rows((1, 0.5), (1, 0.5)), "no permutation", id="one twice"),
        pytest.param(rows((0, 0.5), (3, 0.5)), "no permutation", id="one invented"),
        pytest.param(rows((0, 0.5), (-1, 0.5)), "no permutation", id="one negative"),
        pytest.param(rows((0, math.nan), (1, 0.5)), "no finite", id="NaN"),
        pytest.param(rows((0, math.inf), (1, 0.5)), "no finite", id="infinite"),
        pytest.param(rows((0, True), (1, 0.5)), "no finite", id="boolean"),
        pytest.param(rows((0, 0.1), (1, 0.5)), "not in order", id="unsorted"),
        pytest.param(rows((1, 0.5), (0, 0.5)), "not in order", id="tie out of order"),
        pytest.param(InvalidResponseError("a\nb"), "log line", id="line break"),
        pytest.param(InvalidResponseError("x", retry_after=-1.0), "retry_after", id="negative"),
        pytest.param(InvalidResponseError("x", retry_after=math.nan), "retry_after", id="NaN wait"),
        pytest.param(
            replace(
                rows((0, 0.5), (1, 0.5)), requests=(replace(ANSWERED, usage=Usage(cost=math.nan)),)
            ),
            "cost",
            id="NaN cost",
        ),
    ],
)
def test_the_fuzzer_finds_each_flaw(outcome, word):
    """Each kind of outcome that breaks the promise has a flaw, and the flaw is named."""
    assert word in flaw(outcome, REQUEST)


@pytest.mark.parametrize("outcome", [rows((0, 0.5), (2, 0.5)), InvalidResponseError("no")])
def test_the_fuzzer_accepts_valid_outcomes(outcome):
    """A valid ranking and a typed error have no flaw."""
    assert flaw(outcome, REQUEST) is None


def test_an_exception_is_reported_and_can_be_replayed(tmp_path):
    """If the decoder raises, the fuzzer reports it and saves the response."""

    def naive(response, request):
        raise KeyError(response.status)

    outcomes, failures = fuzz(seed=1, count=50, decode=naive)
    wrong, case = failures[7]

    assert outcomes == {"KeyError": 50}
    assert wrong == "KeyError escaped"
    again = loaded(saved(wrong, case, 7, folder=tmp_path))
    assert again.response.body == case.response.body
    assert (again.response.status, again.response.headers) == (
        case.response.status,
        case.response.headers,
    )
    assert (again.request.documents, again.request.results) == (
        case.request.documents,
        case.request.results,
    )
