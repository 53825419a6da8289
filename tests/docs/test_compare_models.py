"""The program that compares the built-in models with a live listing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from openrouter_rerank import MODELS
from openrouter_rerank.local.stage import Fault, Reply, error, refusing_address

ROOT = Path(__file__).parents[2]
FIRST = next(iter(MODELS))


def entry(slug, **changes):
    """Return the entry of a built-in model as OpenRouter lists it, with these changes."""
    model = MODELS[slug]
    inputs = ["text", "image"] if model.takes_images else ["text"]
    return {
        "id": slug,
        "context_length": model.context_length,
        "architecture": {"input_modalities": inputs, "output_modalities": ["rerank"]},
        "expiration_date": None,
        "pricing": {"prompt": "0"},
    } | changes


def listing(**changes):
    """Return the listing of all built-in models; `changes` are those of the first one."""
    rest = [entry(slug) for slug in [*MODELS][1:]]
    return [entry(FIRST, **changes), *rest, {"id": "~cohere/rerank-latest"}]


def compare(source):
    """Return the exit status and the lines of the program."""
    finished = subprocess.run(
        [sys.executable, "-m", "scripts.compare_models", source],
        cwd=ROOT,
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.returncode, finished.stdout.splitlines(), finished.stderr


@pytest.mark.parametrize(
    ("entries", "lines"),
    [
        pytest.param(listing(), [], id="equal"),
        pytest.param(listing(id=f"{FIRST}:free"), [], id="variant"),
        pytest.param([*listing(), {"id": "new/rerank"}], ["new model: new/rerank"], id="new model"),
        pytest.param(
            [*listing(), {"id": "a\n::b\x1b"}],
            ["new model: a\\n::b\\x1b"],
            id="control characters",
        ),
        pytest.param(listing()[1:], [f"vanished model: {FIRST}"], id="vanished model"),
        pytest.param(
            listing(context_length=1),
            [f"context changed: {FIRST}: {MODELS[FIRST].context_length} -> 1"],
            id="context",
        ),
        pytest.param(
            listing(architecture={"input_modalities": ["image", "text"]}),
            [f"modalities changed: {FIRST}: ['text'] -> ['image', 'text']"],
            id="modalities",
        ),
        pytest.param(
            listing(architecture=None),
            [f"modalities changed: {FIRST}: ['text'] -> None"],
            id="no modalities",
        ),
        pytest.param(
            listing(expiration_date="2027-01-31"),
            [f"expiry announced: {FIRST}: 2027-01-31"],
            id="expiry",
        ),
    ],
)
def test_each_difference_is_a_line(stage, tmp_path, entries, lines):
    """The program prints each difference to a listing at a URL or in a file, and fails if any."""
    stage.script(Reply(body={"data": entries}))
    file = tmp_path / "models.json"
    file.write_text(json.dumps({"data": entries}), "utf-8")
    url = f"{stage.base_url}/models?output_modalities=rerank"

    for source in (url, str(file)):
        assert compare(source)[:2] == (1 if lines else 0, lines)

    assert [request.path for request in stage.requests] == [
        "/api/v1/models?output_modalities=rerank"
    ]


@pytest.mark.parametrize(
    "reply",
    [error(503, "down"), Reply(body="<html>"), Reply(body={"data": []}), Fault.reset_after()],
    ids=["503", "page", "empty", "reset"],
)
def test_without_a_listing_the_program_fails(stage, reply):
    """Without a listing, the exit status is 2, and the message names the source."""
    stage.always(reply)

    status, lines, message = compare(f"{stage.base_url}/models")

    assert (status, lines) == (2, [])
    assert message.startswith(f"no list of models from {stage.base_url}/models: ")


def test_without_a_source_the_program_fails(tmp_path):
    """If there is no file or no server, the exit status is 2."""
    with refusing_address() as base_url:
        assert compare(base_url)[:2] == (2, [])
    assert compare(str(tmp_path / "missing.json"))[:2] == (2, [])
