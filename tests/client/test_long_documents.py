"""Long documents through the clients: they are ranked by their passages, exactly and once."""

import logging

import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank.errors import (
    ConfigurationError,
    DeadlineExceededError,
    InvalidRequestError,
)

from tests.clients import OWN_CONNECTIONS

QUERY = "capital of France"
FILLER = "".join(f"Paragraph {number} tells of other things.\n\n" for number in range(500))
ANSWER = "Paris is the capital of France."
LONG = FILLER + ANSWER
SHORT = "France has a capital."


def warnings_in(caplog):
    """Return the levels and texts of what is logged about lengths."""
    return [
        (each.levelname, each.getMessage())
        for each in caplog.records
        if "passages" in each.getMessage()
    ]


@OWN_CONNECTIONS
def test_a_long_document_is_ranked_by_its_best_passage(make_client, stage):
    """The passage with the answer decides, wherever it stands, and the result names it."""
    ranking = make_client(long_documents="split").rerank(QUERY, [SHORT, LONG, "Bread."])

    assert [result.index for result in ranking.results] == [1, 0, 2]
    [(index, passage)] = ranking.passages.items()
    assert index == 1
    assert ANSWER in LONG[passage.start : passage.end]
    [request] = stage.requests
    assert "\n\n".join(request.texts[1:-1]) == LONG


@OWN_CONNECTIONS
def test_a_document_that_fits_is_sent_as_without_the_option(make_client, stage):
    """If no document is long, the request and the ranking are those of a call without it."""
    documents = [SHORT, FILLER[:3_000], "Bread."]

    plain = make_client().rerank(QUERY, documents, top_n=2)
    split = make_client(long_documents="split").rerank(QUERY, documents, top_n=2)

    first, second = stage.requests
    assert first.json == second.json
    assert (split.results, split.passages) == (plain.results, {})


@OWN_CONNECTIONS
@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_splitting_into_requests_does_not_change_the_result(make_client, stage, limit):
    """Passages may go into several requests; scores, order and passages stay."""
    client = make_client(long_documents="split", passage_tokens=1_000)
    documents = [SHORT, LONG, LONG.replace("Paris", "Lyon"), "Bread."]
    whole = client.rerank(QUERY, documents)

    split = client.rerank(QUERY, documents, max_documents_per_request=limit, top_n=3)

    assert split.results == whole.results[:3]
    assert split.passages == whole.passages
    assert len(split.requests) > 1 or limit == 1_000


@OWN_CONNECTIONS
def test_the_scores_of_passages_are_stored(make_client, stage):
    """With a score store, a passage is paid for once, also if it is in another document."""
    client = make_client(long_documents="split", score_store=InMemoryByteStore())
    first = client.rerank(QUERY, [LONG, SHORT])

    again = client.rerank(QUERY, [LONG, SHORT], top_n=1)
    client.rerank(QUERY, [LONG + "\n\nThe end of it.", SHORT])

    assert again.results == first.results[:1]
    assert again.passages == first.passages
    assert [len(request.texts) for request in stage.requests[1:]] == [1]


@OWN_CONNECTIONS
def test_max_passages_bounds_what_is_sent(make_client, stage, caplog):
    """Of each long document, at most `max_passages` passages are sent; result and log say so."""
    client = make_client(long_documents="split", max_passages=2)

    ranking = client.rerank(QUERY, [LONG, SHORT])

    assert len(stage.requests[0].texts) == 3
    assert ranking.passages[0].is_cut
    assert [level for level, _ in warnings_in(caplog)] == ["WARNING"]


@OWN_CONNECTIONS
def test_the_first_long_document_is_a_warning_and_later_ones_are_debug(make_client, caplog):
    """A client warns once of documents that the service cuts; later logs are for debugging."""
    caplog.set_level(logging.DEBUG, "openrouter_rerank")
    client = make_client()

    for documents in ([SHORT, LONG], [LONG, LONG + "!"]):
        client.rerank(QUERY, documents)

    [(first, text), (second, other)] = warnings_in(caplog)
    assert (first, second) == ("WARNING", "DEBUG")
    assert text.startswith("1 of 2 documents may be longer")
    assert other.startswith("2 of 2 documents may be longer")
    assert "tells of other things" not in caplog.text


@OWN_CONNECTIONS
def test_a_long_document_can_be_an_error(make_client, stage):
    """With `"raise"`, nothing is sent."""
    with pytest.raises(
        InvalidRequestError, match=r"1 of 2 documents may be longer .* documents\[1\], has up to"
    ):
        make_client(long_documents="raise").rerank(QUERY, [SHORT, LONG])

    assert stage.requests == []


@OWN_CONNECTIONS
def test_a_call_can_override_the_options_of_its_client(make_client, stage):
    """`long_documents`, `passage_tokens` and `max_passages` are arguments of a call, too."""
    client = make_client(long_documents="raise", max_passages=1)

    ranking = client.rerank(
        QUERY, [LONG, SHORT], long_documents="split", passage_tokens=100, max_passages=3
    )

    assert len(stage.requests[0].texts) == 4
    sent = [text for text in stage.requests[0].texts if text != SHORT]
    passage = ranking.passages[0]
    assert LONG[passage.start : passage.end].strip() in sent
    assert passage.is_cut


@OWN_CONNECTIONS
def test_very_long_documents_are_ranked_as_others(make_client, stage):
    """Documents that take long to split give the same result; async calls split in a thread."""
    long = 12 * FILLER + ANSWER
    options = {"long_documents": "split", "passage_tokens": 2_000}

    ranking = make_client(**options).rerank(QUERY, [SHORT, long])

    assert [result.index for result in ranking.results] == [1, 0]
    passage = ranking.passages[1]
    assert ANSWER in long[passage.start : passage.end]


@OWN_CONNECTIONS
def test_the_time_for_splitting_counts(make_client, stage):
    """The deadline includes the time that splitting takes. If it is over, nothing is sent."""
    client = make_client(long_documents="split", timeout=0.001)

    with pytest.raises(DeadlineExceededError):
        client.rerank(QUERY, [100 * FILLER])

    assert stage.requests == []


@pytest.mark.parametrize(
    "options", [{"long_documents": "cut"}, {"passage_tokens": 31}, {"max_passages": 0}]
)
def test_wrong_options_of_a_client_are_refused(make_client, options):
    """A client with a wrong option cannot be made."""
    with pytest.raises(ConfigurationError, match=f"{next(iter(options))} must be"):
        make_client(**options)
