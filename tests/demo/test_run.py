"""The whole demo, with few passages and with both real framework packages."""

import re
from io import StringIO

import pytest
from openrouter_rerank.demo.frameworks import PACKAGES, installed_frameworks
from openrouter_rerank.demo.run import CANDIDATES, MIXED_QUESTION, QUESTIONS, run
from openrouter_rerank.demo.service import IMAGE_MODEL, TEXT_MODEL
from openrouter_rerank.errors import ConfigurationError, UnauthorizedError
from openrouter_rerank.local.stage import error, results
from rich.console import Console

QUESTION = "How do I check that something is true while I debug?"
FRAMEWORKS = sorted(PACKAGES)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Return one cache folder, so that the passages are embedded once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def demo(passages, cache):
    """Return a function that runs the demo with a part of the corpus, and returns its output."""

    def demo(*questions, width=100, **options):
        output = StringIO()
        console = Console(file=output, width=width, markup=False, highlight=False)
        run(console, passages[:40], questions, cache=cache, **options)
        return output.getvalue()

    return demo


@pytest.fixture
def hosted(local_openrouter, monkeypatch):
    """Set an API key and the address of a scripted OpenRouter in the environment."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)
    return local_openrouter


def test_both_frameworks_take_part():
    """Both framework packages of this workspace have an entry point for the demo."""
    assert sorted(installed_frameworks()) == FRAMEWORKS


def test_without_a_key_the_local_scorer_answers(demo):
    """Without a key the local scorer ranks for both frameworks at no cost, and is named."""
    text = " ".join(demo(QUESTION).split())

    assert "There is no OPENROUTER_API_KEY, so the local scorer answers, not OpenRouter" in text
    for name in FRAMEWORKS:
        assert f"{name}, by local/minilm-l6-lexical, local scorer (not OpenRouter)" in text
    assert re.search(r"\d\.\d seconds .* 2 requests, 50 documents, cost \$0\.00$", text)


def test_both_frameworks_print_the_same_tables(demo):
    """With the same vectors and the same scorer, the tables of both frameworks are equal."""
    first, second = (part.split("seconds")[0] for part in demo(QUESTION).split(", by ")[1:])

    assert first.splitlines()[1:8] == second.splitlines()[1:8]


def test_the_last_prepared_question_is_about_pictures(hosted, demo):
    """The text model ranks text only, and the image model ranks the last question with pictures."""
    text = demo()

    sent = [(request.query, request.model) for request in hosted.requests]
    by_model = [*((question, TEXT_MODEL) for question in QUESTIONS), (MIXED_QUESTION, IMAGE_MODEL)]
    assert sent == [pair for pair in by_model for _ in FRAMEWORKS]
    images = [
        [document for document in request.documents if not isinstance(document, str)]
        for request in hosted.requests
    ]
    assert [len(found) > 0 for found in images] == [False] * 6 + [True] * 2
    assert images[6] == images[7]
    assert all(document["text"] and document["image"] for document in images[6])
    assert all(question in text for question in (*QUESTIONS, MIXED_QUESTION))


def test_both_frameworks_send_the_same_request(hosted, demo):
    """Each framework sends a question once, with the same 25 passages and the key."""
    demo(QUESTION)

    first, second = hosted.requests
    assert first.documents == second.documents
    assert len(first.documents) == CANDIDATES
    assert {request.headers["authorization"] for request in hosted.requests} == {
        f"Bearer {hosted.api_key}"
    }


def test_with_a_key_the_output_names_openrouter_and_the_cost(hosted, demo):
    """With a key the output has the base URL and the cost, but not the key."""
    paid = results(*((n, 0.1) for n in range(CANDIDATES)), cost=0.002)
    hosted.script(paid, paid)

    text = " ".join(demo(QUESTION).split())

    assert f"OpenRouter at {hosted.base_url} answers" in text
    assert "local scorer" not in text
    assert hosted.api_key not in text
    assert text.endswith("2 requests, 50 documents, cost $0.004")


def test_a_changed_order_is_demo(hosted, demo):
    """The first result is in the first row, with its score and its rank before reranking."""
    last_first = [(n, (n + 1) / 100) for n in reversed(range(CANDIDATES))]
    hosted.script(results(*last_first), results(*last_first))

    rows = re.findall(r"^ 1 .* 0\.250 +25 *$", demo(QUESTION), flags=re.MULTILINE)

    assert len(rows) == len(FRAMEWORKS)


@pytest.mark.parametrize("width", [40, 69, 70, 200])
def test_the_output_fits_the_terminal(demo, width):
    """No line is wider than the terminal, and the old ranks are shown at any width."""
    lines = demo(QUESTION, width=width).splitlines()

    assert max(map(len, lines)) <= width
    assert sum(line.rstrip().endswith("was") for line in lines) == len(FRAMEWORKS)
    assert any(re.search(r"\bscore\b", line) for line in lines) == (width >= 70)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_framework_that_is_not_installed_is_skipped(demo, name):
    """One framework is enough, and the output says how to install the other."""
    framework = {name: installed_frameworks()[name]}

    text = demo(QUESTION, frameworks=framework, width=200)

    (missing,) = {*FRAMEWORKS} - {name}
    assert f"Skipping {missing} (not installed): pip install {PACKAGES[missing]}" in (text)
    assert f"{name}, by" in text
    assert f"{missing}, by" not in text


def test_without_any_framework_the_demo_raises_an_error(demo):
    """If no framework is installed, the error names the packages to install."""
    with pytest.raises(ConfigurationError, match=" or ".join(PACKAGES.values())):
        demo(QUESTION, frameworks={})


def test_an_error_of_the_service_ends_the_demo(hosted, demo):
    """An error of the service is raised unchanged."""
    hosted.script(error(401, "No auth credentials found"))

    with pytest.raises(UnauthorizedError):
        demo(QUESTION)
