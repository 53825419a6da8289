"""Advice of the command line names its own options, and not those of Python."""

import re

import pytest
from openrouter_rerank.cli.wording import for_command_line
from openrouter_rerank.local.stage import Fault, Reply, error, refusing_address

from tests.cli.program import call

OF_PYTHON = re.compile(
    r"base_url|api_key|fallback_models|max_concurrency|rate_limiter|RerankClient|http_client|"
    r"max_documents|allow_insecure|Raise timeout|model and provider"
)
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
        (Reply(status=429, headers={"retry-after": "9"}, body={}), "Retry after 9 s."),
        (Reply(status=302, headers={"location": "/"}), "Check the base URL."),
        (Reply(body={"results": []}), "Choose another --model."),
        (Fault.close(), "Retry later, or choose another --model."),
        (Fault.hang(), "Raise --timeout, or choose another --model."),
    ],
)
def test_advice_about_a_response(stage, command, reply, advice):
    """Each failure of the call ends with advice that the user of a command can follow."""
    account = Reply(body={"data": {"label": ""}})
    stage.always(lambda request: account if request.method == "GET" else reply)

    done = call(stage, *command, "--timeout", "0.4", stdin="a\nb\n")

    assert done.returncode in {1, 3}
    assert advice in done.stdout + done.stderr
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


def test_other_words_are_kept():
    """Words of a server or of the user that are no advice are not changed."""
    said = "The field base_url is unknown; timeout=3 s"

    assert for_command_line(said) == said
