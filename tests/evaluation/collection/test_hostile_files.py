"""Hostile files: huge, damaged, of other encodings, or no files at all."""

import gzip
import json
import os
import sys

import pytest
from openrouter_rerank.evaluation.collection.collection import Collection, CollectionError
from openrouter_rerank.evaluation.collection.lines import LONGEST_LINE

from tests.evaluation.collections import ONE_CANDIDATE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these files")
@pytest.mark.parametrize("path", ["/proc/self/mem", "/dev/zero", "/dev/full", "/proc/self/fd"])
def test_special_files_are_refused(path):
    """A device is not read, because it may have no end; nor is a file that fails."""
    with pytest.raises(CollectionError):
        Collection.from_jsonl(path)


def test_a_file_without_permission_is_refused(tmp_path):
    """A file or folder that the user may not read is refused, and the message says so."""
    file, qrels = tmp_path / "file.jsonl", tmp_path / "qrels"
    file.write_text(ONE_CANDIDATE)
    qrels.mkdir()
    file.chmod(0)
    qrels.chmod(0)
    if os.access(file, os.R_OK):
        pytest.skip("this user may read every file")

    try:
        for read, path in (
            (Collection.from_jsonl, file),
            (Collection.from_beir, qrels),
            (Collection.from_beir, tmp_path),
        ):
            with pytest.raises(CollectionError, match="permission denied: make it readable"):
                read(path)
    finally:
        qrels.chmod(0o700)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff{}", "line 1: byte 1 is not UTF-8: save the file as UTF-8"),
        (
            ONE_CANDIDATE.encode("utf-16"),
            "line 1: contains null bytes or is UTF-16: save the file as UTF-8 text",
        ),
        (
            ONE_CANDIDATE.encode("utf-16-be"),
            "line 1: contains null bytes or is UTF-16: save the file as UTF-8 text",
        ),
        (
            ONE_CANDIDATE.encode() + b"\0",
            "line 2: contains null bytes or is UTF-16: save the file as UTF-8 text",
        ),
        (b"[" * 100_000, "line 1: the JSON is nested too deeply"),
        (b'{"a":' * 100_000, "line 1: the JSON is nested too deeply"),
        (
            b'{"id": ' + b"9" * 5_000 + b', "query": "one?", "candidates": ["one"]}',
            "line 1: 'id' must be a string or a whole number, got inf",
        ),
        (
            b'{"query": "one?", "candidates": [{"text": "a", "relevance": ' + b"9" * 5_000 + b"}]}",
            "line 1, candidate 0: 'relevance' must be a whole number, true or false, got inf",
        ),
        (
            gzip.compress(ONE_CANDIDATE.encode(), mtime=0)[:-9],
            "the gzip data ends too early: compress the file again",
        ),
        (
            gzip.compress(ONE_CANDIDATE.encode(), mtime=0)[:-8] + bytes(8),
            "the gzip data is damaged: compress the file again",
        ),
        (b"\x1f\x8b\x08\x00" + b"\xff" * 50, "the gzip data is damaged: compress the file again"),
        (b"\x1f\x8b", "the gzip data ends too early: compress the file again"),
    ],
)
def test_hostile_content_is_refused(message, content, problem):
    """Other encodings, deep JSON, huge numbers and damaged gzip data are told apart."""
    name = "candidates.jsonl"

    assert message(name, content) in {f"{name}: {problem}", f"{name}, {problem}"}


def test_a_huge_number_in_a_run_or_in_judgements_is_refused(message):
    """A number of 5,000 digits is neither a score nor a grade, and is not shown in full."""
    digits = "9" * 5_000

    assert "is not a finite number" in message("run.txt", f"q1 Q0 d1 1 {digits} tag")
    assert "must be a whole number" in message("qrels/test.tsv", f"q1 d1 {digits}")


@pytest.mark.parametrize("compress", [False, True])
def test_a_huge_line_is_refused(message, compress):
    """A line of 100 MB is refused, also if the file is small because it is compressed."""
    huge = b"x" * 100_000_000
    content = gzip.compress(huge, 1) if compress else huge

    assert message("candidates.jsonl", content) == (
        "candidates.jsonl, line 1: longer than 50 MB; is this the right file?"
    )


def test_a_long_line_is_read(tmp_path):
    """A line of 20 MB, such as many candidates with long texts, is read."""
    text = "x" * 20_000_000
    (tmp_path / "long.jsonl").write_text(json.dumps({"query": "one?", "candidates": [text]}))

    assert len(text) < LONGEST_LINE
    assert list(Collection.from_jsonl(tmp_path / "long.jsonl").documents) == [text]


def test_a_message_is_one_short_line(tmp_path):
    """A path with a line break, a long path, and long or unprintable values stay in one line."""
    folder = tmp_path / "a\nb" / ("c" * 200)
    folder.mkdir(parents=True)
    file = folder / "candidates.jsonl"
    candidate = {"text": "a", "relevance": "\n\x1b[31m" + "x" * 10_000}
    file.write_text(json.dumps({"query": "one?", "candidates": [candidate]}))

    for path in (file, folder / "nothing"):
        with pytest.raises(CollectionError) as raised:
            Collection.from_jsonl(path)
        assert str(raised.value).isprintable()
        assert len(str(raised.value)) < 500
