"""The example programs for LangChain work."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def output_of(key_in_environment, monkeypatch, capsys):
    """Return a function that runs an example as a program and returns its output."""

    def output_of(name, *arguments):
        monkeypatch.setattr("sys.argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return output_of


def test_the_retrieval_example_prints_both_ranks(output_of):
    """The best passage is printed first, with the rank that the retriever gave it."""
    output = output_of("langchain_retrieval.py", "Which planet is the largest?")

    cost, _, best, *_ = output.splitlines()
    assert "cost=0.001" in cost
    assert best.startswith("1 (was 3)  0.800  Jupiter is the largest planet")


def test_the_images_example_ranks_the_images_of_a_folder(output_of, local_openrouter, tmp_path):
    """The images in the folder are sent. Other files with the name of an image are not sent."""
    (tmp_path / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (tmp_path / "no image.png").write_text("A text")
    (tmp_path / "notes.txt").write_text("A text")

    output = output_of("langchain_images.py", str(tmp_path), "a", "cat")

    assert output.splitlines() == ["     0.000  cat.png", "not ranked  no image.png"]
    assert len(local_openrouter.requests[0].documents) == 1


def test_the_images_example_prints_its_usage(output_of):
    """Without arguments, the example ends with its usage."""
    with pytest.raises(SystemExit, match="Find the images of a folder"):
        output_of("langchain_images.py")


def test_the_agent_example_searches_and_selects_tools(output_of, local_openrouter):
    """The model gets the handbook and two of six other tools, and the search is reranked."""
    lines = output_of("langchain_agent.py").splitlines()

    assert lines[:2] == ["The model sees: handbook, order_lunch, repair_request"] * 2
    assert lines[2].endswith(
        "The heating is repaired by the caretaker, Ms Keller, on extension 17."
    )
    assert lines[-1] == "The caretaker: extension 17."
    assert [len(request.documents) for request in local_openrouter.requests] == [6, 5]


def test_the_agent_example_works_without_a_key(output_of, monkeypatch):
    """Without a key, the example prints that the local scorer ranks, and gives the same answer."""
    monkeypatch.delenv("OPENROUTER_API_KEY")
    monkeypatch.delenv("OPENROUTER_API_BASE")

    lines = output_of("langchain_agent.py").splitlines()

    assert "the local scorer ranks, not OpenRouter" in lines[0]
    assert "repair_request" in lines[2]
    assert "extension 17" in lines[4]
