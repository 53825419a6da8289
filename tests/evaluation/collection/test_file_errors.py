"""Files that cannot be used: each gives a `CollectionError` of one line, and nothing else."""

import os

import pytest
from openrouter_rerank.evaluation.collection.bm25 import bm25
from openrouter_rerank.evaluation.collection.collection import Collection, CollectionError

from tests.evaluation.collections import ONE_CANDIDATE, SMALLEST_FILES


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "corpus.jsonl",
            "[",
            (
                "line 1: not valid JSON (Expecting value, column 2); the file must have one JSON "
                "object in each line"
            ),
        ),
        ("corpus.jsonl", '["a"]', "line 1: must be a JSON object, got 'list'"),
        (
            "corpus.jsonl",
            '\n{"text": "one"}',
            "line 2: '_id' must be a string or a whole number, got nothing",
        ),
        (
            "corpus.jsonl",
            '{"_id": 1.5, "text": "one"}',
            "line 1: '_id' must be a string or a whole number, got 1.5",
        ),
        (
            "corpus.jsonl",
            '{"_id": " ", "text": "one"}',
            "line 1: '_id' must be a string or a whole number, got ' '",
        ),
        (
            "corpus.jsonl",
            '{"_id": true, "text": "one"}',
            "line 1: '_id' must be a string or a whole number, got True",
        ),
        ("corpus.jsonl", '{"_id": "d1"}', "line 1: 'text' must be a string, got nothing"),
        (
            "corpus.jsonl",
            '{"_id": "d1", "text": ["one"]}',
            "line 1: 'text' must be a string, got a value of type list",
        ),
        (
            "corpus.jsonl",
            '{"_id": "d1", "text": "one", "title": 3}',
            "line 1: 'title' must be a string, got a value of type int",
        ),
        (
            "corpus.jsonl",
            '{"_id": "d1", "text": "\\ud800"}',
            "line 1: 'text' contains half of a character (a lone surrogate): write the text again",
        ),
        (
            "corpus.jsonl",
            '{"_id": "d1", "text": "one"}\n\n{"_id": "d1", "text": "two"}',
            "line 3: the id 'd1' is on line 1 too: give each its own id",
        ),
        ("corpus.jsonl", "", "there is no document in this file"),
        ("queries.jsonl", "\n", "there is no question in this file"),
        (
            "queries.jsonl",
            '{"_id": "q1", "text": ""}',
            "line 1: 'text' is blank: give each question a text, or remove the line",
        ),
        (
            "queries.jsonl",
            '{"_id": "q1", "text": "a"}\n{"_id": "q1", "text": "b"}',
            "line 2: the id 'q1' is on line 1 too: give each its own id",
        ),
        ("qrels/test.tsv", "q1\td1\t1\nq1\td2\tmany\n", "line 2: the grade 'many' is not a number"),
        (
            "qrels/test.tsv",
            "q1\td1\tmany\n",
            (
                "line 1: the grade 'many' is not a number; if the line is a header, call this "
                "column 'score'"
            ),
        ),
        (
            "qrels/test.tsv",
            "q1\td1\t0.5\n",
            "line 1: the grade must be a whole number from -1,000 to 1,000, got '0.5'",
        ),
        (
            "qrels/test.tsv",
            "q1\td1\tnan\n",
            "line 1: the grade must be a whole number from -1,000 to 1,000, got 'nan'",
        ),
        (
            "qrels/test.tsv",
            "q1 d1\n",
            (
                "line 1: judgements have 3 columns (query document grade) or 4 (query 0 document "
                "grade), got 2"
            ),
        ),
        (
            "qrels/test.tsv",
            "q1 d1 0\nq1 d1 1\n",
            (
                "line 2: the document 'd1' has the grade 0 for the question 'q1' on an earlier "
                "line, and 1 here: keep one of them"
            ),
        ),
        (
            "qrels/test.tsv",
            "query-id\tcorpus-id\tscore\n",
            "there is no judgement in this file",
        ),
        (
            "run.txt",
            "q1 d1 1 0.5 tag\n",
            "line 1: a TREC run has 6 columns (query Q0 document rank score tag), got 5",
        ),
        (
            "run.txt",
            "q1 Q0 d1 1 high tag\n",
            "line 1: the score 'high' is not a finite number",
        ),
        ("run.txt", "q1 Q0 d1 1 inf tag\n", "line 1: the score 'inf' is not a finite number"),
        (
            "run.txt",
            "q1 Q0 d1 1 2 tag\nq1 Q0 d2 2 1 tag\nq1 Q0 d1 3 0 tag\n",
            (
                "line 3: the document 'd1' is on line 1 too, for the same question 'q1': list each "
                "document once"
            ),
        ),
        ("run.txt", "", "there is no candidate in this file"),
        ("candidates.jsonl", "", "there is no question in this file"),
        ("candidates.jsonl", "{}", "line 1: 'query' must be a string, got nothing"),
        (
            "candidates.jsonl",
            '{"query": " ", "candidates": ["one"]}',
            "line 1: 'query' is blank: give each question a text, or remove the line",
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": []}',
            "line 1: 'candidates' must be a list with something in it",
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": {"id": "d1"}}',
            "line 1: 'candidates' must be a list with something in it",
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": ["one", 3]}',
            (
                "line 1, candidate 1: it must be a string, or an object with 'text', got a value "
                "of type int"
            ),
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": [{"text": "one", "relevance": "yes"}]}',
            "line 1, candidate 0: 'relevance' must be a whole number, true or false, got 'yes'",
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": [{"text": "one", "relevance": 0.5}]}',
            "line 1, candidate 0: 'relevance' must be a whole number, true or false, got 0.5",
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": [{"text": "one", "relevance": 5000}]}',
            (
                "line 1, candidate 0: 'relevance' must be a whole number from -1,000 to 1,000, "
                "got 5000"
            ),
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": [{"text": "one", "score": NaN}]}',
            "line 1, candidate 0: 'score' must be a finite number, got nan",
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": [{"text": "one", "score": true}]}',
            "line 1, candidate 0: 'score' must be a finite number, got True",
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": [{"id": "d1"}]}',
            "line 1, candidate 0: 'text' must be a string, got nothing",
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": ["one", " "]}',
            "line 1, candidate 1: it has neither an id nor a text: give it an 'id', or remove it",
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": ["\\udfff"]}',
            (
                "line 1, candidate 0: 'text' contains half of a character (a lone surrogate): "
                "write the text again"
            ),
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": ["one", "two", "one"]}',
            (
                "line 1, candidate 2: it has the id of candidate 0 (without an id, the text is the "
                "id): list each document once"
            ),
        ),
        (
            "candidates.jsonl",
            '{"query": "one?", "candidates": [{"id": 1, "text": "a"}, {"id": 1, "text": "b"}]}',
            (
                "line 1, candidate 1: it has the id of candidate 0 (without an id, the text is the "
                "id): list each document once"
            ),
        ),
        (
            "candidates.jsonl",
            ONE_CANDIDATE + ONE_CANDIDATE,
            "line 2: the same question is on line 1: give each its own 'id', or remove one",
        ),
        (
            "candidates.jsonl",
            ONE_CANDIDATE + '{"query": "two?", "candidates": [{"id": "d1", "text": "two"}]}\n',
            (
                "line 2, candidate 0: the id 'd1' has another text on line 1: give different "
                "texts different ids"
            ),
        ),
    ],
)
def test_an_error_names_file_line_value_and_cure(message, name, content, expected):
    """What is wrong with a file is said in one line: the file, the line, the value, the cure."""
    assert message(name, content) in {f"{name}: {expected}", f"{name}, {expected}"}


def test_ids_that_do_not_match_are_shown(message):
    """If no id of the judgements or of the run is known, the message shows ids of both."""
    questions = "".join(f'{{"_id": "q{number}", "text": "a"}}\n' for number in range(1, 301))
    judged = "".join(f"{number}\td1\t1\n" for number in (1, 3, 5))

    assert message("qrels/test.tsv", judged) == (
        "no query id of the judgements is among the 1 questions (judged: 1, 3, 5; asked: q1)"
    )
    assert message("queries.jsonl", questions.replace("q", "x")) == (
        "no query id of the judgements is among the 300 questions "
        "(judged: q1; asked: x1, x2, x3, ...)"
    )
    assert message("qrels/test.tsv", "q1\t1\t1\n") == (
        "no document id of the judgements is among the 2 documents "
        "(judged: 1; in the collection: d1, d2)"
    )
    assert message("run.txt", "1 Q0 d1 1 1 tag\n") == (
        "no query id of the candidates is among the 1 questions (with candidates: 1; asked: q1)"
    )
    assert message("run.txt", "q1 Q0 1 1 1 tag\n") == (
        "no document id of the candidates is among the 2 documents "
        "(candidates: 1; in the collection: d1, d2)"
    )


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl"])
def test_a_missing_file_of_beir_is_named(tmp_path, monkeypatch, missing):
    """A folder without a needed file is refused with the names of all files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name in {"corpus.jsonl", "queries.jsonl"} - {missing}:
        (tmp_path / "data" / name).write_text(SMALLEST_FILES[name])

    with pytest.raises(CollectionError) as raised:
        Collection.from_beir("data")

    assert str(raised.value) == (
        f"data: no {missing}; a BEIR folder has corpus.jsonl, queries.jsonl and qrels/test.tsv"
    )


def test_documents_are_needed_only_without_a_retriever(tmp_path):
    """Without its documents, a folder is read for a retriever, but no run of it can be used."""
    (tmp_path / "qrels").mkdir()
    for name in SMALLEST_FILES.keys() - {"corpus.jsonl"}:
        (tmp_path / name).write_text(SMALLEST_FILES[name])
    found = Collection.from_beir(tmp_path, with_documents=False)

    assert (found.questions, found.documents) == ({"q1": "one?"}, {})
    assert (found.judgements, found.notes) == ({"q1": {"d1": 1}}, ())
    with pytest.raises(CollectionError, match="BM25 needs documents: pass a collection with docu"):
        bm25(found, 10)
    with pytest.raises(CollectionError, match="documents must have the texts of the candidates"):
        Collection.from_beir(tmp_path, with_documents=False, run=tmp_path / "run.txt")


def test_the_splits_that_are_there_are_named(tmp_path, monkeypatch):
    """If the split is absent, the message names those that the folder has."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/qrels").mkdir(parents=True)
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/dev.tsv.gz", "qrels/train.tsv"):
        (tmp_path / "data" / name).write_text("")

    with pytest.raises(CollectionError) as raised:
        Collection.from_beir("data")
    assert str(raised.value) == (
        "data: no qrels/test.tsv; choose a split that is there: dev, train"
    )

    (tmp_path / "data/queries.jsonl").rename(tmp_path / "data/queries.dev.jsonl")
    with pytest.raises(CollectionError) as raised:
        Collection.from_beir("data")
    assert str(raised.value) == "data: no queries.test.jsonl; choose a split that is there: dev"


@pytest.mark.parametrize("split", ["", "a/b", "a\\b", "a\0b", None, 3])
def test_a_split_is_a_name(tmp_path, split):
    """A split that cannot be a part of a file name is refused."""
    with pytest.raises(CollectionError, match="split must be a name without a slash"):
        Collection.from_beir(tmp_path, split=split)


@pytest.mark.parametrize("path", ["", " ", None, 3, b"data", ["data"], object()])
def test_a_path_is_a_string_or_a_path(path):
    """Anything else than a path is refused with its value."""
    for read in (
        Collection.from_beir,
        Collection.from_jsonl,
        lambda path: Collection.from_trec(corpus=path, queries="queries.jsonl"),
        lambda path: Collection.from_trec(corpus="corpus.jsonl", queries=path),
    ):
        with pytest.raises(CollectionError, match="must be a path, as a string or a"):
            read(path)


def test_the_path_says_what_is_there_instead(tmp_path):
    """A missing file, a folder, a file in place of a folder, and a pipe are told apart."""
    (tmp_path / "file.jsonl").write_text(ONE_CANDIDATE)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone").symlink_to("nowhere")

    def problem(read, name):
        with pytest.raises(CollectionError) as raised:
            read(tmp_path / name)
        return str(raised.value).removeprefix(f"{tmp_path}/{name}: ")

    nothing = "there is no such file or folder: check the path"
    for read in (Collection.from_jsonl, Collection.from_beir):
        assert problem(read, "nothing") == problem(read, "gone") == nothing
        assert problem(read, "loop").startswith("it cannot be read (Too many levels of symbolic")
    assert problem(Collection.from_jsonl, ".").endswith("is a folder: give the path of a file")
    assert problem(Collection.from_jsonl, "file.jsonl/x").startswith("this is not a folder")
    assert problem(Collection.from_beir, "file.jsonl") == (
        "this is a file, and BEIR is a folder; a file with candidates must end in .jsonl (in "
        "Python, Collection.from_jsonl reads it)"
    )
    assert problem(Collection.from_jsonl, "pipe") == (
        "this is a pipe or a device: save its content in a file first"
    )


def test_a_table_has_two_columns(tmp_path):
    """A table of questions or documents has an id and a text, with a tab between them."""
    (tmp_path / "good.tsv").write_text("1\tone\n")

    def problem(text):
        (tmp_path / "bad.tsv").write_text(text)
        with pytest.raises(CollectionError) as raised:
            Collection.from_trec(corpus=tmp_path / "good.tsv", queries=tmp_path / "bad.tsv")
        return str(raised.value).removeprefix(f"{tmp_path}/bad.tsv, line 2: ")

    assert problem("1\tone\n2 two\n") == (
        "a table has 2 columns, id and text, with a tab between them, got 1"
    )
    assert problem("1\tone\n2\t \n") == (
        "the text is blank: give each question a text, or remove the line"
    )
    assert problem("1\tone\n\ttwo\n") == "'id' must be a string or a whole number, got ''"


def test_a_message_shows_no_key_of_a_path(tmp_path):
    """A path with an API key in it is not shown."""
    with pytest.raises(CollectionError) as raised:
        Collection.from_jsonl(tmp_path / "sk-or-v1-0123456789.jsonl")

    assert "0123456789" not in str(raised.value)


def test_a_message_shows_no_key_and_no_document(message):
    """A key in a file is not shown, nor is the text of a document or of a candidate."""
    key = "sk-or-v1-0123456789"

    assert key not in message("qrels/test.tsv", f"q1 d1 {key}")
    assert key not in message("qrels/test.tsv", f"{key} d1 1")
    assert "secret" not in message("corpus.jsonl", '{"_id": "d1", "text": {"a": "secret"}}')
    assert "secret" not in message("corpus.jsonl", '{"_id": "d1", "text": "secret}')
    twice = '{"query": "one?", "candidates": ["secret", "secret"]}'
    assert "secret" not in message("candidates.jsonl", twice)
