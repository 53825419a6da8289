"""What `openrouter-rerank rank` reads, and what it sends."""

import base64
import json

import pytest
from openrouter_rerank.local.stage import scores

from tests.cli.program import call

QUERY = "capital of France"
IMAGE_MODEL = "nvidia/nemotron-3.5-rerank-8b:free"
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(3) + b"\xff\xff\xff,\x00;"
GIF_URI = f"data:image/gif;base64,{base64.b64encode(GIF).decode()}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, in which the program runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sent(stage):
    """Return the documents of the only request."""
    (request,) = stage.requests
    return request.json["documents"]


def sources(done):
    """Return the sources that the output names, in order."""
    assert done.returncode in {0, 3}, done.stderr
    return [line.split("\t")[1] for line in done.stdout.splitlines()]


def failure(done):
    """Return the only line that a command has written which could not do its work."""
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    return line


@pytest.mark.parametrize("files", [(), ("-",)])
def test_each_line_of_the_input_is_a_document(stage, files):
    """Lines of the standard input are documents; blank ones are left out; CRLF is a line break."""
    done = call(stage, "rank", QUERY, *files, stdin=b"Berlin\r\n\n  \nParis, capital of France")

    assert sent(stage) == ["Berlin", "Paris, capital of France"]
    assert sources(done) == ["stdin:4", "stdin:1"]


def test_a_text_file_is_a_document(stage, tmp_path):
    """A text file with any name is one document, and a BOM is not part of it."""
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbf# Berlin\n\nGermany\n")
    (tmp_path / "b").write_text("Paris\ncapital of France\n")

    done = call(stage, "rank", QUERY, tmp_path / "a.md", tmp_path / "b")

    assert sent(stage) == ["# Berlin\n\nGermany\n", "Paris\ncapital of France\n"]
    assert sources(done) == [str(tmp_path / "b"), str(tmp_path / "a.md")]
    assert done.stdout.splitlines()[0].endswith("\tParis capital of France")


def test_each_line_of_a_text_file_is_a_document_with_lines(stage, tmp_path):
    """With `--lines`, the lines of text files are documents, and the source has their numbers."""
    (tmp_path / "a.txt").write_text("Berlin\n\nParis, capital of France\n")

    done = call(stage, "rank", QUERY, "--lines", tmp_path / "a.txt")

    assert sources(done) == [f"{tmp_path}/a.txt:3", f"{tmp_path}/a.txt:1"]


def test_json_lines_are_documents_whose_other_keys_are_printed(stage, tmp_path):
    """A line of JSON is a string or an object; `--json` prints all keys of the object."""
    rows = [{"text": "Berlin", "id": 7}, "Rome", {"text": QUERY, "meta": {"page": 1.5}}]
    (tmp_path / "a.jsonl").write_text("\n\n".join(map(json.dumps, rows)))

    done = call(stage, "rank", QUERY, "--json", tmp_path / "a.jsonl")

    assert sent(stage) == ["Berlin", "Rome", QUERY]
    found = json.loads(done.stdout)["results"]
    assert [each["document"] for each in found] == [rows[2], rows[0], {"text": "Rome"}]
    assert [each["source"].rpartition(":")[2] for each in found] == ["5", "1", "3"]


def test_the_input_can_be_json_lines(stage):
    """With `--jsonl`, the lines of the standard input are JSON."""
    done = call(stage, "rank", QUERY, "--jsonl", stdin='{"text": "Berlin", "id": 7}\n"Paris"\n')

    assert sent(stage) == ["Berlin", "Paris"]
    assert sources(done) == ["stdin:1", "stdin:2"]


@pytest.mark.parametrize("name", ["a.gif", "a"])
def test_an_image_file_is_a_document(stage, tmp_path, name):
    """A file with an image is sent as a data URI, and `--json` prints its name in place of it."""
    file = tmp_path / name
    file.write_bytes(GIF)
    stage.always(scores(0.5))

    done = call(stage, "rank", QUERY, "--model", IMAGE_MODEL, "--json", file)

    assert sent(stage) == [{"image": GIF_URI}]
    assert json.loads(done.stdout)["results"][0]["document"] == {"image": str(file)}


def test_json_lines_can_have_images(stage):
    """An image in JSON is a URL, a data URI or base64; a text can be with it."""
    rows = [
        {"image": "https://example.com/a.png"},
        {"text": "a dot", "image": base64.b64encode(GIF).decode()},
    ]
    stage.always(scores(0.9, 0.5))

    call(
        stage,
        "rank",
        QUERY,
        "--model",
        IMAGE_MODEL,
        "--jsonl",
        stdin="\n".join(map(json.dumps, rows)),
    )

    assert sent(stage) == [rows[0], {"text": "a dot", "image": GIF_URI}]


def test_an_image_in_json_is_never_a_file(stage, tmp_path):
    """A path in a document is not read, although the user may read it."""
    (tmp_path / "a.gif").write_bytes(GIF)
    row = json.dumps({"image": f"{tmp_path}/a.gif"})

    done = call(stage, "rank", QUERY, "--model", IMAGE_MODEL, "--jsonl", stdin=row)

    assert "name it as one of FILES" in failure(done)
    assert stage.requests == []


def test_images_for_a_model_of_text_are_refused(stage, tmp_path):
    """An image is not sent to a model that is known to take only text; a model is named."""
    (tmp_path / "a.gif").write_bytes(GIF)

    done = call(stage, "rank", QUERY, tmp_path / "a.gif")

    assert f"add --model {IMAGE_MODEL}" in failure(done)
    assert stage.requests == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", None, "cannot read a.txt: No such file or directory"),
        (".", None, "cannot read .: Is a directory"),
        ("a.bin", b"\x00\x01", "a.bin is neither a text in UTF-8 nor a PNG"),
        ("a.png", b"text", "a.png is not a PNG, JPEG, GIF or WebP image"),
        ("a.tiff", b"II*\x00", "a.tiff is not a PNG, JPEG, GIF or WebP image"),
        ("a.jsonl", b"{", "a.jsonl:1 is not valid JSON: Expecting property name"),
        ("a.jsonl", b'"x"\n[1]', "a.jsonl:2 is neither a JSON object nor a string"),
        ("a.jsonl", b'{"body": "x"}', 'a.jsonl:1 has neither "text" nor "image"'),
        ("a.jsonl", b'{"text": 1}', 'the "text" of a.jsonl:1 is not a string'),
        ("a.jsonl", b'{"text": "x", "n": NaN}', "a.jsonl:1 is not valid JSON: NaN is not a number"),
        ("a.jsonl", b'{"text": "x", "n": 1e999}', "1e999 is not a number of JSON"),
        ("a.jsonl", b'{"text": "x", "n": ' + b"[" * 100_000, "it is nested too deeply"),
        ("a.jsonl", b'{"text": "x", "n": ' + b"1" * 9_000 + b"}", "is not valid JSON"),
    ],
)
def test_an_input_that_cannot_be_used_is_one_line(stage, folder, name, content, reason):
    """A file that is missing, or is not what its name says, is named with the reason."""
    if content is not None:
        (folder / name).write_bytes(content)

    assert reason in failure(call(stage, "rank", QUERY, name))
    assert stage.requests == []


def test_a_file_that_is_too_large_is_one_line(stage, folder):
    """A file above the limit, which may have no end, is named before anything is sent."""
    with (folder / "a.txt").open("wb") as file:
        file.truncate(256 * 2**20 + 1)

    assert failure(call(stage, "rank", QUERY, "a.txt")).startswith("a.txt is larger than 256 MB")
    assert stage.requests == []


def test_documents_without_text_are_left_out_and_named(stage, folder):
    """Empty files and blank texts are not sent; they are named, and the status is 3."""
    (folder / "empty").touch()
    (folder / "a.jsonl").write_text('{"text": " "}\n{"text": "x"}')

    done = call(stage, "rank", QUERY, "empty", "a.jsonl")

    assert (sent(stage), done.returncode, sources(done)) == (["x"], 3, ["a.jsonl:2"])
    assert done.stderr == "left out, without text (2 of 3): empty, a.jsonl:1\n"


def test_no_documents_are_an_empty_ranking(stage):
    """An empty input, such as a search without results, prints nothing and sends nothing."""
    done = call(stage, "rank", QUERY)

    assert (done.returncode, done.stdout, done.stderr, stage.requests) == (0, "", "", [])


def test_top_n_and_the_model_are_sent(stage):
    """`--top-n` and `--model` are sent, and only the best documents are printed."""
    done = call(
        stage,
        *("rank", QUERY, "--top-n", "1", "--model", "cohere/rerank-4-fast"),
        stdin="Berlin\nParis, capital of France\n",
    )

    assert (stage.requests[0].model, stage.requests[0].json["top_n"]) == ("cohere/rerank-4-fast", 1)
    assert sources(done) == ["stdin:2"]


def test_a_threshold_keeps_the_documents_with_at_least_this_score(stage):
    """`--threshold` keeps documents whose score is at least its value."""
    stage.always(scores(0.2, 0.5, 0.9))

    done = call(stage, "rank", QUERY, "--threshold", "0.5", stdin="a\nb\nc\n")

    assert sources(done) == ["stdin:3", "stdin:2"]


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_bytes_that_are_not_unicode_are_ranked(stage, flags):
    """Invalid UTF-8 and lone surrogates are ranked and printed, also where the output is ASCII."""
    rows = b'"\\ud800 caf\xc3\xa9"\n"\xff"\n'

    done = call(stage, "rank", b"caf\xe9 \xff", "--jsonl", *flags, stdin=rows, encoding="ascii")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    if flags:
        assert json.loads(done.stdout)["results"][0]["document"]["text"] == "\ud800 café"
