"""The example programs for LangChain run."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(key_in_environment, monkeypatch, capsys):
    """Run an example as a program, and return what it prints."""

    def run(name, *arguments):
        monkeypatch.setattr("sys.argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_the_retrieval_example_shows_both_orders(run):
    """The best passage is printed first, with the place that the retriever gave it."""
    printed = run("langchain_retrieval.py", "Which planet is the largest?")

    cost, _, first, *_ = printed.splitlines()
    assert "cost=0.001" in cost
    assert first.startswith("1 (was 3)  0.800  Jupiter is the largest planet")


def test_the_images_example_ranks_a_folder(run, local_openrouter, tmp_path):
    """The images of the folder are sent, and a file that only has such a name is not."""
    (tmp_path / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (tmp_path / "no image.png").write_text("A text")
    (tmp_path / "notes.txt").write_text("A text")

    printed = run("langchain_images.py", str(tmp_path), "a", "cat")

    assert printed.splitlines() == ["     0.000  cat.png", "not ranked  no image.png"]
    assert len(local_openrouter.requests[0].documents) == 1


def test_the_images_example_says_how_to_call_it(run):
    """Without a folder and a question it explains itself."""
    with pytest.raises(SystemExit, match="Find the images of a folder"):
        run("langchain_images.py")


def test_the_agent_example_searches_and_selects_tools(run, local_openrouter):
    """The model sees two tools of six, the handbook always, and its search is reranked."""
    printed = run("langchain_agent.py").splitlines()

    assert printed[:2] == ["The model sees: handbook, order_lunch, repair_request"] * 2
    assert printed[2].endswith(
        "The heating is repaired by the caretaker, Ms Keller, on extension 17."
    )
    assert printed[-1] == "The caretaker: extension 17."
    assert [len(each.documents) for each in local_openrouter.requests] == [6, 5]


def test_the_agent_example_needs_no_key(run, monkeypatch):
    """Without a key it says who ranks, and does the same work."""
    monkeypatch.delenv("OPENROUTER_API_KEY")
    monkeypatch.delenv("OPENROUTER_API_BASE")

    printed = run("langchain_agent.py").splitlines()

    assert "the local scorer ranks, not OpenRouter" in printed[0]
    assert "repair_request" in printed[2]
    assert "extension 17" in printed[4]
