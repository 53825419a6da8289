"""Long documents: which they are, and how their passages make one ranking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank import Passage, RankedDocument, Ranking, RerankDocument
from openrouter_rerank._call.arguments import checked_arguments
from openrouter_rerank._call.long_documents import are_long, long_documents, split_documents
from openrouter_rerank._call.passages import estimated_tokens
from openrouter_rerank.client_options.long_documents import LongDocumentRules
from openrouter_rerank.errors import InvalidRequestError

SMALL = "cohere/rerank-v3.5"  # 4,096 tokens
LARGE = "cohere/rerank-4-fast"  # 32,768 tokens
UNKNOWN = "some/model"
LONG = "".join(f"Sentence {number} has six words here. " for number in range(600))
IMAGE = "https://host/image.png"
SPLIT = {"long_documents": "split"}

LENGTHS = st.integers(min_value=0, max_value=900)
TEXTS = st.builds(lambda word, count: f"{word} " * count + word, st.sampled_from("abc"), LENGTHS)


def arguments(documents, *, query="q", model=SMALL, top_n=None, **options):
    """Return the checked arguments of a call."""
    return checked_arguments(query, documents, model=model, top_n=top_n, **options)


def ranking_of(scores):
    """Return a ranking by score, with equal scores by position, as the service does."""
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    results = tuple(RankedDocument(index, scores[index]) for index in order)
    return Ranking(results=results, model="m", requests=())


def long_positions(documents, *models, query="q", policy="truncate"):
    """Return the positions of the documents that are too long, or `None`."""
    found = long_documents(documents, query, models, LongDocumentRules(policy))
    return found and sorted(found.tokens)


@pytest.mark.parametrize(
    ("documents", "models", "policy", "positions"),
    [
        pytest.param(["a", LONG, "b"], [SMALL], "truncate", [1], id="above the context"),
        pytest.param(["a", LONG], [LARGE], "truncate", None, id="below a larger context"),
        pytest.param([LONG * 8], [LARGE], "truncate", [0], id="above a larger context"),
        pytest.param([LONG], [LARGE, SMALL], "truncate", [0], id="fallback with less context"),
        pytest.param([LONG], [UNKNOWN], "truncate", None, id="no known context"),
        pytest.param([LONG], [UNKNOWN], "split", [0], id="assumed context to split"),
        pytest.param([LONG], [UNKNOWN], "raise", [0], id="assumed context to raise"),
        pytest.param([LONG], [LARGE, UNKNOWN], "split", [0], id="fallback with assumed context"),
        pytest.param([("a: b\n\n", LONG)], [SMALL], "truncate", [0], id="headed text"),
        pytest.param([("a: b\n\n" + LONG, "c")], [SMALL], "truncate", [0], id="long heading"),
        pytest.param([("a: b\n\n", "c")], [SMALL], "truncate", None, id="short headed text"),
        pytest.param(
            [RerankDocument(text=LONG, image=IMAGE)], [SMALL], "truncate", [0], id="with an image"
        ),
        pytest.param(
            ["a", RerankDocument(image="data:image/png;base64," + "A" * 90_000)],
            [SMALL],
            "truncate",
            None,
            id="image alone",
        ),
        pytest.param(["長い文。" * 1_200], [SMALL], "truncate", [0], id="Japanese"),
        pytest.param(["a" * 4_000], [SMALL], "truncate", None, id="ASCII below one token a letter"),
        pytest.param([], [SMALL], "truncate", None, id="no documents"),
    ],
)
def test_documents_above_the_smallest_context_are_long(documents, models, policy, positions):
    """A document is long if it exceeds the smallest context of the models of the call."""
    assert long_positions(documents, *models, policy=policy) == positions


def test_a_long_query_leaves_less_room_for_documents():
    """The query counts in the context, up to the part that leaves room for documents."""
    document = "word " * 1_000

    assert long_positions([document], SMALL) is None
    assert long_positions([document], SMALL, query="why " * 2_790) == [0]
    found = long_documents([LONG], "why " * 9_000, [SMALL], LongDocumentRules())
    assert found is not None
    assert found.room == 4_096 - int(0.7 * 4_096) - 64


def test_the_longest_possible_query_is_no_problem():
    """A query that is exactly as long as a model reads is not reported next to a long document."""
    found = long_documents([LONG * 9], "why " * 8_000, ["mongodb/rerank-3"], LongDocumentRules())

    assert found is not None
    assert found.query_problem is None


@pytest.mark.parametrize(
    ("model", "query", "problem"),
    [
        (SMALL, "why " * 2_800, None),
        (
            SMALL,
            "why " * 2_900,
            (
                "the query has up to 2,900 tokens, but the context of cohere/rerank-v3.5 is 4,096 "
                "tokens for the query and a document together, so that too little of a document "
                "is read"
            ),
        ),
        ("mongodb/rerank-3", "why " * 8_000, None),
        (
            "mongodb/rerank-3",
            "why " * 8_001,
            "the query has up to 8,001 tokens, but mongodb/rerank-3 reads 8,000 tokens of a query",
        ),
    ],
)
def test_a_query_can_be_too_long(model, query, problem):
    """A query that leaves no room for documents is reported, and an error if so chosen."""
    found = long_documents(["a"], query, [model], LongDocumentRules())

    assert (found and found.query_problem) == problem
    if problem is not None:
        reports = Reports()
        arguments(["a"], query=query, model=model, situations=reports)
        assert reports.texts == [("long query", f"{problem}: shorten the query")]
        with pytest.raises(InvalidRequestError, match="shorten the query"):
            arguments(["a"], query=query, model=model, long_documents="raise")
        assert arguments(["a"], query=query, model=model, **SPLIT).split is None
        reports = Reports()
        assert arguments([LONG * 9], query=query, model=model, situations=reports, **SPLIT).split
        assert reports.texts == [("long query", f"{problem}: shorten the query")]


@given(st.lists(TEXTS, min_size=1, max_size=5), st.none() | st.integers(1, 5))
def test_documents_that_fit_are_sent_as_without_the_option(documents, top_n):
    """If every document fits, the call is the same with and without `"split"`."""
    assert arguments(documents, top_n=top_n, **SPLIT) == arguments(documents, top_n=top_n)


@given(st.lists(TEXTS | st.just(LONG) | st.just(LONG + "b"), min_size=1, max_size=5), st.data())
def test_a_document_has_the_score_of_its_best_passage(documents, data):
    """Each document is ranked once, by the best score of its passages, and names that passage."""
    found = arguments(documents, passage_tokens=300, **SPLIT)
    sent = found.call.documents
    score_of = {text: data.draw(st.sampled_from([0.1, 0.5, 0.9])) for text in sent}
    ranking = found.call.positions.restored(
        ranking_of([score_of[text] for text in sent]), found.call.top_n
    )

    whole = ranking if found.split is None else found.split.whole(ranking)

    assert sorted(result.index for result in whole.results) == [*range(len(documents))]
    assert list(whole.results) == sorted(
        whole.results, key=lambda result: (-result.relevance_score, result.index)
    )
    for result in whole.results:
        document = documents[result.index]
        if (passage := whole.passages.get(result.index)) is not None:
            text = document[passage.start : passage.end].strip()
            assert estimated_tokens(text) <= 300
        else:
            text = document
        assert score_of[text] == result.relevance_score
    long = {index for index, document in enumerate(documents) if document.startswith(LONG)}
    assert set(whole.passages) == long


def test_the_passages_of_a_document_are_its_whole_text():
    """The passages of a long document are sent in order, and joined they are the document."""
    found = arguments(["short", LONG, "end"], **SPLIT)
    spans = [span for index, span in found.split.origins if index == 1]

    first, *passages, last = found.call.documents

    assert (first, last) == ("short", "end")
    assert "".join(LONG[start:end] for start, end in spans) == LONG
    assert passages == [LONG[start:end].strip() for start, end in spans]
    assert all(estimated_tokens(text) <= 450 for text in passages)


def test_copies_of_passages_are_sent_once():
    """A passage that stands in two documents is sent once."""
    once = arguments([LONG], **SPLIT).call.documents
    twice = arguments([LONG, LONG], **SPLIT).call.documents

    assert twice == once


def test_top_n_is_applied_to_documents_and_not_to_passages():
    """`top_n` is not sent with passages, because the best ones may all be of one document."""
    found = arguments([LONG, "a", "b"], top_n=2, **SPLIT)
    count = len(found.split.documents)

    whole = found.split.whole(ranking_of([0.9] * (count - 2) + [0.1, 0.5]))

    assert found.call.top_n is None
    assert [(each.index, each.relevance_score) for each in whole.results] == [(0, 0.9), (2, 0.5)]


def test_max_passages_leaves_out_text_and_says_so():
    """Only the first `max_passages` passages of a document are sent, and the result tells."""
    found = arguments([LONG, "a"], max_passages=2, **SPLIT)

    whole = found.split.whole(ranking_of([0.1, 0.8, 0.5]))

    assert len(found.call.documents) == 3
    assert whole.passages == {0: Passage(*found.split.origins[1][1], is_cut=True)}
    count = len(arguments([LONG], max_passages=99, **SPLIT).split.documents)
    assert not arguments([LONG], max_passages=count, **SPLIT).split.cut
    assert arguments([LONG], max_passages=count - 1, **SPLIT).split.cut == {0}


def test_an_image_goes_with_the_first_passage():
    """The image of a long document is sent once, with its first passage."""
    found = arguments([{"text": LONG, "image": IMAGE}, "a"], **SPLIT)

    first, *others = found.call.documents
    assert first.image == IMAGE
    assert LONG.startswith(first.text)
    assert all(isinstance(text, str) for text in others)


def test_headings_are_part_of_the_text_that_is_split():
    """If one headed text is long, all are sent as plain texts, and nothing of them is lost."""
    rules = LongDocumentRules("split")
    documents = [("title: x\n\n", LONG), ("title: y\n\n", "short")]

    found = split_documents(documents, "q", [SMALL], rules, top_n=None, situations=None)

    *passages, last = found.documents
    assert "".join("".join(passages).split()) == "".join(f"title: x{LONG}".split())
    assert last == "title: y\n\nshort"


def test_a_long_document_is_refused_on_request():
    """With `"raise"`, the error names the longest document, its tokens and the context."""
    with pytest.raises(InvalidRequestError) as refused:
        arguments(["a", LONG, LONG + LONG], long_documents="raise")

    assert refused.value.message == (
        "2 of 3 documents may be longer than the context of cohere/rerank-v3.5 (4,096 tokens, "
        f"query included); the longest, documents[2], has up to {estimated_tokens(LONG + LONG):,} "
        "tokens: shorten them, or set long_documents='split' to rank their passages"
    )


def test_an_assumed_context_is_named_as_such():
    """The error says that the context of an unknown model is an assumption."""
    with pytest.raises(InvalidRequestError, match="included; it is not known, so this is assumed"):
        arguments([LONG], model=UNKNOWN, long_documents="raise")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"long_documents": "cut"},
            "long_documents must be 'truncate', 'split' or 'raise', got 'cut'",
        ),
        ({"long_documents": None}, "long_documents must be .*got None"),
        ({"passage_tokens": 31}, "passage_tokens must be a whole number, 32 or more, got 31"),
        ({"passage_tokens": None}, "passage_tokens must be .*got None"),
        ({"max_passages": 0}, "max_passages must be a whole number, 1 or more, or None, got 0"),
    ],
)
def test_options_for_long_documents_are_checked(options, message):
    """A wrong option is refused with its value, also if no document is long."""
    with pytest.raises(InvalidRequestError, match=message):
        arguments(["a"], **options)


def test_options_of_a_call_change_the_rules_of_the_client():
    """An option of the call counts over that of the client; the others stay."""
    rules = LongDocumentRules("split", 100, 3)

    [client, call, other] = (
        arguments([LONG], rules=rules, **options)
        for options in ({}, {"max_passages": 2}, {"long_documents": "truncate"})
    )

    assert [len(each.call.documents) for each in (client, call, other)] == [3, 2, 1]
    assert estimated_tokens(client.call.documents[0]) <= 100


CUT_BY_THE_SERVICE = (
    "1 of 2 documents may be longer than the context of cohere/rerank-v3.5 (4,096 tokens, query "
    "included). The service ranks only the start of a document that is. Set long_documents='split' "
    "to rank its passages, or pass shorter documents."
)
CUT_BY_MAX_PASSAGES = (
    "1 of 2 documents have more than max_passages=2 passages: the text behind these was not "
    "ranked. Raise max_passages or passage_tokens to rank it."
)


class Reports:
    """Collects what is reported. It is quiet about the situations in `quiet`."""

    def __init__(self, *quiet):
        self.texts = []
        self._quiet = quiet

    def report(self, situation, text, *values):
        """Add a report."""
        self.texts.append((situation, text % values))

    def is_logged(self, situation):
        """Return `True` if a report of this situation would be logged."""
        return situation not in self._quiet


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [("long documents", CUT_BY_THE_SERVICE)]),
        ({"max_passages": 2, **SPLIT}, [("passages left out", CUT_BY_MAX_PASSAGES)]),
        (SPLIT, []),
        ({"model": LARGE}, []),
    ],
)
def test_text_that_is_not_ranked_is_reported(options, expected):
    """A report says how many documents are not ranked as a whole, why, and what to set."""
    reports = Reports()

    arguments(["a", LONG], situations=reports, **options)

    assert reports.texts == expected


def test_nothing_is_estimated_for_a_report_that_nobody_reads():
    """If reports of long documents are not logged, the documents are not looked at."""
    reports = Reports("long documents")

    assert arguments(["a", LONG], situations=reports).split is None
    assert arguments(["a", LONG], situations=reports, **SPLIT).split is not None
    assert reports.texts == []


@pytest.mark.parametrize(
    ("documents", "options", "expected"),
    [
        ([LONG * 11], SPLIT, True),
        ([LONG] * 11, SPLIT, True),
        (({"text": LONG * 11},), SPLIT, True),
        ([RerankDocument(text=LONG * 11)], SPLIT, True),
        ([("title\n\n", LONG * 11)], SPLIT, True),
        ([LONG], SPLIT, False),
        (["a" * 200_001], SPLIT, True),
        ([5, "a" * 200_001], SPLIT, True),
        (["a" * 200_000, RerankDocument(image=IMAGE), 5, None], SPLIT, False),
        ([{"text": None}, RerankDocument(image=IMAGE), 5], SPLIT, False),
        (None, SPLIT, False),
        ([LONG * 11], {}, False),
    ],
)
def test_only_much_text_to_split_is_long(documents, options, expected):
    """Splitting would block an event loop for long only if there is much text to split."""
    assert are_long(documents, LongDocumentRules(), options) is expected


class Unreadable(dict):
    """A document whose fields cannot be read."""

    def get(self, *_):
        """Fail."""
        raise RuntimeError


def test_documents_that_cannot_be_read_are_not_long():
    """A document that raises an error when it is read counts as short: its check comes later."""
    assert not are_long([Unreadable()], LongDocumentRules(), SPLIT)
