"""The formats of collections: BEIR, JSONL and TREC."""

import json

import pytest
from openrouter_rerank.evaluation.collection.collection import Collection, CollectionError

from tests.evaluation.collections import (
    town_documents,
    town_judgements,
    town_questions,
    write_json_lines,
    write_text,
)


def write(folder, files):
    """Write files to a folder, given their texts or the rows of their JSON lines."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            write_text(file, content)
        else:
            write_json_lines(file, content)
    return folder


BEIR = {
    "corpus.jsonl": [{"_id": "d1", "text": "one"}, {"_id": "d2", "text": "two"}],
    "queries.jsonl": [{"_id": "q1", "text": "one?"}, {"_id": "q2", "text": "two?"}],
    "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n",
}


def test_a_folder_of_beir_is_read(towns, towns_folder):
    """All questions, documents and judgements of a folder are read, and it has no candidates."""
    assert towns.name == towns_folder.name == "towns"
    assert towns.questions == town_questions()
    assert towns.documents == {
        id_: f"{title}\n{text}" for id_, (title, text) in town_documents().items()
    }
    assert towns.judgements == town_judgements()
    assert towns.candidates == {}
    assert towns.notes == ()


def test_a_text_is_preceded_by_its_title(tmp_path):
    """Title and text are joined by a newline; a title or text that is blank adds nothing."""
    corpus = [
        {"_id": "both", "title": "Title", "text": "text"},
        {"_id": "blank title", "title": " ", "text": "text"},
        {"_id": "no title", "title": None, "text": "text"},
        {"_id": "no text", "title": "Title", "text": ""},
        {"_id": "d1", "text": "one", "metadata": {"url": "x"}},
        {"_id": 2, "text": "a number as id"},
    ]
    collection = Collection.from_beir(write(tmp_path, BEIR | {"corpus.jsonl": corpus}))

    assert collection.documents == {
        "both": "Title\ntext",
        "blank title": "text",
        "no title": "text",
        "no text": "Title",
        "d1": "one",
        "2": "a number as id",
    }


def test_the_files_of_a_split_are_found_in_both_places(tmp_path):
    """`queries.SPLIT.jsonl` and `qrels.SPLIT.tsv` are read too, and come before other files."""
    files = {
        "corpus.jsonl": BEIR["corpus.jsonl"],
        "queries.jsonl": BEIR["queries.jsonl"],
        "queries.dev.jsonl": [{"_id": "q9", "text": "nine?"}],
        "qrels.dev.tsv": "q9\td2\t1\n",
    }
    collection = Collection.from_beir(write(tmp_path, files), split="dev")

    assert collection.questions == {"q9": "nine?"}
    assert collection.judgements == {"q9": {"d2": 1}}


def test_questions_of_other_splits_are_left_out(tmp_path):
    """Of `queries.jsonl`, only the questions are kept that the split judges; a note counts them."""
    files = BEIR | {"qrels/test.tsv": "q2\td2\t1\n"}
    collection = Collection.from_beir(write(tmp_path, files))

    assert list(collection.questions) == ["q2"]
    assert collection.notes == (
        "Questions without judgements in the split test: 1 of 2. They were left out.",
    )


def test_own_judgements_leave_no_question_out(tmp_path):
    """With `qrels`, all questions are kept, because those without judgements may be meant."""
    folder = write(tmp_path, BEIR | {"mine.txt": "q2 0 d2 1\n"})
    collection = Collection.from_beir(folder, qrels=folder / "mine.txt")

    assert list(collection.questions) == ["q1", "q2"]
    assert collection.judgements == {"q2": {"d2": 1}}


def test_a_folder_without_judgements_is_read(tmp_path):
    """Judgements are not needed: they may be made later."""
    files = {name: BEIR[name] for name in ("corpus.jsonl", "queries.jsonl")}
    collection = Collection.from_beir(str(write(tmp_path, files)))

    assert list(collection.questions) == ["q1", "q2"]
    assert collection.judgements == {}


def test_the_name_of_the_working_directory_is_known(tmp_path, monkeypatch):
    """The collection in `.` has the name of the folder."""
    monkeypatch.chdir(write(tmp_path / "mine", BEIR))

    assert Collection.from_beir(".").name == "mine"


def test_a_deleted_working_directory_is_no_error(tmp_path, monkeypatch):
    """If the working directory is gone, a collection elsewhere can still be read."""
    folder, gone = write(tmp_path / "mine", BEIR), tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert Collection.from_beir(folder).name == "mine"
    with pytest.raises(CollectionError, match="mine: there is no such file or folder"):
        Collection.from_beir("mine")


@pytest.mark.parametrize(
    ("lines", "judgements"),
    [
        ("q1\td1\t1\n", {"d1": 1}),
        ("query-id\tcorpus-id\tscore\nq1\td1\t1\n", {"d1": 1}),
        ("query_id iteration doc_id relevance\nq1 0 d1 1\n", {"d1": 1}),
        ("qid\tdocid\trel\nq1\td1\t0\nq1\td2\t2\n", {"d1": 0, "d2": 2}),
        ("q1 0 d1 1\nq1 0 d2 -1\n", {"d1": 1, "d2": -1}),
        ("q1   Q0\td1  1.0", {"d1": 1}),
        ("\n q1\td1\t1 \n\n", {"d1": 1}),
        ("q1\td1\t1\nq1\td1\t1\n", {"d1": 1}),
    ],
)
def test_judgements_have_3_or_4_columns(tmp_path, lines, judgements):
    """Tabs or spaces separate 3 or 4 columns; a header and a repeated line change nothing."""
    collection = Collection.from_beir(write(tmp_path, BEIR | {"qrels/test.tsv": lines}))

    assert collection.judgements == {"q1": judgements}


def test_ids_with_spaces_are_read_if_tabs_separate_the_columns(tmp_path):
    """An id may contain spaces in files whose columns are separated by tabs."""
    files = {
        "corpus.jsonl": [{"_id": "doc 1", "text": "one"}],
        "queries.jsonl": [{"_id": "first question", "text": "one?"}],
        "qrels/test.tsv": "first question\tdoc 1\t1\n",
        "run.tsv": "first question\tQ0\tdoc 1\t1\t0.5\ttag\n",
    }
    folder = write(tmp_path, files)
    collection = Collection.from_beir(folder, run=folder / "run.tsv")

    assert collection.judgements == {"first question": {"doc 1": 1}}
    assert collection.candidates == {"first question": ("doc 1",)}


def test_a_run_is_ordered_by_score_and_ties_as_in_the_file(tmp_path):
    """The scores decide, not the ranks or the order of lines; ties keep the order of the file."""
    run = (
        "q1 Q0 d2 1 -1e3 tag\n"
        "q2 Q0 d1 7 0.5 tag\n"
        "q1 Q0 d3 9 2 tag\n"
        "q1 Q0 d1 3 2.0 tag\n"
        "q1 Q0 d4 2 12 tag\n"
    )
    corpus = [{"_id": f"d{number}", "text": "text"} for number in (1, 2, 3, 4)]
    folder = write(tmp_path, BEIR | {"corpus.jsonl": corpus, "mine.run": run})
    collection = Collection.from_beir(folder, run=folder / "mine.run")

    assert collection.candidates == {"q1": ("d4", "d3", "d1", "d2"), "q2": ("d1",)}
    assert collection.first_stage == "the run mine.run"


def test_separate_files_are_read(tmp_path):
    """`from_trec` reads documents and questions as JSON lines or tables, a run and judgements."""
    files = BEIR | {
        "corpus.tsv": "d1\tone\nd2\ttwo\twith a tab\nd3\t\n",
        "topics.tsv": "q1\tone?\n",
        "run.txt": "q1 Q0 d2 1 1 tag\n",
        "qrels.txt": "q1 0 d1 1\n",
    }
    folder = write(tmp_path / "mine", files)
    tables = Collection.from_trec(
        corpus=folder / "corpus.tsv",
        queries=folder / "topics.tsv",
        run=folder / "run.txt",
        qrels=folder / "qrels.txt",
    )
    json_lines = Collection.from_trec(
        corpus=folder / "corpus.jsonl", queries=folder / "queries.jsonl"
    )

    assert tables.name == "mine"
    assert tables.questions == {"q1": "one?"}
    assert tables.documents == {"d1": "one", "d2": "two\twith a tab", "d3": ""}
    assert tables.candidates == {"q1": ("d2",)}
    assert tables.judgements == {"q1": {"d1": 1}}
    assert tables.first_stage == "the run run.txt"
    assert json_lines.documents == {"d1": "one", "d2": "two"}
    assert json_lines.judgements == json_lines.candidates == {}


def test_candidates_are_read_from_json_lines(tmp_path):
    """A candidate is a text or an object. Without an id, the text of a question or candidate is."""
    rows = [
        {
            "id": 7,
            "query": "one?",
            "candidates": [
                {"id": "d1", "text": "one", "relevance": True, "score": 0.9},
                {"text": "two", "relevance": 0, "score": 0.9},
                {"id": 3, "text": "three", "relevance": None, "score": 0.1},
                "four",
            ],
        },
        {"query": "two?", "candidates": ["four", {"id": "d1", "text": "one", "relevance": 2.0}]},
    ]
    write_json_lines(tmp_path / "mine.jsonl", rows)
    collection = Collection.from_jsonl(tmp_path / "mine.jsonl")

    assert collection.name == "mine"
    assert collection.questions == {"7": "one?", "two?": "two?"}
    assert collection.documents == {"d1": "one", "two": "two", "3": "three", "four": "four"}
    assert collection.candidates == {"7": ("d1", "two", "3", "four"), "two?": ("four", "d1")}
    assert collection.judgements == {"7": {"d1": 1, "two": 0}, "two?": {"d1": 2}}
    assert collection.first_stage == "the candidates of mine.jsonl"
    assert collection.notes == ()


def test_images_are_noted(tmp_path):
    """Documents with an image are counted in a note; only their texts are in the collection."""
    picture = "https://example.com/picture.png"
    rows = [
        {
            "query": "one?",
            "candidates": [
                {"id": "d1", "text": "one", "image": picture},
                {"id": "d2", "image": picture},
                "three",
            ],
        },
        {"query": "two?", "candidates": [{"id": "d1", "text": "one", "image": picture}]},
    ]
    write_json_lines(tmp_path / "mine.jsonl", rows)
    corpus = [{"_id": "d1", "text": "one", "image": picture}, {"_id": "d2", "image": picture}]
    folder = write(tmp_path / "beir", BEIR | {"corpus.jsonl": corpus})
    note = "Documents with an image: 2. Only their texts are sent."
    blank = "Blank documents: 1. They are not sent, and come last."

    assert Collection.from_jsonl(tmp_path / "mine.jsonl").notes == (note, blank)
    assert Collection.from_jsonl(tmp_path / "mine.jsonl").documents["d2"] == ""
    assert Collection.from_beir(folder).notes == (note, blank)


@pytest.mark.parametrize(
    ("scores", "is_noted"), [((3, 2, 2), False), ((1, 2, 3), False), ((1, 3, 2), True)]
)
def test_scores_in_another_order_are_noted(tmp_path, scores, is_noted):
    """Scores that neither only fall nor only rise are noted; the order of the file counts."""
    candidates = [{"text": f"text {score} {at}", "score": score} for at, score in enumerate(scores)]
    write_json_lines(tmp_path / "mine.jsonl", [{"query": "one?", "candidates": candidates}])
    collection = Collection.from_jsonl(tmp_path / "mine.jsonl")
    note = (
        "Questions whose candidates are not in the order of their scores: 1. "
        "The order counts, not the score."
    )

    assert collection.notes == ((note,) if is_noted else ())
    assert collection.candidates["one?"] == tuple(each["text"] for each in candidates)


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_files_may_be_compressed_and_come_from_windows(tmp_path, ending, mark, newline):
    """Files compressed with gzip, with a byte order mark or Windows line ends read the same."""
    rows = {name: content for name, content in BEIR.items() if not isinstance(content, str)}
    qrels = BEIR["qrels/test.tsv"]
    (tmp_path / "qrels").mkdir()
    for name, content in (rows | {"qrels/test.tsv": qrels}).items():
        text = content if name == "qrels/test.tsv" else "\n".join(map(json.dumps, content))
        write_text(tmp_path / f"{name}{ending}", text, mark=mark, newline=newline)
    collection = Collection.from_beir(tmp_path)

    assert collection.questions == {"q1": "one?", "q2": "two?"}
    assert collection.documents == {"d1": "one", "d2": "two"}
    assert collection.judgements == {"q1": {"d1": 1}, "q2": {"d2": 1}}


def test_line_separators_in_a_text_do_not_end_a_line(tmp_path):
    """Only a newline ends a line: other separators of Unicode are a part of a text."""
    text = "one\u2028two\u0085three"
    rows = [{"query": text, "candidates": [text]}]
    file = tmp_path / "mine.jsonl"
    write_json_lines(file, rows)

    assert list(Collection.from_jsonl(file).questions) == [text]


def test_real_collections_are_read(scifact_mini, xquad):
    """SciFact and XQuAD are read without a note."""
    scifact = Collection.from_beir(scifact_mini)
    languages = sorted(xquad.iterdir())

    assert (len(scifact.questions), len(scifact.documents), scifact.notes) == (60, 952, ())
    assert len(languages) == 12
    for folder in languages:
        collection = Collection.from_beir(folder)
        sizes = (len(collection.questions), len(collection.documents), collection.notes)
        assert sizes == (1_190, 240, ())
