"""Advice of the command line names its own options, and not those of Python."""

import ast
import re
from functools import cache
from pathlib import Path

import openrouter_rerank
import pytest
from openrouter_rerank.cli.wording import PHRASES, for_command_line
from openrouter_rerank.local.stage import Fault, Reply, error, refusing_address

from tests.cli.program import call

OF_PYTHON = re.compile(
    r"base_url|api_key|fallback_models|max_concurrency|rate_limiter|RerankClient|http_client|"
    r"max_documents|allow_insecure|Raise timeout|model and provider"
)
# Options that no command passes to the client, so that no command can have these messages.
NOT_PASSED = re.compile(r"rate_limiter|http_client|default_headers|fallback_models must|is of type")
UNAVAILABLE = {"error": {"code": 404, "message": "none", "availability": {"fallback_models": "a"}}}


@pytest.mark.parametrize("command", [("rank", "q"), ("check",)])
@pytest.mark.parametrize(
    ("reply", "advice"),
    [
        (error(400, "Model x does not exist"), "`openrouter-rerank models` lists the models"),
        (error(401, "no"), "Check OPENROUTER_API_KEY (keys: openrouter.ai/keys)."),
        (error(402, "no"), "Add credits"),
        (error(404, "no provider"), "Check --model."),
        (Reply(status=404, body="<html>"), "Check the base URL"),
        (Reply(status=404, body=UNAVAILABLE), "Choose another --model: ['a']."),
        (error(413, "too large"), "Rank fewer or shorter documents."),
        (error(503, "down"), "Retry later, or choose another --model."),
        (Reply(status=429, headers={"retry-after": "90"}, body={}), "Retry after 90 s."),
        (Reply(status=302, headers={"location": "/"}), "Check the base URL."),
        (Reply(body={"results": []}), "Choose another --model."),
        (Fault.close(), "Retry later, or choose another --model."),
    ],
)
def test_advice_about_a_response(stage, command, reply, advice):
    """Each failure of the call ends with advice that the user of a command can follow."""
    account = Reply(body={"data": {"label": ""}})
    stage.always(lambda request: account if request.method == "GET" else reply)

    done = call(stage, *command, stdin="a\nb\n")

    assert done.returncode in {1, 3}
    assert advice in done.stdout + done.stderr
    assert OF_PYTHON.findall(done.stdout + done.stderr) == []


@pytest.mark.parametrize("command", [("rank", "q"), ("check",)])
def test_advice_about_a_late_response(stage, command):
    """If the service does not answer in time, the advice names the option."""
    stage.always(Fault.hang())

    done = call(stage, *command, "--timeout", "0.4", stdin="a\nb\n")

    assert done.returncode == 1
    assert "Raise --timeout" in done.stdout + done.stderr
    assert OF_PYTHON.findall(done.stdout + done.stderr) == []


@pytest.mark.parametrize(
    ("base_url", "advice"),
    [
        (None, "Check the base URL and the network."),
        ("https://user:hush@gateway.example", "remove them, and set OPENROUTER_API_KEY"),
        ("http://gateway.example", "must begin with https:// (http:// only for this machine)"),
        ("gateway", "must have the form https://host/api/v1"),
        ("https://gateway.example", "set OPENROUTER_API_BASE instead of --base-url"),
    ],
)
def test_advice_about_the_base_url(stage, base_url, advice):
    """A base URL that cannot be used is reported with the names of the command line."""
    with refusing_address() as refusing:
        done = call(stage, "check", "--base-url", base_url or refusing)

    assert advice in done.stdout
    assert "hush" not in done.stdout
    assert OF_PYTHON.findall(done.stdout) == []


@pytest.mark.parametrize("command", [("rank", "q"), ("models",)])
@pytest.mark.parametrize(
    ("base_url", "problem"),
    [
        ("gateway", "--base-url must have the form"),
        ("https://gateway example", "--base-url is not a URL"),
        ("http://gateway.example", "--base-url must begin with https://"),
        ("https://user:hush@gateway.example", "--base-url has a user name or password in it"),
    ],
)
def test_a_base_url_that_cannot_be_used_is_named_as_the_option(stage, command, base_url, problem):
    """Every command names the option whose URL cannot be used."""
    done = call(stage, *command, "--base-url", base_url, stdin="a\n")

    assert done.stderr.startswith(f"ConfigurationError: {problem}")
    assert OF_PYTHON.findall(done.stderr) == []


def test_advice_about_the_list_of_models(stage):
    """Why the list is built in, and what to do, is said with the names of the command line."""
    with refusing_address() as base_url:
        done = call(stage, "models", "--base-url", base_url)

    assert done.stderr.endswith("Check the base URL and the network.\n")


def test_a_warning_is_one_line(stage, tmp_path):
    """A document that may be too long is one line on the standard error, and is ranked."""
    (tmp_path / "a.txt").write_text("France " * 9_000)

    done = call(stage, "rank", "q", tmp_path / "a.txt", "--json")

    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert done.stderr.endswith("of a document that is. Rank its parts as documents.\n")


@cache
def sources():
    """Return the plain texts and the f-strings of each module of the client."""
    folder = Path(openrouter_rerank.__file__).parent
    files = [*folder.glob("*.py"), *folder.glob("_*/**/*.py")]
    return [plain_texts_and_f_strings(ast.parse(file.read_text("utf-8"))) for file in files]


def plain_texts_and_f_strings(module):
    """Return the texts of a module without docstrings, and the parts of its f-strings."""
    f_strings = [node.values for node in ast.walk(module) if isinstance(node, ast.JoinedStr)]
    others = {id(part) for parts in f_strings for part in parts}
    others |= {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    constants = [node for node in ast.walk(module) if isinstance(node, ast.Constant)]
    plain = [each.value for each in constants if id(each) not in others]
    return [text for text in plain if isinstance(text, str)], f_strings


def filled(parts, filling):
    """Return an f-string with one text for all its placeholders."""
    return "".join(part.value if isinstance(part, ast.Constant) else filling for part in parts)


@pytest.mark.parametrize("phrase", PHRASES)
def test_each_phrase_is_one_of_the_client(phrase):
    """A phrase is in a message of the client, which may have another text in a placeholder."""
    assert any(
        phrase in text
        for plain, f_strings in sources()
        for filling in ("{}", *(text for text in plain if text in phrase))
        for text in (*plain, *(filled(parts, filling) for parts in f_strings))
    )


def test_each_message_names_the_options_of_the_command_line():
    """No message of the client that a command can have names an option of Python."""
    messages = [
        for_command_line(text)
        for plain, f_strings in sources()
        for text in (*plain, *(filled(parts, "{}") for parts in f_strings))
        if " " in text and not NOT_PASSED.search(text)
    ]

    assert [text for text in messages if OF_PYTHON.search(text)] == []
    assert any("--base-url" in text for text in messages)


def test_other_words_are_kept():
    """Words of a server or of the user that are not advice are not changed."""
    said = "The field base_url is unknown; timeout=3 s"

    assert for_command_line(said) == said
