"""The behaviour that both framework packages have in common, in sync and async."""

import asyncio
import copy
import json
import pickle
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openrouter_rerank.errors import ConfigurationError, UnauthorizedError
from openrouter_rerank.local.stage import Stage, error, scores, word_overlap

from tests.repetitions import repetitions

TEXTS = ("Bread is baked.", "Paris is the capital of France.", "Rome is a capital.")
BEST_FIRST = ["1", "2", "0"]


def scored_items(pipeline, texts):
    """Return an item for each text, with the scores 0, 0.1, 0.2 and so on."""
    return [
        pipeline.item(str(position), text, score=position / 10)
        for position, text in enumerate(texts)
    ]


any_text = st.sampled_from(["", " \n", "capital", "capital of France", "bread", "of"])


async def test_the_most_relevant_item_comes_first(pipeline):
    """The result is in the order of the scores, which are in the framework's usual field."""
    result = await pipeline.rerank(pipeline.reranker(), pipeline.items(*TEXTS))

    names, relevance_scores = zip(*pipeline.names_and_scores(result), strict=True)
    assert [*names] == BEST_FIRST
    assert [*relevance_scores] == [1.0, pytest.approx(1 / 3), 0.0]
    assert set(map(type, relevance_scores)) == {float}


any_call = st.fixed_dictionaries(
    {
        "texts": st.lists(any_text, max_size=8),
        "top_n": st.none() | st.integers(1, 9),
        "unscorable": st.sampled_from(["keep", "drop"]),
    }
)
# Hypothesis takes longer to start an example than to generate one call, so an example has several.
CALLS_IN_EXAMPLE = 10


# In CI, the sync and the async test together rerank 2,000 lists for each framework.
@settings(
    max_examples=repetitions(local=3, ci=100),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(any_call, min_size=CALLS_IN_EXAMPLE, max_size=CALLS_IN_EXAMPLE))
async def test_the_result_is_a_permutation_of_the_kept_items(pipeline, calls):
    """The result has up to `top_n` kept items, each once, and those without a score at the end."""
    for arguments in calls:
        await check_permutation(pipeline, **arguments)


async def check_permutation(pipeline, texts, top_n, unscorable):
    """Make one call, and require that its result is a permutation of the kept items."""
    reranker = pipeline.reranker(top_n=top_n, unscorable=unscorable)
    items = pipeline.items(*texts)
    blank = [str(position) for position, text in enumerate(texts) if not text.strip()]
    kept = {str(position) for position in range(len(texts))}
    kept -= {*blank} if unscorable == "drop" else set()
    before = pipeline.dumps(items)

    result = await pipeline.rerank(reranker, items)

    names_and_scores = pipeline.names_and_scores(result)
    names = [name for name, _ in names_and_scores]
    ranked_scores = [score for _, score in names_and_scores if score is not None]
    unranked = [name for name, score in names_and_scores if score is None]
    originals = [items[int(name)] for name in names]
    assert len(names) == len({*names}) == min(len(kept), top_n or len(kept))
    assert kept.issuperset(names)
    assert ranked_scores == sorted(ranked_scores, reverse=True)
    assert names[len(ranked_scores) :] == unranked == blank[: len(unranked)]
    assert pipeline.dumps(items) == before
    assert pipeline.dumps_without_scores(result) == pipeline.dumps_without_scores(originals)


async def test_the_list_and_its_items_are_not_changed(pipeline):
    """A call changes neither the list that it gets nor the items in it."""
    items = pipeline.items(*TEXTS, "")
    items_before, dumps_before = list(items), copy.deepcopy(pipeline.dumps(items))

    await pipeline.rerank(pipeline.reranker(top_n=2), items)

    assert all(now is before for now, before in zip(items, items_before, strict=True))
    assert pipeline.dumps(items) == dumps_before


async def test_earlier_scores_are_replaced_or_removed(pipeline):
    """Items have only the scores of the new ranking, or no score if they were not ranked."""
    items = [
        pipeline.item("ranked", "capital of France", score=0.01),
        pipeline.item("blank", "", score=0.99),
    ]

    result = await pipeline.rerank(pipeline.reranker(), items)

    assert pipeline.names_and_scores(result) == [("ranked", 1.0), ("blank", None)]


@pytest.mark.parametrize("query", ["", " \n\t"])
async def test_a_blank_query_sends_no_request(pipeline, query):
    """With a blank query, the first `top_n` items are returned, with the scores that they had."""
    items = scored_items(pipeline, ["text"] * 3)

    result = await pipeline.rerank(pipeline.reranker(top_n=2), items, query)

    assert pipeline.names_and_scores(result) == [("0", 0.0), ("1", 0.1)]
    assert pipeline.service.requests == []


async def test_items_without_content_send_no_request(pipeline):
    """If there are no items, or only blank ones, they are returned and no request is sent."""
    reranker = pipeline.reranker()

    assert await pipeline.rerank(reranker, []) == []
    assert await pipeline.names(reranker, pipeline.items("", " ")) == ["0", "1"]
    assert pipeline.service.requests == []


async def test_equal_scores_keep_the_order(pipeline):
    """Items with the same score stay in the order of the retriever."""
    pipeline.service.script(scores(0.5, 0.7, 0.5, 0.7))

    names = await pipeline.names(pipeline.reranker(), pipeline.items("a", "b", "c", "d"))

    assert names == ["1", "3", "0", "2"]


async def test_items_with_the_same_text_are_all_returned(pipeline):
    """Items are identified by their positions, so the same text may occur twice."""
    names = await pipeline.names(pipeline.reranker(), pipeline.items("capital", "of", "capital"))

    assert sorted(names) == ["0", "1", "2"]


async def test_a_temporary_failure_can_be_passed_through(pipeline):
    """With `on_error="passthrough"`, a failure keeps the retriever's order and scores."""
    pipeline.service.always(error(503, "down"))
    items = scored_items(pipeline, ["text"] * 3)
    reranker = pipeline.reranker(on_error="passthrough", top_n=2, max_retries=0)

    result = await pipeline.rerank(reranker, items)

    assert pipeline.names_and_scores(result) == [("0", 0.0), ("1", 0.1)]


@pytest.mark.parametrize(
    ("failing_position", "expected_requests"),
    [(1, [[0, 1], [0, 1]]), (4, [[0, 1], [2, 3], [4], [4]])],
    ids=["first request fails", "last request fails"],
)
async def test_a_call_of_several_requests_is_passed_through_as_a_whole(
    pipeline, failing_position, expected_requests
):
    """If one request of a call fails, the responses to the other requests change nothing."""
    texts = ["bread", "of", "capital", "water", "capital of France"]

    def reply(request):
        fails = texts[failing_position] in request.texts
        return error(503, "down", retry_after=0) if fails else word_overlap(request)

    pipeline.service.always(reply)
    items = scored_items(pipeline, texts)
    reranker = pipeline.reranker(
        on_error="passthrough", max_retries=1, max_concurrency=1, max_documents_per_request=2
    )

    result = await pipeline.rerank(reranker, items)

    requests = [
        [texts.index(text) for text in request.texts] for request in pipeline.service.requests
    ]
    assert requests == expected_requests
    assert pipeline.dumps(result) == pipeline.dumps(items)


async def test_an_invalid_key_is_not_passed_through(pipeline):
    """An invalid key is an error with any `on_error`, because it would stay unnoticed otherwise."""
    pipeline.service.script(error(401, "No auth credentials found"))
    reranker = pipeline.reranker(on_error="passthrough")

    with pytest.raises(UnauthorizedError):
        await pipeline.rerank(reranker, pipeline.items(*TEXTS))


async def test_a_missing_key_is_an_error_of_each_call(pipeline, monkeypatch):
    """If the key is removed from the environment, a call names the environment variable to set."""
    reranker = pipeline.reranker(api_key=None)
    monkeypatch.delenv("OPENROUTER_API_KEY")

    with pytest.raises(ConfigurationError, match="OPENROUTER_API_KEY"):
        await pipeline.rerank(reranker, pipeline.items(*TEXTS))
    assert pipeline.service.requests == []


@pytest.mark.usefixtures("key_in_environment")
async def test_key_and_url_can_be_in_the_environment(pipeline):
    """If the environment has the key and the URL, no option is needed."""
    reranker = pipeline.reranker(api_key=None, base_url=None)

    assert await pipeline.names(reranker, pipeline.items(*TEXTS)) == BEST_FIRST


async def test_other_names_of_options_work(pipeline):
    """The names of options in the frameworks' OpenRouter classes are accepted, and have effect."""
    for name in ("base_url", "api_base", "openrouter_api_base"):
        options = {"openrouter_api_key": Stage.api_key, name: pipeline.service.base_url}
        reranker = pipeline.reranker_class(model_name="cohere/rerank-4-fast", **options)

        await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    models = [request.model for request in pipeline.service.requests]
    assert models == ["cohere/rerank-4-fast"] * 3


@pytest.mark.parametrize("options", [{"topn": 3}, {"top_n": 0}, {"top_n": -1}, {"on_error": "x"}])
def test_invalid_options_are_refused(framework, options):
    """An unknown option or an invalid value is an error with the name of the option."""
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        framework.reranker_class(**options)


def test_changed_options_are_checked(framework):
    """Options can be changed after the reranker was made. An invalid value is an error."""
    reranker = framework.reranker_class(top_n=3)
    reranker.top_n = 5

    with pytest.raises(ConfigurationError, match="top_n"):
        reranker.top_n = 0
    assert reranker.top_n == 5


async def test_the_next_call_uses_changed_options(pipeline):
    """A call sends the body and the headers of the options at the time of the call."""
    reranker = pipeline.reranker()
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    reranker.top_n = 1
    reranker.app_title = "Another"

    assert await pipeline.names(reranker, pipeline.items(*TEXTS)) == ["1"]
    assert pipeline.service.requests[-1].headers["x-openrouter-title"] == "Another"


SECRET = "sk-or-v1-secret"


@pytest.mark.parametrize(
    "text_of",
    [
        repr,
        str,
        lambda reranker: reranker.model_dump_json(),
        lambda reranker: str(reranker.model_dump()),
        lambda reranker: pickle.dumps(reranker).decode("latin-1"),
        lambda reranker: repr(copy.deepcopy(reranker)),
        lambda reranker: repr(reranker.model_copy(deep=True)),
    ],
    ids=["repr", "str", "json", "dump", "pickle", "deepcopy", "model_copy"],
)
def test_no_output_has_the_key(framework, text_of):
    """No text form, dump, pickle or copy shows the key or a header of the user."""
    reranker = framework.reranker_class(api_key=SECRET, default_headers={"X-Token": SECRET})

    assert SECRET not in text_of(reranker)


async def test_a_copy_of_a_used_reranker_works(pipeline, copied):
    """A copy of a reranker that has made a call has the same options and the same key."""
    reranker = pipeline.reranker(top_n=2)
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    assert await pipeline.names(copied(reranker), pipeline.items(*TEXTS)) == BEST_FIRST[:2]


@pytest.mark.usefixtures("key_in_environment")
async def test_an_unpickled_reranker_uses_the_key_in_the_environment(pipeline):
    """A pickle has no key, so the unpickled reranker uses the key in the environment."""
    reranker = pipeline.reranker(top_n=2)
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301 - Made in this line

    assert await pipeline.names(restored, pipeline.items(*TEXTS)) == BEST_FIRST[:2]


@pytest.mark.usefixtures("key_in_environment")
async def test_a_reranker_can_be_made_from_its_json(pipeline):
    """The JSON of a reranker has its options, so it makes a reranker with these options."""
    reranker = pipeline.reranker(top_n=2, timeout=20, provider={"order": ["cohere"]})
    restored = pipeline.reranker_class.model_validate_json(reranker.model_dump_json())

    assert await pipeline.names(restored, pipeline.items(*TEXTS)) == BEST_FIRST[:2]
    assert pipeline.service.requests[-1].json["provider"] == {"order": ["cohere"]}


def test_a_reranker_works_in_several_event_loops(framework, reranker):
    """A reranker works in each `asyncio.run`."""
    items = [framework.item(str(position), text) for position, text in enumerate(TEXTS)]

    for _ in range(3):
        result = asyncio.run(framework.arerank(reranker, items, "capital of France"))
        assert [name for name, _ in framework.names_and_scores(result)] == BEST_FIRST


def test_threads_can_share_a_reranker(framework, reranker):
    """Each thread gets the result of its own call."""
    items = [framework.item(str(number), f"word{number}") for number in range(6)]
    best_names = {}

    def rerank(number):
        result = framework.rerank(reranker, items, f"word{number}")
        best_names[number] = framework.names_and_scores(result)[0][0]

    threads = [threading.Thread(target=rerank, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert best_names == {number: str(number) for number in range(6)}


async def test_a_closed_reranker_can_be_used_again(pipeline):
    """After `close` and `aclose`, the next call makes new connections."""
    reranker = pipeline.reranker()
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    reranker.close()
    await reranker.aclose()

    assert await pipeline.names(reranker, pipeline.items(*TEXTS)) == BEST_FIRST


@pytest.mark.parametrize(
    "options",
    [
        {"model": "  "},
        {"fallback_models": ["a/model", ""]},
        {"session_id": "x" * 300},
        {"session_id": "a\nb"},
        {"extra_body": {"query": "another"}},
    ],
    ids=str,
)
def test_options_that_cannot_be_sent_are_refused_when_they_are_set(pipeline, options):
    """An option that cannot be sent is an error when it is set, not in the first call."""
    with pytest.raises(ConfigurationError):
        pipeline.reranker(**options)

    reranker = pipeline.reranker()
    ((name, value),) = options.items()
    with pytest.raises(ConfigurationError):
        setattr(reranker, name, value)


def test_the_json_schema_has_all_dumped_options(pipeline):
    """The JSON schema describes every option that a dump has, and no option that is an object."""
    schema = pipeline.reranker_class.model_json_schema()
    dumped = json.loads(pipeline.reranker(budget=1).model_dump_json())

    assert dumped.keys() - {"callback_manager"} <= schema["properties"].keys()
    assert schema["properties"].keys() >= {"model", "top_n", "budget", "provider", "image_root"}
    assert not schema["properties"].keys() & {"http_client", "on_response", "score_store"}


async def test_integers_of_numpy_are_accepted(pipeline):
    """Options that are integers can be integers of NumPy."""
    reranker = pipeline.reranker(top_n=np.int64(2), max_retries=np.int32(0))

    assert await pipeline.names(reranker, pipeline.items(*TEXTS)) == BEST_FIRST[:2]
