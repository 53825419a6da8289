"""The demo from the corpus to the bill, with few passages; both frameworks are the real ones."""

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
    """One folder for the vectors, so that the passages are embedded once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def shown(passages, cache):
    """Run the demo with a small part of the corpus, and return what it has shown."""

    def shown(*questions, width=100, **options):
        output = StringIO()
        console = Console(file=output, width=width, markup=False, highlight=False)
        run(console, passages[:40], questions, cache=cache, **options)
        return output.getvalue()

    return shown


@pytest.fixture
def hosted(local_openrouter, monkeypatch):
    """The environment of someone with a key, where OpenRouter is the scripted one."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)
    return local_openrouter


def test_both_frameworks_take_part():
    """The packages of this workspace announce themselves to the demo."""
    assert sorted(installed_frameworks()) == FRAMEWORKS


def test_it_runs_without_a_key_and_says_who_answers(shown):
    """Without a key the local scorer answers for both frameworks, says so, and costs nothing."""
    text = " ".join(shown(QUESTION).split())

    assert "There is no OPENROUTER_API_KEY, so the local scorer answers, not OpenRouter" in text
    for name in FRAMEWORKS:
        assert f"{name}, by local/minilm-l6-hybrid, local scorer (not OpenRouter)" in text
    assert re.search(r"\d\.\d seconds .* 2 requests, 50 documents, 0\.0000 US dollars$", text)


def test_both_frameworks_see_the_same(shown):
    """The same vectors and the same scorer lead to the same tables, whatever the framework."""
    first, second = (part.split("seconds")[0] for part in shown(QUESTION).split(", by ")[1:])

    assert first.splitlines()[1:8] == second.splitlines()[1:8]


def test_the_prepared_questions_end_with_pictures(hosted, shown):
    """Text questions go to the text model as text, the last one with pictures to the other."""
    text = shown()

    asked = [(request.query, request.model) for request in hosted.requests]
    by_model = [*((question, TEXT_MODEL) for question in QUESTIONS), (MIXED_QUESTION, IMAGE_MODEL)]
    assert asked == [pair for pair in by_model for _ in FRAMEWORKS]
    images = [
        [document for document in request.documents if not isinstance(document, str)]
        for request in hosted.requests
    ]
    assert [len(found) > 0 for found in images] == [False] * 6 + [True] * 2
    assert images[6] == images[7]
    assert all(document["text"] and document["image"] for document in images[6])
    assert all(question in text for question in (*QUESTIONS, MIXED_QUESTION))


def test_both_frameworks_send_the_same(hosted, shown):
    """Each question is sent once by each framework, with the same 25 passages and the key."""
    shown(QUESTION)

    first, second = hosted.requests
    assert first.documents == second.documents
    assert len(first.documents) == CANDIDATES
    assert {request.headers["authorization"] for request in hosted.requests} == {
        f"Bearer {hosted.api_key}"
    }


def test_it_says_that_openrouter_answers(hosted, shown):
    """With a key it is told where the requests go and what they cost; the key is not shown."""
    paid = results(*((n, 0.1) for n in range(CANDIDATES)), cost=0.002)
    hosted.script(paid, paid)

    text = " ".join(shown(QUESTION).split())

    assert f"OpenRouter at {hosted.base_url} answers" in text
    assert "local scorer" not in text
    assert hosted.api_key not in text
    assert text.endswith("2 requests, 50 documents, 0.0040 US dollars")


def test_a_changed_order_is_visible(hosted, shown):
    """A passage that the service puts first is shown first, with its score and where it was."""
    last_first = [(n, (n + 1) / 100) for n in reversed(range(CANDIDATES))]
    hosted.script(results(*last_first), results(*last_first))

    rows = re.findall(r"^ 1 .* 0\.250 +25 *$", shown(QUESTION), flags=re.MULTILINE)

    assert len(rows) == len(FRAMEWORKS)


@pytest.mark.parametrize("width", [40, 69, 70, 200])
def test_it_fits_the_terminal(shown, width):
    """No line is longer than the terminal is wide, and what moved is always shown."""
    lines = shown(QUESTION, width=width).splitlines()

    assert max(map(len, lines)) <= width
    assert sum(line.rstrip().endswith("was") for line in lines) == len(FRAMEWORKS)
    assert any(re.search(r"\bscore\b", line) for line in lines) == (width >= 70)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_missing_framework_is_named(shown, name):
    """One framework is enough, and the reader is told how to install the other."""
    framework = {name: installed_frameworks()[name]}

    text = shown(QUESTION, frameworks=framework, width=200)

    (missing,) = {*FRAMEWORKS} - {name}
    assert f"{missing} takes no part, its package is missing: pip install {PACKAGES[missing]}" in (
        text
    )
    assert f"{name}, by" in text
    assert f"{missing}, by" not in text


def test_no_framework_is_an_error(shown):
    """Without any framework there is nothing to show, and the error says what to install."""
    with pytest.raises(ConfigurationError, match=" or ".join(PACKAGES.values())):
        shown(QUESTION, frameworks={})


def test_an_error_of_the_service_ends_it(hosted, shown):
    """What the service refuses is raised as it is."""
    hosted.script(error(401, "No auth credentials found"))

    with pytest.raises(UnauthorizedError):
        shown(QUESTION)
