"""Asking: order, resumption, depths, probes, failures, budgets and interruptions."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from openrouter_rerank import AsyncRerankClient
from openrouter_rerank.errors import (
    BadRequestError,
    ConfigurationError,
    PaymentRequiredError,
    UnauthorizedError,
)
from openrouter_rerank.evaluation.asking.asking import ask
from openrouter_rerank.evaluation.asking.caller import Caller
from openrouter_rerank.evaluation.asking.matrix import Matrix
from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.local.stage import Fault, Reply, error, scores, word_overlap

from tests.evaluation.small_collection import (
    MODELS,
    asked,
    scores_of,
    settings,
    small_collection,
)
from tests.held_replies import released_in_batches

TOO_LONG = error(400, "too long")


def sent(stage):
    """Return the model and the question of each request."""
    return [(request.model, request.query) for request in stage.requests]


def test_all_models_are_asked_one_question_before_the_next(stage, tmp_path):
    """With one request in flight, the models take turns, and the questions are shuffled."""
    asked(stage, tmp_path, small_collection(), settings(concurrency=1))

    questions = [question for _, question in sent(stage)[::2]]
    assert sent(stage) == [(model, question) for question in questions for model in MODELS]
    assert sorted(questions) == [f"text {each} word" for each in range(8)] != questions


def test_the_order_follows_from_the_seed(stage, tmp_path):
    """The same seed has the same order, and another seed has another one."""
    orders = []
    for number, seed in enumerate((0, 0, 1)):
        asked(stage, tmp_path / str(number), small_collection(), settings(concurrency=1, seed=seed))
        orders.append(sent(stage))
        stage.reset()

    assert orders[0] == orders[1] != orders[2]


def test_requests_are_in_flight_together(stage, tmp_path):
    """`concurrency` requests are in flight, until the first five questions end, and after them."""
    with released_in_batches(stage, 3, 3, 3, 1, 3, 3):
        asked(stage, tmp_path, small_collection(), settings(concurrency=3))


def test_nothing_that_is_kept_is_asked_again(stage, tmp_path):
    """A second run sends nothing, and has the same scores as the first."""
    chosen = settings(probes=3)
    first = asked(stage, tmp_path, small_collection(), chosen)
    count = len(stage.requests)
    second = asked(stage, tmp_path, small_collection(), chosen)

    assert count == len(stage.requests) == 8 * 2 + 3 * 2 * 2
    assert first == second
    assert len(first.calls) == count


def test_only_new_documents_are_sent_to_a_pointwise_model(stage, tmp_path):
    """At a larger depth, only the added documents are sent, and the costs are added up."""
    collection = small_collection(questions=5)
    asked(stage, tmp_path, collection, settings(depths=(4,)))
    stage.reset()
    found = asked(stage, tmp_path, collection, settings(depths=(4, 6)))

    assert {len(request.documents) for request in stage.requests} == {2}
    assert {len(call.scores) for call in found.calls} == {6}
    assert {call.cost for call in found.calls} == {0.002}


def test_a_smaller_depth_has_its_part_of_the_cost(stage, tmp_path):
    """If a kept call has more documents than needed, the cost of a call is their part."""
    collection = small_collection(questions=5)
    asked(stage, tmp_path, collection, settings(depths=(6,)))
    stage.reset()
    found = asked(stage, tmp_path, collection, settings(depths=(3,)))

    assert stage.requests == []
    assert {call.cost for call in found.calls} == {0.0005}


def test_a_list_of_a_listwise_model_has_no_kept_scores_for_another_list(stage, tmp_path):
    """If a model turned out to be listwise, it is asked for each new list of candidates."""
    stage.always(by_list)
    collection = small_collection(questions=5)
    chosen = settings(models=MODELS[:1], depths=(2, 4), probes=1)
    asked(stage, tmp_path, collection, chosen)
    chosen = replace(chosen, probes=0)
    found = asked(stage, tmp_path, collection, chosen)
    assert found.listwise == {MODELS[0]}
    assert len(found.calls) == 10

    stage.reset()
    stage.always(by_list)
    other = replace(
        collection, candidates={q: found[::-1] for q, found in collection.candidates.items()}
    )
    asked(stage, tmp_path, other, chosen)
    asked(stage, tmp_path, collection, chosen)

    assert len(stage.requests) == 10


def test_asked_and_replayed_depths_of_a_pointwise_model_agree(stage, tmp_path):
    """The probes of a pointwise model have exactly the scores at the largest depth."""
    found = asked(stage, tmp_path, small_collection(), settings(probes=8, depths=(1, 2, 3, 6)))

    full = {(c.model, c.question): c.scores for c in found.calls if c.kind == "score"}
    probes = [call for call in found.calls if call.kind == "probe"]
    assert len(probes) == 8 * 2 * 4
    assert found.listwise == frozenset()
    for probe in probes:
        replayed = full[probe.model, probe.question]
        assert dict(probe.scores) == {each: replayed[each] for each in probe.scores}
        assert len(probe.scores) == probe.depth


def by_list(request):
    """Reply with scores that depend on the number of documents."""
    count = len(request.documents)
    return scores(*(number / (count + 1) for number in range(count)))(request)


def test_a_model_whose_probes_differ_is_asked_at_each_depth(stage, tmp_path):
    """If a probe has other scores than at the largest depth, no depth is replayed."""
    stage.always(by_list)
    chosen = settings(models=MODELS[:1], probes=2, depths=(2, 6))
    found = asked(stage, tmp_path, small_collection(), chosen)

    assert found.listwise == {MODELS[0]}
    calls = [call for call in found.calls if call.kind == "score"]
    assert {(call.depth, len(call.scores)) for call in calls} == {(2, 2), (6, 6)}
    assert len(calls) == 16
    # Each of 8 questions at 2 depths, and 2 probes at 2 depths.
    assert len(stage.requests) == 20
    asked(stage, tmp_path, small_collection(), chosen)
    assert len(stage.requests) == 20


def test_a_model_whose_kept_scores_differ_is_never_replayed(stage, tmp_path):
    """Without probes too: the scores of different lists of documents are not mixed."""
    stage.always(by_list)
    first = settings(models=MODELS[:1], probes=2, depths=(2, 6))
    asked(stage, tmp_path, small_collection(), first)
    stage.reset()
    found = asked(stage, tmp_path, small_collection(), replace(first, probes=0))

    assert stage.requests == []
    assert found.listwise == {MODELS[0]}
    for call in found.calls:
        expected = [number / (call.depth + 1) for number in range(call.depth)]
        assert list(call.scores.values()) == pytest.approx(expected)


def test_kept_calls_without_all_scores_are_asked_again(stage, tmp_path):
    """If another program has removed scores from the file, what is missing is asked again."""
    chosen = settings(models=("local/lexical",), probes=1)
    complete = scores_of(asked(stage, tmp_path, small_collection(), chosen))
    with sqlite3.connect(tmp_path / "matrix.sqlite") as connection:
        connection.execute("DELETE FROM score WHERE call IN (1, 2)")
    connection.close()
    stage.reset()

    assert scores_of(asked(stage, tmp_path, small_collection(), chosen)) == complete
    assert len(stage.requests) == 2


def test_a_difference_within_the_tolerance_is_no_difference(stage, tmp_path):
    """Scores that differ by 0.0005 are those of a pointwise model."""
    stage.always(
        lambda request: scores(*[0.5 + len(request.documents) / 10_000] * len(request.documents))(
            request
        )
    )
    found = asked(stage, tmp_path, small_collection(), settings(probes=2, depths=(2, 6)))

    assert found.listwise == frozenset()


def test_probes_are_asked_alone(stage, tmp_path):
    """No other request is in flight when a probe is asked."""
    peaks = []

    def reply(request):
        if len(request.documents) < 6:
            peaks.append(stage.in_flight)
        return word_overlap(request)

    stage.always(reply)
    asked(stage, tmp_path, small_collection(), settings(probes=4, depths=(2, 4, 6)))

    assert peaks == [1] * 4 * 2 * 2


def test_blank_documents_are_not_sent(stage, tmp_path):
    """A blank document has no score, and a question with only blank ones is not asked."""
    collection = Collection(
        name="blank",
        questions={"a": "first", "b": "second", "c": "third"},
        documents={"1": "text", "2": " \n", "3": "other"},
        candidates={"a": ("1", "2", "3"), "b": ("2",), "c": ()},
    )
    found = asked(stage, tmp_path, collection, settings(models=MODELS[:1], depths=(3,), probes=3))

    assert [request.texts for request in stage.requests] == [["text", "other"]] * 2
    assert [(call.question, sorted(call.scores)) for call in found.calls] == [("a", ["1", "3"])] * 2


def test_questions_without_a_relevant_document_are_not_asked(stage, tmp_path):
    """If there are judgements, only questions that count are asked; a sample is of these."""
    collection = small_collection()
    judged = replace(collection, judgements={"q1": {"d1-0": 1}, "q2": {"d2-0": 0}})
    asked(stage, tmp_path, judged, settings())

    assert {question for _, question in sent(stage)} == {"text 1 word"}


def test_a_sample_grows(stage, tmp_path):
    """A larger sample contains the smaller one, so its answers are kept."""
    asked(stage, tmp_path, small_collection(), settings(questions=3))
    asked(stage, tmp_path, small_collection(), settings(questions=5))

    assert len(stage.requests) == len({*sent(stage)}) == 5 * 2


def test_each_list_of_candidates_is_asked_once(stage, tmp_path):
    """Depths at which a question has the same candidates are one call, at the smallest of them."""
    collection = small_collection(questions=2)
    short = replace(collection, candidates=collection.candidates | {"q0": ("d0-0", "d0-1", "d0-2")})
    stage.always(by_list)
    chosen = settings(models=MODELS[:1], depths=(2, 4, 6, 10, 100), probes=2)
    found = asked(stage, tmp_path, short, chosen)

    assert found.depths == (2, 4, 6, 10, 100)
    depths = {"q0": [2, 4], "q1": [2, 4, 6]}
    for kind in ("score", "probe"):
        assert {
            question: [c.depth for c in found.calls if (c.question, c.kind) == (question, kind)]
            for question in depths
        } == depths
    assert len(stage.requests) == 10


def test_a_collection_without_candidates_is_refused(stage, tmp_path):
    """Without any candidates, nothing is sent, and the error names the collection."""
    empty = replace(small_collection(), candidates={})
    with pytest.raises(ConfigurationError, match=r"^small: no question has candidates$"):
        asked(stage, tmp_path, empty, settings())


@pytest.mark.parametrize(
    ("options", "provider"),
    [
        ({}, {"sort": "price"}),
        ({"provider": {"only": ["cohere"]}}, {"only": ["cohere"]}),
        ({"provider": {}}, None),
    ],
)
def test_the_cheapest_provider_is_the_default(stage, tmp_path, options, provider):
    """Without provider preferences, the cheapest one is asked for; others are sent as given."""
    asked(stage, tmp_path, small_collection(), settings(questions=1), **options)

    assert [request.json.get("provider") for request in stage.requests] == [provider] * 2


def test_other_request_fields_have_other_scores(stage, tmp_path):
    """Scores under other provider preferences or extra fields are not those that are wanted."""
    for options in ({}, {"provider": {"only": ["x"]}}, {"extra_body": {"a": 1}}, {}):
        asked(stage, tmp_path, small_collection(), settings(questions=1), **options)

    assert len(stage.requests) == 3 * 2
    assert stage.requests[4].json["a"] == 1


def failing(*questions):
    """Return a function that replies with an error to these questions."""

    def answer(request):
        return TOO_LONG if request.query in questions else word_overlap(request)

    return answer


def test_a_failed_question_does_not_end_the_run(stage, tmp_path):
    """The error of a question is recorded, the others are answered, and a later run asks it."""
    stage.always(failing("text 3 word"))
    found = asked(stage, tmp_path, small_collection(), settings())

    assert {model: [*failed] for model, failed in found.failures.items()} == {
        model: ["q3"] for model in MODELS
    }
    assert "too long" in found.failures[MODELS[0]]["q3"]
    assert len(found.calls) == 7 * 2

    stage.reset()
    found = asked(stage, tmp_path, small_collection(), settings())
    assert [question for _, question in sent(stage)] == ["text 3 word"] * 2
    assert found.failures == {model: {} for model in MODELS}


def test_a_service_that_is_down_ends_the_run(stage, tmp_path):
    """After 20 failures in a row nothing more is sent, and the answers before them are there."""
    stage.script(*[word_overlap] * 30)
    stage.always(error(503, "down"))
    found = asked(stage, tmp_path, small_collection(questions=40), settings(concurrency=1))

    assert len(stage.requests) == 30 + 20
    assert len(found.calls) == 30
    assert sum(map(len, found.failures.values())) == 20


def test_a_failed_probe_is_no_failed_question(stage, tmp_path):
    """If only a probe fails, all scores of the question are there."""
    stage.always(
        lambda request: error(503, "busy") if len(request.documents) == 2 else word_overlap(request)
    )
    found = asked(stage, tmp_path, small_collection(), settings(probes=2))

    assert found.failures == {model: {} for model in MODELS}
    assert {call.depth for call in found.calls if call.kind == "probe"} == {6}


def test_a_request_that_succeeds_later_is_no_failure(stage, tmp_path):
    """If a model turns out to be asked at each depth, failed requests are made again."""
    refused = iter([TOO_LONG])

    def reply(request):
        failing = request.query == "text 3 word" and len(request.documents) == 6
        return (next(refused, None) if failing else None) or by_list(request)

    stage.always(reply)
    chosen = settings(models=MODELS[:1], probes=8, concurrency=1)
    found = asked(stage, tmp_path, small_collection(), chosen)

    assert next(refused, None) is None
    assert found.listwise == {MODELS[0]}
    assert found.failures == {MODELS[0]: {}}


def test_a_model_that_answers_none_of_the_first_questions_ends_the_run(stage, tmp_path):
    """A model that does not exist costs no more than the first five questions of the others."""

    def reply(request):
        return error(400, "Model a/b does not exist") if request.model == "a/b" else ok(request)

    ok = word_overlap
    stage.always(reply)
    with pytest.raises(BadRequestError, match="Model a/b does not exist"):
        asked(stage, tmp_path, small_collection(), settings(models=(MODELS[0], "a/b")))

    assert len(stage.requests) == 10


def test_a_service_that_never_answers_ends_the_run_with_its_error(stage, tmp_path):
    """If the first 20 calls fail, before all first questions were asked, the error is raised."""
    stage.always(error(400, "no such model"))
    models = tuple(f"local/{name}" for name in "abcde")
    with pytest.raises(BadRequestError, match="no such model"):
        asked(
            stage,
            tmp_path,
            small_collection(),
            settings(models=models, concurrency=1),
        )

    assert len(stage.requests) == 20


@pytest.mark.parametrize(
    ("status", "kind"), [(401, UnauthorizedError), (402, PaymentRequiredError)]
)
def test_an_error_of_the_account_ends_the_run(stage, tmp_path, status, kind):
    """A wrong key and missing credits end the run with their error; what was answered is kept."""
    stage.script(*[word_overlap] * 4)
    stage.always(error(status, "no"))
    with pytest.raises(kind):
        asked(stage, tmp_path, small_collection(), settings(concurrency=1))
    assert len(stage.requests) == 5

    stage.reset()
    asked(stage, tmp_path, small_collection(), settings(concurrency=1))
    assert len(stage.requests) == 12


def test_calls_in_flight_are_kept_when_another_ends_the_run(stage, tmp_path):
    """If one call fails with an error of the account, the answers of the others are kept."""

    def release():
        stage.wait_until(lambda: len(stage.requests) == 2 and stage.in_flight == 1, timeout=30)
        stage.release()

    stage.script(Fault.hang(), error(401, "no"))
    with ThreadPoolExecutor(1) as pool:
        releasing = pool.submit(release)
        with pytest.raises(UnauthorizedError):
            asked(stage, tmp_path, small_collection(), settings(concurrency=2))
        releasing.result()
    answered = sent(stage)[0]
    stage.reset()
    asked(stage, tmp_path, small_collection(), settings())

    assert answered not in sent(stage)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_spent_budget_ends_the_run(stage, tmp_path, concurrency):
    """No more is spent than the limit and the calls in flight; a later run goes on."""
    stage.always(lambda request: scores(*range(len(request.documents)), cost=0.01)(request))
    chosen = settings(concurrency=concurrency)
    found = asked(stage, tmp_path, small_collection(), chosen, limit=0.045)

    assert found.budget_is_spent
    assert 5 <= len(stage.requests) < 5 + concurrency
    assert sum(call.cost for call in found.calls) <= 0.045 + 0.01 * concurrency

    found = asked(stage, tmp_path, small_collection(), chosen, limit=1.0)
    assert not found.budget_is_spent
    assert len(stage.requests) == 16
    assert len(found.calls) == 16


def test_the_answers_of_a_short_run_are_those_of_a_long_one(stage, tmp_path):
    """Runs that end early, one after another, have the result of one undisturbed run."""
    undisturbed = asked(stage, tmp_path / "a", small_collection(), settings(probes=3))
    for _ in range(20):
        found = asked(stage, tmp_path / "b", small_collection(), settings(probes=3), limit=0.002)
        if not found.budget_is_spent:
            break

    assert scores_of(found) == scores_of(undisturbed)


async def _stopped_after(stage, path, count, chosen):
    """Ask, and set `stop` while `count` calls hang; then let them be answered."""
    stop = asyncio.Event()
    client = AsyncRerankClient(base_url=stage.base_url, api_key=stage.api_key)
    async with client, Caller(client, concurrency=chosen.concurrency) as caller:
        with Matrix(path / "matrix.sqlite") as matrix:
            task = asyncio.create_task(
                ask(small_collection(), chosen, caller=caller, matrix=matrix, stop=stop)
            )
            await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == count, timeout=30)
            stop.set()
            await asyncio.to_thread(stage.release)
            return await task


def test_an_interruption_keeps_the_calls_in_flight(stage, tmp_path):
    """After an interruption nothing more is sent, and the calls in flight are kept."""
    stage.always(Fault.hang())
    found = asyncio.run(_stopped_after(stage, tmp_path, 4, settings()))

    assert found.interrupted
    assert len(stage.requests) == len(found.calls) == 4


def test_an_interruption_gives_up_calls_without_an_answer(stage, tmp_path, monkeypatch):
    """A call that does not end in time is given up, and is asked again later."""
    monkeypatch.setattr("openrouter_rerank.evaluation.asking.in_flight.GRACE", 0.0)
    stage.always(Fault.hang())
    stop = asyncio.Event()

    def progress(found):
        if found.done:
            stop.set()

    stage.script(word_overlap)
    found = asked(stage, tmp_path, small_collection(), settings(), progress=progress, stop=stop)

    assert found.interrupted
    assert len(found.calls) == 1


def test_a_free_model_waits_for_its_limit(stage, tmp_path):
    """At most 20 requests are sent to a `:free` model, and an interruption ends the wait."""
    stop = asyncio.Event()

    def progress(found):
        if found.done == 20:
            stop.set()

    chosen = settings(models=("nvidia/nemotron-3.5-rerank-8b:free",))
    found = asked(
        stage, tmp_path, small_collection(questions=30), chosen, progress=progress, stop=stop
    )

    assert len(stage.requests) == len(found.calls) == 20


def test_progress_counts_calls(stage, tmp_path):
    """The start and each call are reported; the last report has all calls and their cost."""
    reports = []
    stage.always(failing("text 3 word"))
    asked(stage, tmp_path, small_collection(), settings(probes=2), progress=reports.append)

    last = {each.model: each for each in reports}[MODELS[0]]
    counted = [each.done for each in reports if each.model == MODELS[0] and not each.estimate]
    assert counted == [*range(last.total + 1)]
    assert (last.done, last.total, last.failed) == (12, 12, 1)
    assert last.cost == pytest.approx(0.001 * (7 + 2 * 2))


def test_an_estimate_is_reported_after_the_first_questions(stage, tmp_path):
    """After five questions of every model there is one estimate of the rest."""
    reports = []
    asked(stage, tmp_path, small_collection(), settings(), progress=reports.append, limit=0.012)

    assert [each.estimate.line for each in reports if each.estimate] == [
        (
            "6 requests, about $0.006 (rerank-v3.5 $0.003, rerank-3-lite $0.003); budget $0.012 "
            "will answer 6 of 8 questions"
        )
    ]
    assert [each.estimate is not None for each in reports].index(True) == len(MODELS) + 10


@pytest.mark.parametrize(("limit", "probes"), [(0.0185, 20), (0.0305, 20), (0.0225, 3)])
def test_the_budget_answers_as_many_questions_as_was_said(stage, tmp_path, limit, probes):
    """The estimate knows that the questions of the probes are asked before the probes."""
    reports = []
    stage.always(lambda request: scores(*range(len(request.documents)), cost=0.001)(request))
    chosen = settings(models=MODELS[:1], probes=probes, concurrency=1)
    collection = small_collection(questions=30)
    found = asked(stage, tmp_path, collection, chosen, limit=limit, progress=reports.append)

    [said] = [each.estimate.answerable for each in reports if each.estimate]
    assert said == len({call.question for call in found.calls if call.kind == "score"}) < 30


@pytest.mark.parametrize(
    ("model", "cost", "line"),
    [
        ("own/tokens", lambda documents: 0.001 * documents, "3 requests, about $0.009"),
        # A search unit has up to 100 documents.
        ("cohere/rerank-v3.5", lambda _: 0.002, "3 requests, about $0.006"),
    ],
)
def test_an_estimate_knows_the_kept_scores(stage, tmp_path, model, cost, line):
    """At a larger depth, only the new documents are sent and paid."""

    def reply(request):
        count = len(request.documents)
        return scores(*[0.5] * count, cost=cost(count))(request)

    stage.always(reply)
    asked(stage, tmp_path, small_collection(), settings(models=(model,), depths=(3,)))
    reports = []
    chosen = settings(models=(model,))
    asked(stage, tmp_path, small_collection(), chosen, progress=reports.append)

    assert [each.estimate.line for each in reports if each.estimate] == [line]


def test_another_estimate_says_its_reason(stage, tmp_path):
    """If each depth must be asked after all, the second line begins with the reason."""
    reports = []
    stage.always(by_list)
    chosen = settings(models=MODELS[:1], probes=2)
    asked(stage, tmp_path, small_collection(), chosen, progress=reports.append)

    lines = [each.estimate.line for each in reports if each.estimate]
    assert len(lines) == 2
    assert lines[1].startswith(
        f"each depth must be asked, because the scores of {MODELS[0]} depend on the other "
        "documents: 11 requests, "
    )


def test_progress_begins_with_what_is_kept(stage, tmp_path):
    """The first report of each model counts the kept answers, before anything is sent."""
    asked(stage, tmp_path, small_collection(3), settings())
    reports = []
    asked(stage, tmp_path, small_collection(8), settings(), progress=reports.append)

    assert [(each.model, each.done, each.total) for each in reports[:2]] == [
        (model, 3, 8) for model in MODELS
    ]


def test_an_error_page_is_a_failed_question(stage, tmp_path):
    """A response that is not a ranking is a failure of its question, like any other."""
    stage.script(Reply(body="<html>"))
    found = asked(stage, tmp_path, small_collection(), settings(concurrency=1))

    assert sum(map(len, found.failures.values())) == 1
