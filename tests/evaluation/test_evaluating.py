"""One call from a collection to its report, with a scripted service and with the local one."""

import asyncio
import json
import threading
from dataclasses import replace
from signal import SIGINT, pthread_kill

import httpx
import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import AsyncRerankClient, Budget, RerankClient
from openrouter_rerank.errors import ConfigurationError, UnauthorizedError
from openrouter_rerank.local.stage import Fault, error, scores, word_overlap

from tests.evaluation.small_collection import MODELS, small_collection

pytest.importorskip("ir_measures", reason="the evaluation needs ir-measures")

from openrouter_rerank.evaluation import aevaluate, evaluate

# Without probes, because times differ from run to run.
OPTIONS = {"models": MODELS, "depths": (2, 6), "probes": 0}


@pytest.fixture
def client(stage):
    """Return a client of the scripted service."""
    with RerankClient(base_url=stage.base_url, api_key=stage.api_key, max_retries=0) as client:
        yield client


def numbers(directory):
    """Return the numbers of a report."""
    found = json.loads((directory / "evaluation.json").read_text())
    del found["written"]
    return found


def test_an_evaluation_writes_its_report(client, tmp_path):
    """The result is returned, and the folder has the report, the numbers and the answers."""
    found = evaluate(small_collection(), client=client, directory=tmp_path / "new", **OPTIONS)

    assert found.is_complete
    assert len(found.questions) == 8
    assert {plan.plan.name for plan in found.plans} == {
        f"{model} @{depth}" for model in MODELS for depth in (2, 6)
    }
    written = {file.name for file in (tmp_path / "new").iterdir()}
    assert {"report.html", "evaluation.json", "matrix.sqlite"} <= written


@pytest.mark.parametrize(
    ("provider", "note"),
    [
        (None, 'All rerank requests had these provider preferences: {"sort": "price"}.'),
        ({"only": ["a"]}, 'All rerank requests had these provider preferences: {"only": ["a"]}.'),
        (
            {},
            (
                "No provider preferences were sent, so the provider, the price and the time may "
                "change from call to call."
            ),
        ),
    ],
)
def test_the_provider_preferences_are_in_the_report(client, tmp_path, provider, note):
    """The notes say which providers were asked for."""
    found = evaluate(
        small_collection(), client=client, directory=tmp_path, provider=provider, **OPTIONS
    )

    assert found.notes[-1] == note


def test_passages_of_long_documents_have_scores_of_their_own(client, stage, tmp_path):
    """A client that splits long documents does not get the kept scores of one that does not."""
    evaluate(small_collection(), client=client, directory=tmp_path, **OPTIONS)
    splitting = RerankClient(base_url=stage.base_url, api_key=stage.api_key, long_documents="split")
    evaluate(small_collection(), client=splitting, directory=tmp_path, **OPTIONS)

    assert len(stage.requests) == 2 * 16


def test_a_second_evaluation_asks_nothing(client, stage, tmp_path):
    """Another metric, other depths below the largest and another keep cost nothing."""
    evaluate(small_collection(), client=client, directory=tmp_path, **OPTIONS)
    count = len(stage.requests)
    found = evaluate(
        small_collection(),
        client=client,
        directory=tmp_path,
        **OPTIONS | {"depths": (1, 3, 6), "metric": "R@5", "keep": 0.5},
    )

    assert len(stage.requests) == count
    assert found.depths == (1, 3, 6)


def test_a_later_run_never_counts_fewer_questions(client, stage, tmp_path):
    """If a run finds that each depth must be asked, and its budget ends, no question is lost."""
    stage.always(
        lambda request: scores(
            *(len(request.documents) / (9 + place) for place in range(len(request.documents))),
            cost=0.001,
        )(request)
    )
    options = {"models": MODELS[:1], "depths": (2, 6), "probes": 2, "concurrency": 1}

    runs = [
        evaluate(small_collection(), client=client, directory=tmp_path, budget=budget, **options)
        for budget in (0.0035, 0.0065, 0.0015, 0.1)
    ]

    assert [len(found.questions) for found in runs] == [4, 5, 5, 8]
    assert [use.replays for found in runs for use in found.uses] == [True, False, False, False]
    assert [found.plans[0].is_estimate for found in runs] == [False, True, True, False]
    assert [found.is_complete for found in runs] == [False, False, False, True]


@pytest.mark.parametrize("kind", ["sync", "async", "environment"])
def test_every_client_has_the_same_result(stage, tmp_path, monkeypatch, kind):
    """A sync client, an async client, and that of the environment have the same numbers."""
    options = {"base_url": stage.base_url, "api_key": stage.api_key}
    monkeypatch.setenv("OPENROUTER_API_KEY", stage.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", stage.base_url)
    given = {
        "sync": RerankClient(**options),
        "async": AsyncRerankClient(**options),
        "environment": None,
    }
    evaluate(small_collection(), client=given[kind], directory=tmp_path / "a", **OPTIONS)
    evaluate(small_collection(), client=given["sync"], directory=tmp_path / "b", **OPTIONS)

    assert numbers(tmp_path / "a") == numbers(tmp_path / "b")


async def test_both_calls_work_in_a_running_loop(client, stage, tmp_path):
    """`aevaluate` and, as in a notebook, `evaluate` work while an event loop is running."""
    await aevaluate(small_collection(), client=client, directory=tmp_path / "a", **OPTIONS)
    evaluate(small_collection(), client=client, directory=tmp_path / "b", **OPTIONS)

    assert numbers(tmp_path / "a") == numbers(tmp_path / "b")


async def test_a_cancelled_evaluation_keeps_its_answers(client, stage, tmp_path):
    """Cancelling ends the evaluation; the next one asks only the rest."""
    stage.script(*[word_overlap] * 3)
    stage.always(Fault.hang())
    task = asyncio.create_task(
        aevaluate(
            small_collection(),
            client=AsyncRerankClient(base_url=stage.base_url, api_key=stage.api_key),
            directory=tmp_path,
            **OPTIONS,
        )
    )
    await asyncio.to_thread(
        stage.wait_until, lambda: len(stage.requests) == 7 and stage.in_flight == 4, timeout=30
    )
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stage.reset()
    evaluate(small_collection(), client=client, directory=tmp_path, **OPTIONS)

    assert len(stage.requests) == 16 - 3


def test_an_interruption_writes_the_report(client, stage, tmp_path):
    """After Ctrl-C, the report has the questions that all models have, and the script ends."""

    def press(_):
        if len(stage.requests) == 12:
            pthread_kill(threading.main_thread().ident, SIGINT)

    with pytest.raises(KeyboardInterrupt):
        evaluate(
            small_collection(),
            client=client,
            directory=tmp_path,
            progress=press,
            **OPTIONS | {"concurrency": 1},
        )

    found = json.loads((tmp_path / "evaluation.json").read_text())
    assert not found["is_complete"]
    assert found["questions"] >= 6
    assert len(stage.requests) < 16


def test_a_budget_of_the_evaluation(client, stage, tmp_path):
    """No more is spent than the budget and the calls in flight; all models have the questions."""
    stage.always(lambda request: scores(*range(len(request.documents)), cost=0.01)(request))
    found = evaluate(
        small_collection(),
        client=client,
        directory=tmp_path,
        budget=0.125,
        **OPTIONS | {"concurrency": 2},
    )

    assert not found.is_complete
    assert 13 <= len(stage.requests) <= 14
    assert len(found.questions) == len(stage.requests) // 2
    assert len({frozenset(plan.per_question) for plan in found.plans}) == 1


def test_a_budget_of_the_client(stage, tmp_path):
    """Without an own budget, that of the client ends the evaluation."""
    budget = Budget(0.0055)
    client = RerankClient(base_url=stage.base_url, api_key=stage.api_key, budget=budget)
    found = evaluate(
        small_collection(),
        client=client,
        directory=tmp_path,
        budget=None,
        **OPTIONS | {"concurrency": 1},
    )

    assert not found.is_complete
    assert len(stage.requests) == 6
    assert budget.spent == pytest.approx(0.006)


def test_a_sample_asks_the_retriever_only_for_its_questions(client, tmp_path):
    """A retriever is called for the questions of the sample, with the largest depth."""
    collection = small_collection()
    asked = []

    def retrieve(question):
        asked.append(question)
        number = question.split()[1]
        return [(f"d{number}-{at}", collection.documents[f"d{number}-{at}"]) for at in range(6)]

    found = evaluate(
        replace(collection, candidates={}),
        retrieve=retrieve,
        questions=5,
        client=client,
        directory=tmp_path,
        **OPTIONS,
    )

    assert len(asked) == len(found.questions) == 5
    assert "retrieve" in found.collection.first_stage


async def test_an_async_retriever(client, tmp_path):
    """`aevaluate` awaits an async retriever."""
    collection = small_collection()

    async def retrieve(question):
        await asyncio.sleep(0)
        number = question.split()[1]
        return [(f"d{number}-{at}", collection.documents[f"d{number}-{at}"]) for at in range(6)]

    found = await aevaluate(
        replace(collection, candidates={}),
        retrieve=retrieve,
        client=client,
        directory=tmp_path,
        **OPTIONS,
    )

    assert len(found.questions) == 8


def test_without_candidates_bm25_finds_them(client, tmp_path):
    """A collection without candidates gets those of BM25, and the report says so."""
    pytest.importorskip("bm25s", reason="BM25 needs bm25s")
    bare = replace(small_collection(), candidates={})
    found = evaluate(bare, client=client, directory=tmp_path, **OPTIONS)

    assert "BM25" in found.collection.first_stage


def test_local_scorers_from_end_to_end(tmp_path):
    """The local lexical scorer scores each document alone, and is free."""
    pytest.importorskip("Stemmer", reason="the local scorer needs PyStemmer")
    from openrouter_rerank.local.transport import LocalTransport

    with httpx.Client(transport=LocalTransport()) as http_client:
        client = RerankClient(api_key="local", http_client=http_client)
        found = evaluate(
            small_collection(),
            client=client,
            directory=tmp_path,
            **OPTIONS | {"models": "local/lexical", "probes": 3},
        )

    assert found.is_complete
    assert found.cost == 0
    assert [use.replays for use in found.uses] == [True]
    assert [use.providers for use in found.uses] == [("local scorer (not OpenRouter)",)]
    assert all(plan.price_per_1000 == 0 and plan.seconds_p50 for plan in found.plans)


CIRCULAR: dict[str, object] = {}
CIRCULAR["itself"] = CIRCULAR
REFUSED = [
    ({"metric": "nonsense@10"}, "nonsense"),
    ({"models": []}, "^models is empty"),
    ({"concurrency": 0}, "^concurrency must be"),
    ({"client": 3}, "^client must be a RerankClient or an AsyncRerankClient, got 3"),
    ({"progress": 3}, "^progress must be a function, got 3"),
    ({"directory": None}, "^directory must be a path, as a string or a pathlib.Path, got None"),
    ({"directory": "a\0b"}, "^directory must be a path, got "),
    ({"extra_body": CIRCULAR}, "^provider and extra_body must be JSON values .Circular"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_a_wrong_option_is_refused_before_anything_is_sent(
    client, stage, tmp_path, options, message
):
    """A wrong option costs nothing and writes nothing."""
    with pytest.raises(ConfigurationError, match=message):
        evaluate(
            small_collection(),
            **OPTIONS | {"client": client, "directory": tmp_path / "new"} | options,
        )

    assert stage.requests == []
    assert not (tmp_path / "new").exists()


def test_a_client_with_a_score_store_is_refused(stage, tmp_path):
    """A kept score has no price and no time, so such a client is refused."""
    client = RerankClient(
        base_url=stage.base_url, api_key=stage.api_key, score_store=InMemoryByteStore()
    )
    with pytest.raises(ConfigurationError) as refused:
        evaluate(small_collection(), client=client, directory=tmp_path, **OPTIONS)

    assert refused.value.message == (
        "the client has a score_store, and a kept score has no price and no time: pass a client "
        "without one"
    )


def test_a_collection_without_judgements_is_refused(client, stage, tmp_path):
    """Without a relevant document there is nothing to measure, so nothing is asked."""
    bare = replace(small_collection(), judgements={"q1": {"d1-0": 0}})
    with pytest.raises(ConfigurationError, match=r"^small: no question .* judge: --judge SLUG \("):
        evaluate(bare, client=client, directory=tmp_path, **OPTIONS)

    assert stage.requests == []


def test_an_unusable_file_is_refused_before_the_retriever_is_called(client, tmp_path):
    """The file of the answers is opened before anything that takes time."""
    (tmp_path / "matrix.sqlite").write_text("something else" * 100)
    called = []
    with pytest.raises(ConfigurationError, match="is damaged"):
        evaluate(
            small_collection(),
            retrieve=called.append,
            client=client,
            directory=tmp_path,
            **OPTIONS,
        )

    assert called == []


def test_a_wrong_key_is_its_own_error(client, stage, tmp_path):
    """The error of the service ends the evaluation, without a report."""
    stage.always(error(401, "User not found"))
    with pytest.raises(UnauthorizedError):
        evaluate(small_collection(), client=client, directory=tmp_path, **OPTIONS)

    assert not (tmp_path / "report.html").exists()


def test_a_path_is_no_collection(tmp_path):
    """A path in place of a collection is refused, and the error says what reads files."""
    with pytest.raises(ConfigurationError, match=r"got 'a\.jsonl': Collection\.from_jsonl"):
        evaluate("a.jsonl", directory=tmp_path)
