"""The whole demo, with a part of the passages and with both real framework packages."""

import re
from io import StringIO

import pytest
from openrouter_rerank.cli.output import console
from openrouter_rerank.demo.frameworks import PACKAGES, drawing_first, installed_frameworks
from openrouter_rerank.demo.introduction import CANDIDATES, PAID_QUESTIONS, introduction
from openrouter_rerank.demo.run import EXAMPLE, run
from openrouter_rerank.demo.screen import Screen
from openrouter_rerank.errors import BudgetExceededError, ConfigurationError, UnauthorizedError
from openrouter_rerank.local.stage import error, results
from rich.console import Console

QUESTION = "How do I check that something is true while I debug?"
FRAMEWORKS = sorted(PACKAGES)
SAME = "LangChain and LlamaIndex returned the same order."


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Return one cache folder, so that the passages are embedded once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def demo(few, cache, monkeypatch):
    """Return a function that runs the demo with few passages; its output is in `demo.text`."""
    monkeypatch.setattr("openrouter_rerank.demo.run.corpus", lambda: few)

    def demo(*questions, width=100, frameworks=FRAMEWORKS):
        output = StringIO()
        screen = Screen(
            Console(file=output, width=width, markup=False, highlight=False), console(stderr=True)
        )
        report = run(screen, frameworks, questions, cache=cache)
        text = re.sub(
            r"^  [A-Z].*: (\d+ of \d+|[\d.]+ s)\n", "", output.getvalue(), flags=re.MULTILINE
        )
        demo.text = text
        return report

    return demo


@pytest.fixture
def hosted(local_openrouter, monkeypatch):
    """Set an API key and the address of a scripted OpenRouter in the environment."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)
    return local_openrouter


def test_both_frameworks_take_part():
    """Both framework packages of this workspace have an entry point for the demo."""
    assert installed_frameworks() == FRAMEWORKS


@pytest.mark.parametrize(
    ("wanted", "order"),
    [
        (None, ["LangChain", "LlamaIndex"]),
        ("langchain", ["LangChain", "LlamaIndex"]),
        ("llamaindex", ["LlamaIndex", "LangChain"]),
    ],
)
def test_the_framework_that_draws_is_the_first_one(wanted, order):
    """The framework of the option comes first, by default the first one in the alphabet."""
    assert drawing_first(wanted, FRAMEWORKS) == order


def test_a_framework_that_is_not_installed_cannot_draw():
    """The error for a framework that is not installed names its package."""
    with pytest.raises(ConfigurationError, match="pip install llamaindex-openrouter-rerank"):
        drawing_first("llamaindex", ["LangChain"])


def test_an_example_and_the_numbers_over_all_questions_are_shown(demo):
    """The example marks its right passage in both orders, and the numbers count each question."""
    report = demo()

    example, rest = demo.text.split("judged questions")
    assert example.startswith(f"\n{EXAMPLE}\n")
    assert example.count("✔") >= 2
    comparison = report.judged.comparison
    for verdict in ("better", "worse", "unchanged"):
        assert f"{len(comparison.of(verdict))} {verdict}" in rest
    assert all(change.question in rest for change in comparison.of("worse")[:5])
    before, after = comparison.among(1)
    assert re.search(rf"right passage first +{before} +→ +{after}\b", rest)
    assert SAME in rest


def test_the_numbers_are_qualified(demo):
    """The output says who has judged, for which Python, how the example was chosen, what lacks."""
    report = demo()

    text = " ".join(demo.text.split())
    assert "One reader judged the passages, for Python 3.11.7." in text
    assert "The example above was chosen because it convinces" in text
    known = report.judged.judgements
    assert f"lacks {known.missing} of the 188 judged passages" in text
    assert f"so {known.left_out} questions are left out" in text


def test_each_judged_question_is_asked_once(demo):
    """The example is asked in each framework, and each other question in plain Python."""
    report = demo()

    questions = [judged.question for judged in report.judged.judgements.questions]
    asked = [answer.question for answer in report.judged.answers]
    assert sorted(asked) == sorted(questions)
    assert asked[0] == EXAMPLE
    assert [answer.framework for answer in report.judged.answers[1:]] == ["plain Python"] * (
        len(questions) - 1
    )
    assert f"{len(questions) + 1} requests, cost $0.00" in demo.text


def test_an_own_question_shows_both_orders_completely(demo):
    """All candidates of an own question are shown, without a judgement, in each order."""
    report = demo(QUESTION)

    assert f"\n{QUESTION}\n" in demo.text
    assert re.findall(r"^ *(\d+) ", demo.text, re.MULTILINE)[:25] == [str(n) for n in range(1, 26)]
    assert "✔" not in demo.text
    assert "▲ up from" in demo.text
    assert report.judged is None
    assert [answer.framework for answer in report.answers] == FRAMEWORKS
    assert "local/minilm" in demo.text
    assert "local scorer (not OpenRouter)" in demo.text


def test_plain_python_returns_the_order_of_the_frameworks(demo):
    """The pipeline without a framework fetches and ranks the same passages."""
    by_frameworks = demo(QUESTION).answers[0].outcome
    plain = demo(QUESTION, frameworks=[])

    outcome = plain.answers[0].outcome
    for one, other in (
        (by_frameworks.retrieved, outcome.retrieved),
        (by_frameworks.reranked, outcome.reranked),
    ):
        assert [hit.id for hit in one] == [hit.id for hit in other]
        assert [hit.score for hit in one] == pytest.approx([hit.score for hit in other], abs=1e-5)


def test_missing_frameworks_are_named(demo):
    """If no framework is installed, plain Python draws, and the packages to install are named."""
    demo(QUESTION, frameworks=[])

    assert "plain Python, reranked by" in demo.text
    assert "pip install langchain-openrouter-rerank llamaindex-openrouter-rerank" in demo.text


def test_a_different_order_is_not_called_the_same(hosted, demo):
    """If the frameworks get different orders, the output says so."""
    places = [(n, (n + 1) / 100) for n in range(CANDIDATES)]
    hosted.script(results(*reversed(places)), results(*((n, 1 - score) for n, score in places)))

    demo(QUESTION)

    assert "LangChain and LlamaIndex returned different orders for 1 of 1." in demo.text
    assert SAME not in demo.text


@pytest.mark.parametrize("width", [40, 100])
def test_the_output_fits_and_has_no_blanks_at_the_ends_of_lines(demo, width):
    """No line is wider than the terminal, and none ends with a blank."""
    demo(width=width)

    lines = demo.text.partition("Ask your own question")[0].splitlines()
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)
    assert any(re.match(r" *1 .*▲", line) for line in lines)


def test_a_second_run_computes_no_vector(demo, cache):
    """The vectors of the retriever and of the scorer are stored, so a second run writes nothing."""
    demo(QUESTION)
    before = {file.name: file.stat().st_mtime_ns for file in cache.iterdir()}

    demo(QUESTION)

    assert len(before) == 2
    assert {file.name: file.stat().st_mtime_ns for file in cache.iterdir()} == before


def test_without_judged_passages_the_demo_raises_an_error(demo, monkeypatch, few):
    """If no judged question can be answered, the error says what to do."""
    monkeypatch.setattr("openrouter_rerank.demo.run.corpus", lambda: few[:5])

    with pytest.raises(ConfigurationError, match="Raise --passages"):
        demo()


def test_with_a_key_ten_questions_at_most_are_asked(hosted, demo):
    """With a key the requests are at most those that the introduction announces."""
    demo()

    assert 0 < len(hosted.requests) <= PAID_QUESTIONS + 1
    assert {request.model for request in hosted.requests} == {"cohere/rerank-v3.5"}
    assert {request.headers["authorization"] for request in hosted.requests} == {
        f"Bearer {hosted.api_key}"
    }
    assert hosted.requests[0].query == EXAMPLE
    assert hosted.api_key not in demo.text


@pytest.mark.parametrize(("own", "requests"), [(0, 11), (1, 2), (3, 6)])
def test_with_a_key_requests_and_price_are_announced(hosted, own, requests):
    """Before the first request, the address, the number of requests and the price are shown."""
    text = " ".join(introduction(own, len(FRAMEWORKS)))

    assert f"OpenRouter at {hosted.base_url}" in text
    assert f"at most {requests} requests" in text
    assert "$0.001 (Cohere) or $0.002 (Amazon Bedrock) per search unit" in text
    assert "A budget of $0.05" in text
    assert hosted.requests == []


def test_a_budget_ends_the_demo(hosted, demo):
    """If the answers cost more than the budget, no further request is sent."""
    expensive = results(*((n, 0.1) for n in range(CANDIDATES)), cost=0.06)
    hosted.script(expensive)

    with pytest.raises(BudgetExceededError):
        demo(QUESTION)

    assert len(hosted.requests) == 1


def test_both_frameworks_send_the_same_request(hosted, demo):
    """Each framework sends a question once, with the same 25 passages."""
    demo(QUESTION)

    first, second = hosted.requests
    assert first.documents == second.documents
    assert len(first.documents) == CANDIDATES


def test_an_error_of_the_service_ends_the_demo(hosted, demo):
    """An error of the service is raised unchanged."""
    hosted.script(error(401, "No auth credentials found"))

    with pytest.raises(UnauthorizedError):
        demo(QUESTION)
