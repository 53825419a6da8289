"""The benchmarks of long documents run on a small collection, and say so if they have none."""

import sys
import tarfile

import numpy as np
import pytest

from benchmarks import long_documents, token_estimate
from benchmarks.long_documents import COMBINATIONS, into_windows, ndcg
from benchmarks.retrieval_data import languages, read_collection
from benchmarks.tokenizer_files import installed

PROGRAMS = pytest.mark.parametrize("program", [long_documents, token_estimate])


@PROGRAMS
@pytest.mark.parametrize("arguments", [[], ["--data", "/nowhere"]])
def test_without_collections(program, arguments, monkeypatch, capsys):
    """Without collections, a benchmark says so and exits with 0."""
    monkeypatch.delenv("RETRIEVAL_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["benchmark", *arguments])

    with pytest.raises(SystemExit) as exit_:
        program.main()

    assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith("Nothing measured: ")


@PROGRAMS
def test_run(program, collections, monkeypatch, capsys):
    """With collections, a benchmark prints what it measured, or what is not installed."""
    monkeypatch.setenv("RETRIEVAL_DATA", str(collections))
    monkeypatch.setattr(sys, "argv", ["benchmark"])

    program.main()

    assert capsys.readouterr().out


def test_long_documents_tables(collections, monkeypatch, capsys):
    """Splitting finds paragraphs in the middle of a document."""
    pytest.importorskip("onnxruntime", reason="onnxruntime has no wheel for this platform")
    arguments = ["benchmark", "--data", str(collections), "--fillers", "2"]
    monkeypatch.setattr(sys, "argv", arguments)

    long_documents.main()

    out = capsys.readouterr().out
    assert "XQuAD: 2 documents of " in out
    assert "| cut after 256 tokens | 1.0 |" in out
    assert "| split, mean of the best 2 |" in out


def test_token_estimate_table():
    """The table has the first percentile, the median and the last percentile of the ratios."""
    texts = {"digits": ["1234", "12", "123"]}

    assert token_estimate.table(
        texts, {"characters": len, "halves": lambda text: len(text) / 2}
    ) == (
        "| text | characters | halves |\n"
        "| --- | --- | --- |\n"
        "| digits | 1.00 / 1.00 / 1.00 | 2.00 / 2.00 / 2.00 |"
    )


def test_installed_tokenizers_count_tokens():
    """Each tokenizer that is installed counts tokens; the others are named."""
    pytest.importorskip("tiktoken", reason="the script needs it, the packages do not")
    tokenizers, missing = installed()

    assert len(tokenizers) + len(missing) == 3
    assert all(1 <= count("Rerank models read tokens.") <= 26 for count in tokenizers.values())


def test_archives(collections):
    """A packed collection is read as an unpacked one is."""
    unpacked = read_collection(collections, "xquad/en")
    with tarfile.open(collections / "xquad.tar.gz", "w:gz") as archive:
        archive.add(collections / "xquad", "xquad")

    assert read_collection(collections, "xquad/en") == unpacked
    assert languages(collections, "xquad") == ["xquad/en"]
    assert unpacked.documents["p4"].title == "Chess"
    assert unpacked.relevant["q5"] == {"p5"}


@pytest.mark.parametrize(
    ("scores", "relevant", "expected"),
    [
        ([0.9, 0.1], {0}, 1),
        ([0.1, 0.9], {0}, 0.6309),
        ([0.5, 0.4, 0.3], {0, 2}, 0.9197),
        ([1.0] * 10 + [0.5], {10}, 0),
    ],
)
def test_ndcg(scores, relevant, expected):
    """A relevant document counts less, the lower it is, and nothing behind the tenth place."""
    assert ndcg(scores, relevant) == pytest.approx(expected, abs=1e-4)


def test_combinations():
    """The score of a document is computed from the scores of its passages."""
    scores = np.array([0.1, 0.9, 0.5, 0.3], dtype=np.float32)

    found = {name: combine(scores) for name, combine in COMBINATIONS.items()}

    assert found == {
        "max": pytest.approx(0.9),
        "mean of the best 2": pytest.approx(0.7),
        "mean of the best 3": pytest.approx(1.7 / 3),
        "mean of all": pytest.approx(0.45),
    }


def test_windows():
    """A window has the same number of words each, except the last."""
    assert into_windows(2)("one two\n\nthree four five") == ["one two", "three four", "five"]
