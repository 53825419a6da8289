"""The example programs for LlamaIndex print the right result."""

import gc
import runpy
from pathlib import Path

import pytest
from llama_index.core import llms
from openrouter_rerank.local.stage import scores
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
needs_mock_llm = pytest.mark.skipif(
    not hasattr(getattr(llms, "MockFunctionCallingLLM", None), "response_generator"),
    reason="this LlamaIndex has no MockFunctionCallingLLM with a response generator",
)


@pytest.fixture
def run_example(key_in_environment, monkeypatch, capsys):
    """Return a function that runs an example as a program and returns the lines that it prints."""

    def run_example(name, *arguments):
        monkeypatch.setattr("sys.argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        # A resource that the example left open must fail this test, not a later one.
        gc.collect()
        return capsys.readouterr().out.splitlines()

    return run_example


def test_rag_puts_the_best_passages_into_the_prompt(run_example):
    """The passage with the answer comes first, in the list and in the prompt for the LLM."""
    best, _, third, *response = run_example("llamaindex_rag.py")

    assert best == "1 (was 4)  0.625  Employees have 30 days of holiday a year."
    assert third.startswith("3 (was ")
    prompt = "\n".join(response)
    assert prompt.index("Employees have 30 days") < prompt.index("Requests for holiday")
    assert "Visitors" not in prompt


def test_hybrid_search_finds_the_code(run_example):
    """The passage with the code comes first, and the search for words has found it."""
    best, *others = run_example("llamaindex_hybrid.py")

    assert "Code E-4102: the toner is empty.  (keywords" in best
    assert len(others) == 2


def test_page_images_are_ranked_as_images(run_example, local_openrouter, tmp_path):
    """The image of the page with the answer comes first. Only images of the folder are sent."""
    for number in (1, 2, 3):
        Image.new("RGB", (number, number)).save(tmp_path / f"page-{number}.png")
    (tmp_path / "page-4.png").write_text("no image")
    (tmp_path / "secret.txt").write_text("a secret")
    local_openrouter.script(scores(0.1, 0.9, 0.2))

    lines = run_example("llamaindex_page_images.py", str(tmp_path), "the", "revenue")

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
        run_example("llamaindex_page_images.py")


def test_the_workflow_answers_each_question(run_example, local_openrouter):
    """The workflow example prints the best passage for each of its two questions."""
    lines = run_example("llamaindex_workflow.py")

    assert "Jupiter" in lines[1]
    assert "Mercury" in lines[3]
    assert len(local_openrouter.requests) == 2


# LlamaIndex's agents read all their own attributes, including the deprecated ones of pydantic.
@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecationWarning")
@needs_mock_llm
def test_the_agent_reads_the_best_passages(run_example, local_openrouter):
    """The LLM gets the 2 best of 6 passages, and answers with the first one."""
    call, best, _, answer = run_example("llamaindex_agent.py")

    assert call == "The LLM calls: handbook({'input': 'Who repairs the heating?'})"
    assert best.endswith("The heating is repaired by the caretaker, Ms Keller, on extension 17.")
    assert answer.startswith("Answer: The heating is repaired by the caretaker")
    assert [len(request.documents) for request in local_openrouter.requests] == [6]


@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecationWarning")
@needs_mock_llm
def test_the_agent_gets_the_right_tools_of_200(run_example):
    """The LLM gets 5 of 200 tools, and calls the right one, which is the best of them."""
    first, offered, answer = run_example("llamaindex_many_tools.py")

    assert first == "The agent has 200 tools."
    assert offered.startswith("The LLM gets 5 tools: archive_invoice, ")
    assert answer == "Answer: archive invoice 17: done"
