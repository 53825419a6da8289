"""Candidates from BM25."""

import subprocess
import sys
from dataclasses import replace

import pytest
from openrouter_rerank.evaluation.collection.bm25 import bm25
from openrouter_rerank.evaluation.collection.collection import Collection, CollectionError


def collection_of(documents, *questions):
    """Return a collection of these texts, whose ids are their positions."""
    return Collection(
        name="small",
        questions={str(at): text for at, text in enumerate(questions)},
        documents={str(at): text for at, text in enumerate(documents)},
    )


def test_documents_with_more_and_rarer_words_come_first():
    """Candidates contain a word of the question; more and rarer words come first."""
    documents = ["a boat", "a boat and a lantern", "a house", "boats", "a boat on a river"]
    found = bm25(collection_of(documents, "Lanterns of the boat?"), 10)

    assert found.candidates["0"][0] == "1"
    assert set(found.candidates["0"]) == {"0", "1", "3", "4"}
    assert found.first_stage == "BM25 made by this command, not your retriever"


def test_documents_with_the_same_score_keep_the_order_of_the_collection():
    """Equal texts have equal scores, and stay in the order of the collection at any depth."""
    collection = collection_of(["a river", *["a boat"] * 50, "boats boats"], "boat")
    best = bm25(collection, 100).candidates["0"]

    assert best == ("51", *(str(at) for at in range(1, 51)))
    for depth in (1, 2, 10, 50, 51):
        assert bm25(collection, depth).candidates["0"] == best[:depth]


def test_a_question_without_a_word_of_the_documents_has_no_candidates():
    """Questions of other words, of stop words only, and without words have no candidates."""
    found = bm25(collection_of(["a boat", " ", ""], "boat", "the", "river", "?!"), 10)

    assert found.candidates == {"0": ("0",)}
    assert found.notes[0] == "Questions without candidates: 3 of 4. They count as 0."


@pytest.mark.parametrize("documents", [["a river"], ["?", "the"], [" "]])
def test_a_collection_in_which_nothing_is_found_is_refused(documents):
    """If no question has a candidate, an evaluation would mean nothing."""
    with pytest.raises(CollectionError, match="BM25 found no document for any question"):
        bm25(collection_of(documents, "boat"), 10)


@pytest.mark.parametrize(
    ("documents", "question", "best"),
    [
        (["Der Fluss und die Boote", "Das Haus ist alt und die Tür ist zu"], "ein Boot", "0"),
        (["黑豹队的防守只丢了分", "职业碗防守截锋"], "职业碗", "1"),
        (["ทีมรับของแพนเธอร์ส", "อันดับที่หกของลีก"], "อันดับ", "1"),
    ],
)
def test_other_languages_are_split_and_stemmed(documents, question, best):
    """Words of other languages and scripts are found as the local scorers find them."""
    assert bm25(collection_of(documents, question), 1).candidates["0"] == (best,)


def test_candidates_of_the_collection_are_replaced(towns):
    """BM25 replaces the candidates and the first stage, and keeps everything else."""
    other = replace(towns, candidates={"q1": ("d1",)}, first_stage="another")

    assert bm25(other, 10) == bm25(towns, 10)
    assert bm25(other, 10).judgements == towns.judgements
    assert bm25(other, 10).documents == towns.documents


def test_the_small_collection_has_answers_to_find_and_to_move_up(towns):
    """Of the 40 answers, BM25 finds most, and has fewer of them first."""
    found = bm25(towns, 20)
    places = [
        found.candidates[question].index(document)
        for question, grades in towns.judgements.items()
        for document, grade in grades.items()
        if grade and document in found.candidates[question]
    ]

    assert len(places) == 40
    assert 10 <= places.count(0) <= 30


def test_a_collection_without_documents_is_refused():
    """BM25 needs documents, and says so."""
    with pytest.raises(CollectionError, match="BM25 needs documents"):
        bm25(collection_of([], "boat"), 10)


@pytest.mark.parametrize("depth", [0, -1, 1.5, True, None, "10"])
def test_a_depth_is_a_whole_number(towns, depth):
    """A depth that is not a positive whole number is refused."""
    with pytest.raises(CollectionError, match="depth must be a whole number, 1 or more, got"):
        bm25(towns, depth)


def test_every_process_finds_the_same(towns_folder, tmp_path):
    """The candidates do not depend on the hashes of strings, which differ between processes."""
    program = (
        "import sys\n"
        "from openrouter_rerank.evaluation.collection.collection import Collection\n"
        "from openrouter_rerank.evaluation.collection.bm25 import bm25\n"
        "print(bm25(Collection.from_beir(sys.argv[1]), 20).candidates)\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, str(towns_folder)],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1")
    }

    assert len(outputs) == 1
    assert outputs != {b""}


@pytest.mark.parametrize(
    ("name", "ndcg", "ceiling", "most"),
    [("scifact", 0.657, 0.917, 60), ("xquad", 0.969, 0.995, 1_190)],
)
def test_real_collections_have_the_known_numbers(request, name, ndcg, ceiling, most):
    """With 100 candidates, nDCG@10 and its ceiling are those that were measured before."""
    ir_measures = pytest.importorskip("ir_measures")
    fixture = {"scifact": "scifact_mini", "xquad": "xquad"}[name]
    folder = request.getfixturevalue(fixture)
    found = bm25(Collection.from_beir(folder / "en" if name == "xquad" else folder), 100)
    judgements = found.judgements
    runs = {
        question: {id_: -rank for rank, id_ in enumerate(ids)}
        for question, ids in found.candidates.items()
    }
    perfect = {
        question: {id_: judgements[question].get(id_, 0) for id_ in ids}
        for question, ids in found.candidates.items()
    }

    def measured(orders):
        return ir_measures.calc_aggregate([ir_measures.nDCG @ 10], judgements, orders)

    assert len(found.questions) == most
    assert measured(runs)[ir_measures.nDCG @ 10] == pytest.approx(ndcg, abs=0.002)
    assert measured(perfect)[ir_measures.nDCG @ 10] == pytest.approx(ceiling, abs=0.002)
