"""The example programs for LangChain print the right result."""

import runpy
from pathlib import Path

import pytest
from openrouter_rerank.local.stage import Fault, error, scores, word_overlap

from tests.starvation import repeat_if_starved

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run_example(key_in_environment, monkeypatch, capsys):
    """Return a function that runs an example as a program and returns the lines that it prints."""

    def run_example(name, *arguments):
        monkeypatch.setattr("sys.argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return run_example


def test_rag_answers_from_the_best_passage(run_example):
    """The passage with the answer comes first, though the retriever found it late."""
    lines = run_example("langchain_rag.py")

    assert lines[0] == "1 (was 5)  0.625  Employees have 30 days of holiday a year."
    assert lines[-1] == "Answer: Employees have 30 days of holiday a year."
    assert len(lines) == 4


def test_rag_answers_another_question(run_example):
    """The question of the command line is the one that is answered."""
    lines = run_example("langchain_rag.py", "Who", "repairs", "the", "heating?")

    assert lines[-1].startswith("Answer: The heating is repaired by the caretaker")


def test_hybrid_search_finds_the_code(run_example, local_openrouter):
    """The passage with the code comes first, though only the search for words found it."""
    best, *others = run_example("langchain_hybrid.py")

    assert best.endswith("Code E-4102: the toner is empty.  (keywords)")
    assert len(others) == 2
    # The first 4 of the fused list.
    assert len(local_openrouter.requests[0].documents) == 4


def test_page_images_are_ranked_as_images(run_example, local_openrouter, tmp_path):
    """The image of the page with the answer comes first. Only images of the folder are sent."""
    for number in (1, 2, 3):
        (tmp_path / f"page-{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40 + number))
    (tmp_path / "page-4.png").write_text("A text")
    (tmp_path / "notes.txt").write_text("A text")
    local_openrouter.script(scores(0.1, 0.9, 0.2))

    lines = run_example("langchain_page_images.py", str(tmp_path), "the", "revenue")

    assert lines == [
        " 1  page-2.png  0.900",
        " 2  page-3.png  0.200",
        " 3  page-1.png  0.100",
        " 4  page-4.png (not ranked)",
    ]
    (request,) = local_openrouter.requests
    assert request.query == "the revenue"
    assert [[*document] for document in request.documents] == [["image"]] * 3


def test_the_page_images_example_prints_its_usage(run_example):
    """Without arguments, the example ends with its description."""
    with pytest.raises(SystemExit, match="Find the pages of a PDF"):
        run_example("langchain_page_images.py")


def test_the_agent_reads_the_best_passages(run_example, local_openrouter):
    """The model gets the 2 best of 6 passages, and answers with the first one."""
    call, best, _, answer = run_example("langgraph_agent.py")

    assert call == "The model calls: handbook({'query': 'Who repairs the heating?'})"
    assert best.endswith("The heating is repaired by the caretaker, Ms Keller, on extension 17.")
    assert answer.startswith("Answer: The heating is repaired by the caretaker")
    assert [len(request.documents) for request in local_openrouter.requests] == [6]


def test_the_agent_gets_the_right_tools_of_200(run_example, local_openrouter):
    """The model gets 5 of 200 tools in both of its calls, and the right tool is among them."""
    first, *calls, _, result, answer = run_example("langchain_many_tools.py")

    assert first == "The agent has 200 tools."
    assert len(set(calls)) == 1
    names = calls[0].removeprefix("The model gets 5 tools: ").split(", ")
    assert len(names) == 5
    assert "archive_invoice" in names
    assert result == "tool: archive invoice 17: done"
    assert answer == "ai: The invoice is archived."
    # The list of tools is split by the limit of the model, and ranked once for the question.
    assert sum(len(request.documents) for request in local_openrouter.requests) == 200


BEST = "0.625 Employees have 30 days of holiday a year."


@repeat_if_starved
def test_a_user_gets_reranked_documents(run_example):
    """If the model answers in time, the documents are in its order."""
    model, _, best, *others = run_example("interactive_latency.py")

    assert model.startswith("ranked by cohere/rerank-v3.5")
    assert best == BEST
    assert len(others) == 2


@repeat_if_starved
def test_a_user_gets_the_ranking_of_the_fallback_model(run_example, local_openrouter):
    """If the first model is down, the second one ranks, without a second attempt of the first."""
    local_openrouter.script(error(503, "down"), word_overlap)

    model, _, best, *_ = run_example("interactive_latency.py")

    assert model.startswith("ranked by mongodb/rerank-3-lite")
    assert best == BEST
    assert len(local_openrouter.requests) == 2


def test_a_user_gets_the_retrievers_order_if_no_model_answers(
    run_example, local_openrouter, caplog
):
    """If no model ever answers, the retriever's order is printed, with a warning."""
    local_openrouter.always(Fault.hang())

    took, *documents = run_example("interactive_latency.py")

    assert float(took.removesuffix(" s")) >= 1
    assert documents == [
        "  -   Requests for holiday are made in the staff portal.",
        "  -   The canteen serves lunch from noon to two.",
        "  -   Employees have 30 days of holiday a year.",
    ]
    assert "returning the retriever's order" in caplog.text
