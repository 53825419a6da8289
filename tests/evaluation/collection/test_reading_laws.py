"""Laws of reading collections, for any collection and any bytes."""

import contextlib
import json
import tempfile
from functools import partial
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from openrouter_rerank.evaluation.collection.collection import Collection, CollectionError

from tests.evaluation.collections import write_beir, write_jsonl, write_text, write_trec

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
# Columns are separated by white space, so an id of a run or of judgements has none.
IDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)


@st.composite
def collections(draw):
    """Collections with candidates for each question, and judgements of some of them."""
    documents = draw(st.dictionaries(IDS, TEXTS, min_size=1, max_size=6))
    questions = draw(st.dictionaries(IDS, TEXTS, min_size=1, max_size=4))
    some = st.lists(st.sampled_from(list(documents)), min_size=1, unique=True).map(tuple)
    candidates = {question: draw(some) for question in questions}
    grades = {
        question: {id_: grade for id_, grade in zip(ids, draw(GRADES), strict=False) if grade < 3}
        for question, ids in candidates.items()
    }
    listed = {id_ for ids in candidates.values() for id_ in ids}
    return Collection(
        name="any",
        questions=questions,
        documents={id_: text for id_, text in documents.items() if id_ in listed},
        judgements={question: each for question, each in grades.items() if each},
        candidates=candidates,
    )


GRADES = st.lists(st.integers(-1, 4), min_size=6, max_size=6)
FORMS = st.fixed_dictionaries(
    {"mark": st.sampled_from(["", "\ufeff"]), "newline": st.sampled_from(["\n", "\r\n"])}
)


@contextlib.contextmanager
def new_folder():
    """Make a folder for one example."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def data_of(collection):
    """Return all that the formats hold, with the orders that count."""
    return (
        list(collection.questions.items()),
        collection.documents,
        collection.judgements,
        collection.candidates,
    )


@given(collections(), FORMS, st.sampled_from(["", ".gz"]))
def test_a_written_folder_of_beir_is_read_as_it_was(collection, form, ending):
    """A collection that is written as BEIR with a run is read without a change."""
    with new_folder() as folder:
        path, run = write_beir(folder, collection, ending=ending, **form)
        assert data_of(Collection.from_beir(path, run=run)) == data_of(collection)


@given(collections(), FORMS)
def test_written_files_of_trec_are_read_as_they_were(collection, form):
    """A collection that is written as separate files is read without a change."""
    with new_folder() as folder:
        paths = write_trec(folder, collection, **form)
        assert data_of(Collection.from_trec(**paths)) == data_of(collection)


@given(collections(), FORMS)
def test_written_json_lines_are_read_as_they_were(collection, form):
    """A collection that is written as JSON lines is read without a change."""
    with new_folder() as folder:
        file = write_jsonl(folder / "any.jsonl", collection, **form)
        assert data_of(Collection.from_jsonl(file)) == data_of(collection)


@given(collections(), st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_candidates_with_the_same_score_keep_the_order_of_the_file(collection, scores):
    """The order of a run is that of its scores, and within a score that of its lines."""
    run = "".join(
        f"{question} Q0 {id_} 0 {score} tag\n"
        for question, ids in collection.candidates.items()
        for id_, score in zip(ids, scores, strict=False)
    )
    with new_folder() as folder:
        paths = write_trec(folder, collection)
        write_text(paths["run"], run)
        found = Collection.from_trec(**paths).candidates

    for question, ids in collection.candidates.items():
        by_score = [
            id_
            for wanted in (2, 1, 0)
            for id_, score in zip(ids, scores, strict=False)
            if score == wanted
        ]
        assert list(found[question]) == by_score


LINES = st.lists(
    st.sampled_from(
        [
            b'{"_id": "d1", "text": "one"}',
            b'{"query": "one?", "candidates": ["one"]}',
            b'{"query": "two?", "candidates": [{"id": 1, "text": "one", "relevance": 1}]}',
            b"q1 Q0 d1 1 0.5 tag",
            b"q1\td1\t1",
            b"query-id\tcorpus-id\tscore",
        ]
    )
    | st.binary(max_size=20)
).map(b"\n".join)
# Bytes in which a few were changed are nearly right, so they get further than any bytes do.
CHANGES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=3)


def changed(content, changes):
    """Return the bytes with some of them replaced."""
    data = bytearray(content)
    for at, byte in changes:
        if at < len(data):
            data[at] = byte
    return bytes(data)


GOOD = Collection(
    name="good",
    questions={"q1": "one?"},
    documents={"d1": "one"},
    judgements={"q1": {"d1": 1}},
    candidates={"q1": ("d1",)},
)


def refusals(content):
    """Read a file with these bytes as each format, and yield the messages of our errors."""
    with new_folder() as folder:
        paths = write_trec(folder, GOOD)
        bad = folder / "bad.jsonl"
        bad.write_bytes(content)
        (folder / "bad.tsv").write_bytes(content)
        reads = [partial(Collection.from_jsonl, bad)]
        reads += [
            partial(Collection.from_trec, **paths | {name: path})
            for name in paths
            for path in (bad, folder / "bad.tsv")
        ]
        for read in reads:
            try:
                read()
            except CollectionError as error:
                yield str(error)


@given(LINES | st.binary(), CHANGES)
@example(b"\x1f\x8b\x08", [])
@example(b"\xef\xbb\xbf\xef\xbb\xbf{}", [])
def test_any_bytes_are_a_collection_or_an_error(content, changes):
    """Any bytes, read as any of the formats, give a collection or a `CollectionError`."""
    for message in refusals(changed(content, changes)):
        assert message.isprintable()
        assert len(message) < 500


KEYS = ["_id", "id", "query", "candidates", "title", "text", "relevance", "score", "image"]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
)


@given(JSON_VALUES)
def test_any_json_is_a_collection_or_an_error(value):
    """Any JSON value as a line gives a collection or a `CollectionError`."""
    for message in refusals(json.dumps(value).encode()):
        assert message.isprintable()
        assert len(message) < 500
