"""Candidates from a function of the user."""

import asyncio
import functools

import numpy as np
import pytest
from openrouter_rerank.evaluation.collection.bm25 import bm25
from openrouter_rerank.evaluation.collection.collection import Collection, CollectionError
from openrouter_rerank.evaluation.collection.retriever import awith_candidates, with_candidates

from tests.hostile_values import HOSTILE

COLLECTION = Collection(
    name="small",
    questions={"q1": "one?", "q2": "two?"},
    documents={"d1": "one", "d2": "two", "d3": "three"},
    judgements={"q1": {"d1": 1}, "q2": {"d2": 1}},
)
RETRIEVED = [("d2", "two"), ("d1", "one"), ("d3", "three")]


def retrieved(value, **options):
    """Return the collection with what a retriever returns for each question."""
    return with_candidates(COLLECTION, lambda _: value, 10, **options)


def refusal(value):
    """Return why something that a retriever returns is refused, in one line."""
    with pytest.raises(CollectionError) as raised:
        retrieved(value)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500
    return str(raised.value)


def test_candidates_are_what_the_retriever_returns():
    """Each question is passed as a text; the order is kept, with and without scores."""
    asked = []

    def retrieve(question):
        asked.append(question)
        return RETRIEVED if question == "one?" else [("d3", "three", 0.5), ["d2", "two", 0.25]]

    found = with_candidates(COLLECTION, retrieve, 2)

    assert asked == ["one?", "two?"]
    assert found.candidates == {"q1": ("d2", "d1"), "q2": ("d3", "d2")}
    assert found.documents == COLLECTION.documents
    assert found.judgements == COLLECTION.judgements
    assert found.notes == ()


def test_the_retriever_is_named_for_the_report():
    """The first stage has the name of the function and its module."""
    found = with_candidates(COLLECTION, sync_retriever, 10)

    assert found.first_stage == f"the retriever {__name__}:sync_retriever"


def sync_retriever(question):
    """Return three documents for any question."""
    return RETRIEVED


class Retriever:
    """An object that is called as a function."""

    def __call__(self, question):
        """Return three documents for any question."""
        return RETRIEVED


class AsyncRetriever:
    """An object that is called as an async function."""

    async def __call__(self, question):
        """Return three documents for any question."""
        await asyncio.sleep(0)
        return RETRIEVED


async def async_retriever(question):
    """Return three documents for any question."""
    await asyncio.sleep(0)
    return RETRIEVED


@pytest.mark.parametrize(
    "retrieve",
    [
        sync_retriever,
        Retriever(),
        functools.partial(sync_retriever),
        async_retriever,
        AsyncRetriever(),
        functools.partial(async_retriever),
    ],
    ids=["function", "object", "partial", "async function", "async object", "async partial"],
)
def test_sync_and_async_retrievers_give_the_same(retrieve):
    """Each kind of function gives the same candidates, in a sync call and in a running loop."""
    expected = {"q1": ("d2", "d1", "d3"), "q2": ("d2", "d1", "d3")}
    asynchronous = asyncio.run(awith_candidates(COLLECTION, retrieve, 10))

    assert with_candidates(COLLECTION, retrieve, 10).candidates == expected
    assert asynchronous.candidates == expected


def test_an_async_function_keeps_its_loop():
    """All questions of an async retriever run in one event loop, which its connections need."""
    loops = set()

    async def retrieve(question):
        loops.add(asyncio.get_running_loop())
        return RETRIEVED

    with_candidates(COLLECTION, retrieve, 10)

    assert len(loops) == 1


async def test_a_sync_retriever_does_not_block_the_loop():
    """In the async call, a sync retriever runs in a thread, so the loop goes on."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()

    def retrieve(question):
        asyncio.run_coroutine_threadsafe(set_ready(), loop).result(timeout=60)
        return RETRIEVED

    async def set_ready():
        ready.set()

    await awith_candidates(COLLECTION, retrieve, 10)

    assert ready.is_set()


async def test_an_async_retriever_in_a_running_loop_needs_the_async_call():
    """The sync call cannot run an async retriever in a running loop, and says what to call."""
    with pytest.raises(CollectionError, match="use aevaluate"):
        with_candidates(COLLECTION, async_retriever, 10)


def test_a_function_that_returns_a_coroutine_is_refused():
    """A sync function that returns a coroutine is refused in the sync call, with the cure."""
    for retrieve in (returns_a_coroutine, lambda question: Awaitable()):
        with pytest.raises(CollectionError, match="returns an awaitable: define it with async def"):
            with_candidates(COLLECTION, retrieve, 10)


async def test_a_function_that_returns_a_coroutine_is_awaited():
    """In the async call, what such a function returns is awaited."""
    found = await awith_candidates(COLLECTION, returns_a_coroutine, 10)

    assert found.candidates["q1"] == ("d2", "d1", "d3")


class Awaitable:
    """An awaitable that is not a coroutine."""

    def __await__(self):
        """Return three documents."""
        yield from ()
        return RETRIEVED


def returns_a_coroutine(question):
    """Return what an async function returns when it is called."""
    return async_retriever(question)


def test_documents_of_the_retriever_are_added():
    """Documents that the collection lacks are added to it, so it may have none before."""
    bare = Collection(name="bare", questions={"q1": "one?"}, documents={})
    found = with_candidates(bare, lambda _: RETRIEVED, 2)

    assert found.documents == {"d2": "two", "d1": "one"}
    assert found.candidates == {"q1": ("d2", "d1")}
    assert retrieved([("d1", "one"), ("d4", "four")]).documents["d4"] == "four"


def test_numbers_and_values_of_numpy_are_read():
    """A whole number is an id too, as vector stores have it; texts and scores may be NumPy's."""
    found = retrieved([(np.str_("d1"), np.str_("one"), np.float32(0.5)), (np.int64(7), "seven", 0)])

    assert found.candidates["q1"] == ("d1", "7")
    assert found.documents["7"] == "seven"
    assert {type(text) for text in (*found.candidates["q1"], *found.documents.values())} == {str}


def test_a_question_without_a_result_is_noted():
    """An empty list is a result: the question has no candidates, and a note counts it."""
    found = with_candidates(COLLECTION, lambda text: RETRIEVED if text == "one?" else [], 10)

    assert found.candidates == {"q1": ("d2", "d1", "d3"), "q2": ()}
    assert found.notes == ("Questions without candidates: 1 of 2. They count as 0.",)


def test_a_retriever_that_finds_nothing_is_refused():
    """If no question has a candidate, an evaluation would mean nothing."""
    assert refusal([]) == (
        "the retriever returned no document for any question: check what it searches"
    )


def test_scores_that_neither_fall_nor_rise_are_noted():
    """Scores and distances are accepted, and another order of scores is noted."""
    note = (
        "Questions whose candidates are not in the order of their scores: 2. "
        "The order counts, not the score."
    )

    def of(*scores):
        return [(*item, score) for item, score in zip(RETRIEVED, scores, strict=True)]

    assert retrieved(of(3, 2, 2)).notes == ()
    assert retrieved(of(0.1, 0.2, 0.2)).notes == ()
    assert retrieved(of(1, 3, 2)).notes == (note,)


RULE = (
    "the retriever must return a list of (id, text) or (id, text, score), each id once; for the "
    "question 'q1' it returned "
)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "None"),
        ("d1", "a value of type str"),
        ({"d1": "one"}, "a value of type dict"),
        (iter(RETRIEVED), "a value of type list_iterator"),
        (["d1"], "a value of type str as item 0"),
        ([("d1", "one"), ("d2",)], "a value of type tuple as item 1"),
        ([("d1", "one", 1, 2)], "a value of type tuple as item 0"),
        ([(None, "one")], "the id None in item 0"),
        ([("", "one")], "the id '' in item 0"),
        ([(1.5, "one")], "the id 1.5 in item 0"),
        ([("d1", "one"), ("d1", "one")], "the id 'd1' twice"),
        ([("d1", "one"), ("d1", "another")], "the id 'd1' twice"),
        ([("d1", None)], "None as the text of item 0"),
        ([("d1", ["one"])], "a value of type list as the text of item 0"),
        ([("d9", "\ud800")], "half of a character (a lone surrogate) in the text of item 0"),
        ([("d1", "one", "0.5")], "the score '0.5' in item 0"),
        ([("d1", "one", float("nan"))], "the score nan in item 0"),
        ([("d1", "one", True)], "the score True in item 0"),
    ],
)
def test_a_wrong_result_is_named_with_its_question(value, got):
    """A result of another form is refused with the question and what is wrong in it."""
    assert refusal(value) == RULE + got


@pytest.mark.parametrize("kind", HOSTILE)
def test_any_result_is_accepted_or_refused_in_one_line(kind):
    """Any object as result, item, id, text or score gives a collection or a `CollectionError`."""
    value = HOSTILE[kind]
    messages = []
    for result in (value, [value], [(value, "one")], [("d1", value)], [("d1", "one", value)]):
        try:
            retrieved(result)
        except CollectionError as error:
            messages.append(str(error))

    assert all(message.isprintable() and len(message) < 500 for message in messages)


def test_another_text_for_a_document_is_refused():
    """A document that is known with another text is refused, and no text is shown."""
    assert refusal([("d1", "secret")]) == (
        "the retriever returned another text for the document 'd1' than the collection has "
        "(question 'q1'): give different texts different ids"
    )
    with pytest.raises(CollectionError) as raised:
        with_candidates(COLLECTION, lambda question: [("d9", f"secret of {question}")], 10)
    assert str(raised.value) == (
        "the retriever returned another text for the document 'd9' than for an earlier question "
        "(question 'q2'): give different texts different ids"
    )


def test_ids_of_other_documents_are_refused():
    """If no document of the retriever is in the collection, the message shows ids of both."""
    assert refusal([("node-1", "one"), ("node-2", "two")]) == (
        "no id that the retriever returned is among the 3 documents (returned: node-1, node-2; "
        "in the collection: d1, d2, d3): return their ids"
    )


def test_ids_of_other_documents_than_the_judged_ones_are_refused():
    """Without own documents, the ids of the retriever are compared with those of judgements."""
    bare = Collection(
        name="bare", questions={"q1": "one?"}, documents={}, judgements={"q1": {"d1": 1}}
    )
    with pytest.raises(CollectionError) as raised:
        with_candidates(bare, lambda _: [("node-1", "one")], 10)

    assert str(raised.value) == (
        "no document that the retriever returned is judged (returned: node-1; judged: d1): return "
        "the ids of the judgements"
    )


@pytest.mark.parametrize("retrieve", [sync_retriever, async_retriever])
def test_the_number_of_questions_with_candidates_is_reported(retrieve):
    """The numbers are reported before the first question, and after each."""
    reports = []
    with_candidates(COLLECTION, retrieve, 10, report=lambda *numbers: reports.append(numbers))

    assert reports == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize(
    "call", [with_candidates, lambda *args: asyncio.run(awith_candidates(*args))]
)
def test_a_retriever_that_fails_is_named_with_its_question(call):
    """An exception of the retriever becomes ours, in one line, with the question and the cause."""

    def retrieve(question):
        if question == "two?":
            raise error
        return RETRIEVED

    for error, shown in (
        (ConnectionError("no route\nto host"), r"ConnectionError('no route\nto host')"),
        (SystemExit(0), "SystemExit('0')"),
    ):
        with pytest.raises(CollectionError) as raised:
            call(COLLECTION, retrieve, 10)
        assert str(raised.value) == f"the retriever failed for the question 'q2': {shown}"
        assert raised.value.__cause__ is error


def test_an_exception_that_cannot_be_shown_is_named():
    """An exception whose text cannot be read is named by its type."""

    class UnreadableError(Exception):
        def __str__(self):
            raise ZeroDivisionError

    def retrieve(question):
        raise UnreadableError

    with pytest.raises(CollectionError) as raised:
        with_candidates(COLLECTION, retrieve, 10)

    assert str(raised.value) == "the retriever failed for the question 'q1': UnreadableError()"


def test_an_interruption_is_not_an_error_of_the_retriever():
    """Ctrl-C during a retrieval is passed on."""

    def retrieve(question):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        with_candidates(COLLECTION, retrieve, 10)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_retriever_is_a_function(kind):
    """Anything that cannot be called is refused; so is what it returns if it can."""
    with pytest.raises(CollectionError):
        with_candidates(COLLECTION, HOSTILE[kind], 10)


def test_a_run_and_a_retriever_of_bm25_agree(towns):
    """A retriever that returns what BM25 found gives the candidates of BM25."""
    by_text = {text: question for question, text in towns.questions.items()}
    expected = bm25(towns, 20).candidates

    def retrieve(question):
        return [(id_, towns.documents[id_]) for id_ in expected[by_text[question]]]

    assert with_candidates(towns, retrieve, 20).candidates == expected
