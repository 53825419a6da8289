"""`fetch_k` of `OpenRouterRerankRetriever`, with retrievers that hold others in unusual ways."""

from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import pytest
from langchain_classic.retrievers import MergerRetriever
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_openrouter_rerank._fetch_k import Search
from pydantic import Field

LEVELS = 60
Pair = namedtuple("Pair", "retriever weight")  # noqa: PYI024 - old code has untyped ones


class Retrievers(list):
    """A list that can do more than a list."""


class Numbered(BaseRetriever):
    """A retriever with a field `k`, which may hold others."""

    k: int | None = Field(default=3, le=10)
    held: Any = None

    def _get_relevant_documents(self, query, *, run_manager):
        return [Document(f"{number}") for number in range(self.k)]


class Switched(BaseRetriever):
    """A retriever whose field `k` is not a number."""

    k: bool = True
    search_kwargs: dict = Field(default_factory=dict)

    def _get_relevant_documents(self, query, *, run_manager):
        return [Document("a")]


class Called(BaseRetriever):
    """A retriever that accepts `k` in a call."""

    def _get_relevant_documents(self, query, *, run_manager, k=3):
        return [Document(f"{number}") for number in range(k)]


class Probe:
    """An object that counts how often its class is asked for."""

    asked = 0

    @property
    def __class__(self):
        """The class, which `isinstance` asks for."""
        Probe.asked += 1
        return Probe


def passed(base, number=7):
    """Return the retriever that is called in the place of `base`."""
    return Search(base, number).retriever


def innermost(held):
    """Return the first retriever in a container, which may be in others."""
    while not isinstance(held, BaseRetriever):
        held = held[0]
    return held


@pytest.mark.parametrize(
    "held",
    [
        Pair(Numbered(), 1.0),
        [Pair(Numbered(), 1.0)],
        defaultdict(Numbered, words=Numbered()),
        OrderedDict(words=Numbered()),
        Retrievers([Numbered()]),
    ],
)
def test_values_of_other_classes_stay(held):
    """Only plain lists, tuples and dictionaries are copied: others may have more than items."""
    copied = passed(Numbered(held=held))

    assert copied.k == 7
    assert copied.held is held


@pytest.mark.parametrize(
    "held",
    [[Numbered()], (Numbered(),), {0: Numbered()}, [(Numbered(), 1.0)], [((Numbered(),),)]],
)
def test_values_of_plain_classes_are_copied(held):
    """The copy of a list, a tuple or a dictionary has the same class, and copies inside."""
    copied = passed(Numbered(held=held)).held

    assert type(copied) is type(held)
    assert innermost(copied).k == 7
    assert innermost(held).k == 3


@pytest.mark.parametrize("wrap", [lambda held: held, lambda held: held.with_config(tags=["a"])])
def test_a_shared_retriever_is_copied_once(wrap):
    """
    Retrievers that share others, level by level, are copied once each, and share the copies.

    Once for each way to them would be 2 ** 60 times.
    """
    base = Numbered()
    for _ in range(LEVELS // 2):
        base = Numbered(held=[wrap(base), wrap(base)])

    copied = passed(base)

    for _ in range(LEVELS // 2):
        left, right = (getattr(held, "bound", held) for held in copied.held)
        assert left is right
        assert copied.k == 7
        copied = left
    assert copied.k == 7
    assert base.k == 3


def test_shared_tuples_are_copied_once():
    """Tuples that share others, level by level, are copied once each."""
    held = (Numbered(), Numbered())
    for _ in range(LEVELS):
        held = (held, held)

    copied = passed(Numbered(held=held)).held
    for _ in range(LEVELS):
        assert copied[0] is copied[1]
        copied = copied[0]

    assert [each.k for each in copied] == [7, 7]


def test_a_retriever_with_the_number_bound_is_shared():
    """Two retrievers that hold the same one, which gets `k` in a call, still hold the same one."""
    called = Called()

    copied = passed(MergerRetriever(retrievers=[called, called])).retrievers

    assert copied[0] is copied[1]
    assert len(copied[0].invoke("x")) == 7


def test_only_the_first_item_is_looked_at():
    """The time for a field of tuples without retrievers does not depend on their number."""
    counts = []
    for size in (10, 10_000):
        Probe.asked = 0
        base = Numbered(held=[(Probe(),) for _ in range(size)])
        assert passed(base).held is base.held
        counts.append(Probe.asked)

    assert counts[0] == counts[1] > 0


def test_a_binding_may_hold_itself():
    """A binding that holds itself stays as it is, also inside a retriever."""
    binding = RunnableLambda(str).with_config(tags=["a"])
    binding.bound = binding

    assert passed(binding) is binding
    assert passed(Numbered(held=[binding])).k == 7


def test_a_list_may_hold_itself():
    """Of a list that holds itself, the copy holds the list."""
    held = [Numbered()]
    held.append(held)

    copied = passed(Numbered(held=held)).held

    assert copied[0].k == 7
    assert copied[1] is held


def test_a_truth_value_is_no_number():
    """A field `k` that is `True` or `False` stays, and one that is `None` gets the number."""
    copied = passed(Switched(search_kwargs={"k": 2}))

    assert copied.k is True
    assert copied.search_kwargs == {"k": 7}
    assert passed(Numbered(k=None)).k == 7


def test_copies_are_not_validated():
    """The number of a call may be larger than the validator of the retriever allows."""
    assert passed(Numbered(), 20).k == 20


async def test_the_log_names_a_shared_retriever_once(reranker, invoke, mode, caplog):
    """A retriever that holds one without a number is not named, also if another holds it too."""
    name = f"Shared{mode.title()}"
    fields = {"_get_relevant_documents": lambda self, query, *, run_manager: [Document("a")]}
    shared = type(name, (BaseRetriever,), fields)()
    base = MergerRetriever(retrievers=[shared, MergerRetriever(retrievers=[shared])])

    await invoke(reranker.as_retriever(base, fetch_k=50))

    [record] = [each for each in caplog.records if "fetch_k" in each.getMessage()]
    assert record.getMessage().startswith(f"fetch_k had no effect on {name}, which")
