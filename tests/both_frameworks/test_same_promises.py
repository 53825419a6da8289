"""What LangChain's and LlamaIndex's users are promised alike, run for both in sync and async."""

import asyncio
import copy
import json
import pickle
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError, UnauthorizedError
from openrouter_rerank.local.stage import Stage, error, scores, word_overlap
from pydantic import ValidationError

from tests.sizes import figure

TEXTS = ("Bread is baked.", "Paris is the capital of France.", "Rome is a capital.")
BEST_FIRST = ["1", "2", "0"]

a_text = st.sampled_from(["", " \n", "capital", "capital of France", "bread", "of"])


async def test_the_most_relevant_comes_first_with_its_score(pipeline):
    """Items come back in the order of the scores, which the framework's own field holds."""
    result = await pipeline.rerank(pipeline.reranker(), pipeline.items(*TEXTS))

    assert [name for name, _ in pipeline.read(result)] == BEST_FIRST
    assert [score for _, score in pipeline.read(result)] == [1.0, pytest.approx(1 / 3), 0.0]
    assert {type(score) for _, score in pipeline.read(result)} == {float}


LISTS = st.fixed_dictionaries(
    {
        "texts": st.lists(a_text, max_size=8),
        "top_n": st.none() | st.integers(1, 9),
        "unscorable": st.sampled_from(["keep", "drop"]),
    }
)
# Hypothesis takes longer to begin an example than to make one of these: each has several.
AT_ONCE = 10


# Both modes make two thousand lists for each framework.
@settings(
    max_examples=figure(desk=3, ci=100),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(LISTS, min_size=AT_ONCE, max_size=AT_ONCE))
async def test_what_comes_back_is_a_permutation_of_what_was_kept(pipeline, lists):
    """Nothing is invented, doubled or lost, and what was not ranked follows without a score."""
    for each in lists:
        await check(pipeline, **each)


async def check(pipeline, texts, top_n, unscorable):
    """Require every document to come back once, the ranked ones best first."""
    reranker = pipeline.reranker(top_n=top_n, unscorable=unscorable)
    items = pipeline.items(*texts)
    blank = [str(at) for at, text in enumerate(texts) if not text.strip()]
    kept = {str(at) for at in range(len(texts))}
    kept -= {*blank} if unscorable == "drop" else set()
    before = pipeline.state(items)

    result = await pipeline.rerank(reranker, items)

    names = [name for name, _ in pipeline.read(result)]
    found = [score for _, score in pipeline.read(result) if score is not None]
    unranked = [name for name, score in pipeline.read(result) if score is None]
    assert len(names) == len({*names}) == min(len(kept), top_n or len(kept))
    assert kept.issuperset(names)
    assert found == sorted(found, reverse=True)
    assert names[len(found) :] == unranked == blank[: len(unranked)]
    assert pipeline.state(items) == before
    assert pipeline.content(result) == [pipeline.content([items[int(name)]])[0] for name in names]


async def test_what_was_passed_in_stays_as_it_was(pipeline):
    """Neither the list nor an item of it is changed by being reranked."""
    items = pipeline.items(*TEXTS, "")
    before, state = list(items), copy.deepcopy(pipeline.state(items))

    await pipeline.rerank(pipeline.reranker(top_n=2), items)

    assert all(now is then for now, then in zip(items, before, strict=True))
    assert pipeline.state(items) == state


async def test_reranking_again_gives_the_new_scores(pipeline):
    """A score of an earlier ranking neither wins over the new one nor stays where none is new."""
    items = [
        pipeline.item("ranked", "capital of France", score=0.01),
        pipeline.item("blank", "", score=0.99),
    ]

    result = await pipeline.rerank(pipeline.reranker(), items)

    assert pipeline.read(result) == [("ranked", 1.0), ("blank", None)]


@pytest.mark.parametrize("query", ["", " \n\t"])
async def test_a_blank_query_asks_nothing(pipeline, query):
    """An agent's blank query keeps the order and the scores, cut to `top_n`, and sends nothing."""
    items = [pipeline.item(str(at), "text", score=at / 10) for at in range(3)]

    result = await pipeline.rerank(pipeline.reranker(top_n=2), items, query)

    assert pipeline.read(result) == [("0", 0.0), ("1", 0.1)]
    assert pipeline.stage.requests == []


async def test_nothing_to_rank_sends_nothing(pipeline):
    """No items, or blank ones alone, come back without a request."""
    reranker = pipeline.reranker()

    assert await pipeline.rerank(reranker, []) == []
    assert await pipeline.names(reranker, pipeline.items("", " ")) == ["0", "1"]
    assert pipeline.stage.requests == []


async def test_equal_scores_keep_the_order(pipeline):
    """Of equally relevant items, the one that the retriever put first stays first."""
    pipeline.stage.script(scores(0.5, 0.7, 0.5, 0.7))

    names = await pipeline.names(pipeline.reranker(), pipeline.items("a", "b", "c", "d"))

    assert names == ["1", "3", "0", "2"]


async def test_items_of_the_same_text_are_told_apart(pipeline):
    """Items are matched by position, so those that read alike all come back."""
    names = await pipeline.names(pipeline.reranker(), pipeline.items("capital", "of", "capital"))

    assert sorted(names) == ["0", "1", "2"]


async def test_a_failure_that_may_pass_can_be_passed_through(pipeline):
    """With `passthrough` an outage costs the new order only: the retriever's scores stay."""
    pipeline.stage.always(error(503, "down"))
    items = [pipeline.item(str(at), "text", score=at / 10) for at in range(3)]
    reranker = pipeline.reranker(on_error="passthrough", top_n=2, max_retries=0)

    result = await pipeline.rerank(reranker, items)

    assert pipeline.read(result) == [("0", 0.0), ("1", 0.1)]


@pytest.mark.parametrize(
    ("failing", "sent"),
    [(1, [[0, 1], [0, 1]]), (4, [[0, 1], [2, 3], [4], [4]])],
    ids=["first", "last"],
)
async def test_a_call_of_several_requests_passes_through_whole(pipeline, failing, sent):
    """If one request fails for good, no answer to another one changes order or scores."""
    texts = ["bread", "of", "capital", "water", "capital of France"]

    def answer(request):
        down = texts[failing] in request.texts
        return error(503, "down", retry_after=0) if down else word_overlap(request)

    pipeline.stage.always(answer)
    items = [pipeline.item(str(at), text, score=at / 10) for at, text in enumerate(texts)]
    reranker = pipeline.reranker(
        on_error="passthrough", max_retries=1, max_concurrency=1, max_documents_per_request=2
    )

    result = await pipeline.rerank(reranker, items)

    assert [[texts.index(text) for text in each.texts] for each in pipeline.stage.requests] == sent
    assert pipeline.state(result) == pipeline.state(items)


async def test_a_mistake_is_never_passed_through(pipeline):
    """A wrong key is an error whatever `on_error` says, or nobody would notice it."""
    pipeline.stage.script(error(401, "No auth credentials found"))
    reranker = pipeline.reranker(on_error="passthrough")

    with pytest.raises(UnauthorizedError):
        await pipeline.rerank(reranker, pipeline.items(*TEXTS))


async def test_a_missing_key_is_named(pipeline):
    """A reranker can be made without a key; its first call names the variable to set."""
    reranker = pipeline.reranker(api_key=None)

    with pytest.raises(ConfigurationError, match="OPENROUTER_API_KEY"):
        await pipeline.rerank(reranker, pipeline.items(*TEXTS))
    assert pipeline.stage.requests == []


@pytest.mark.usefixtures("key_in_environment")
async def test_the_environment_is_all_that_is_needed(pipeline):
    """With the two variables set, no option is needed."""
    reranker = pipeline.reranker(api_key=None, base_url=None)

    assert await pipeline.names(reranker, pipeline.items(*TEXTS)) == BEST_FIRST


async def test_the_names_of_the_neighbours_work(pipeline):
    """The names that the frameworks' own OpenRouter classes use for options are accepted."""
    for base in ("base_url", "api_base", "openrouter_api_base"):
        options = {"openrouter_api_key": Stage.api_key, base: pipeline.stage.base_url}
        reranker = pipeline.reranker_class(model_name="cohere/rerank-4-fast", **options)

        await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    assert [each.model for each in pipeline.stage.requests] == ["cohere/rerank-4-fast"] * 3


@pytest.mark.parametrize("options", [{"topn": 3}, {"top_n": 0}, {"top_n": -1}, {"on_error": "x"}])
def test_mistaken_options_are_refused(adapter, options):
    """A misspelt option or an impossible value is an error that names it, never ignored."""
    with pytest.raises(ValidationError, match=next(iter(options))):
        adapter.reranker_class(**options)


def test_a_changed_option_is_checked_like_a_new_one(adapter):
    """Options may be changed between calls, within the same limits."""
    reranker = adapter.reranker_class(top_n=3)
    reranker.top_n = 5

    with pytest.raises(ValidationError, match="top_n"):
        reranker.top_n = 0
    assert reranker.top_n == 5


async def test_a_changed_option_holds_for_the_next_call(pipeline):
    """Both what is sent and how it is sent follow the options of the moment."""
    reranker = pipeline.reranker()
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    reranker.top_n = 1
    reranker.app_title = "Another"

    assert await pipeline.names(reranker, pipeline.items(*TEXTS)) == ["1"]
    assert pipeline.stage.requests[-1].headers["x-openrouter-title"] == "Another"


SECRET = "sk-or-v1-secret"


@pytest.mark.parametrize(
    "written",
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
def test_the_key_is_written_nowhere(adapter, written):
    """Neither the key nor a header of the user is in anything that may be stored or logged."""
    reranker = adapter.reranker_class(api_key=SECRET, default_headers={"X-Token": SECRET})

    assert SECRET not in written(reranker)


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda reranker: reranker.model_copy(),
        lambda reranker: reranker.model_copy(deep=True),
    ],
    ids=["copy", "deepcopy", "model_copy", "model_copy deep"],
)
async def test_a_copy_reranks_too(pipeline, copied):
    """A copy has the options and the key of its original, used or not."""
    reranker = pipeline.reranker(top_n=2)
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    assert await pipeline.names(copied(reranker), pipeline.items(*TEXTS)) == BEST_FIRST[:2]


@pytest.mark.usefixtures("key_in_environment")
async def test_a_pickle_reranks_where_the_key_is_known(pipeline):
    """A reranker that went through pickle takes the key of the environment it lands in."""
    reranker = pipeline.reranker(top_n=2)
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301 - written in this test.

    assert await pipeline.names(restored, pipeline.items(*TEXTS)) == BEST_FIRST[:2]


@pytest.mark.usefixtures("key_in_environment")
async def test_json_configures_the_same_reranker(pipeline):
    """What a reranker dumps as JSON makes one that behaves alike."""
    dumped = pipeline.reranker(top_n=2, timeout=20, provider={"order": ["cohere"]})
    restored = pipeline.reranker_class.model_validate_json(dumped.model_dump_json())

    assert await pipeline.names(restored, pipeline.items(*TEXTS)) == BEST_FIRST[:2]
    assert pipeline.stage.requests[-1].json["provider"] == {"order": ["cohere"]}


def test_one_reranker_serves_many_event_loops(adapter, local_openrouter):
    """A reranker made once works in every `asyncio.run` that follows."""
    reranker = adapter.reranker_class(
        api_key=local_openrouter.api_key, base_url=local_openrouter.base_url
    )
    items = [adapter.item(str(at), text) for at, text in enumerate(TEXTS)]

    for _ in range(3):
        result = asyncio.run(adapter.arerank(reranker, items, "capital of France"))
        assert [name for name, _ in adapter.read(result)] == BEST_FIRST


def test_one_reranker_serves_many_threads(adapter, local_openrouter):
    """Threads that share a reranker get an answer each, to their own question."""
    reranker = adapter.reranker_class(
        api_key=local_openrouter.api_key, base_url=local_openrouter.base_url
    )
    items = [adapter.item(str(at), f"word{at}") for at in range(6)]
    first = {}

    def ask(at):
        first[at] = adapter.read(adapter.rerank(reranker, items, f"word{at}"))[0][0]

    threads = [threading.Thread(target=ask, args=[at]) for at in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert first == {at: str(at) for at in range(6)}


async def test_a_closed_reranker_opens_again(pipeline):
    """Closing gives the connections up, and the next call makes new ones."""
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
def test_what_a_call_would_refuse_is_refused_before(pipeline, options):
    """An option that no request can have is an error of its own line, not of the first call."""
    with pytest.raises(InvalidRequestError):
        pipeline.reranker(**options)

    reranker = pipeline.reranker()
    ((name, value),) = options.items()
    with pytest.raises(InvalidRequestError):
        setattr(reranker, name, value)


def test_every_option_that_can_be_written_has_a_schema(pipeline):
    """What the class can be dumped to is described by its JSON schema; objects are not in it."""
    schema = pipeline.reranker_class.model_json_schema()
    dumped = json.loads(pipeline.reranker(budget=1).model_dump_json())

    assert dumped.keys() - {"callback_manager"} <= schema["properties"].keys()
    assert schema["properties"].keys() >= {"model", "top_n", "budget", "provider", "image_root"}
    assert not schema["properties"].keys() & {"http_client", "on_response", "score_store"}


async def test_numbers_of_numpy_are_numbers(pipeline):
    """Where a whole number is asked for, one of NumPy's does."""
    reranker = pipeline.reranker(top_n=np.int64(2), max_retries=np.int32(0))

    assert await pipeline.names(reranker, pipeline.items(*TEXTS)) == BEST_FIRST[:2]
