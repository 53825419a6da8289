"""The example programs for LlamaIndex run."""

import runpy
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(key_in_environment, monkeypatch, capsys):
    """Run an example as a program, and return what it prints."""

    def run(name, *arguments):
        monkeypatch.setattr("sys.argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_the_query_engine_example_shows_both_orders(run):
    """Each passage is shown with its new place and its old one, below what the call cost."""
    usage, _, *lines = run("llamaindex_query_engine.py").splitlines()

    assert "cost=0.001" in usage
    assert lines[0].startswith("1 (was 4)  0.800  Jupiter is the largest planet")
    assert len(lines) == 6


def test_the_images_example_ranks_a_folder(run, local_openrouter, tmp_path):
    """The images of the folder are sent, and a file that only has such a name is not."""
    Image.new("RGB", (2, 2)).save(tmp_path / "fox.png")
    (tmp_path / "broken.png").write_text("no image")
    (tmp_path / "secret.txt").write_text("a secret")

    printed = run("llamaindex_images.py", str(tmp_path), "a", "fox")

    assert printed.splitlines() == ["     0.000  fox.png", "not ranked  broken.png"]
    assert len(local_openrouter.requests[0].documents) == 1


def test_the_images_example_says_how_to_call_it(run):
    """Without a folder and a question it explains itself."""
    with pytest.raises(SystemExit, match="Find the images of a folder"):
        run("llamaindex_images.py")


def test_the_workflow_example_answers_each_question(run, local_openrouter):
    """Questions are answered side by side, each with its own best passage."""
    lines = run("llamaindex_workflow.py").splitlines()

    assert "Jupiter" in lines[1]
    assert "Mercury" in lines[3]
    assert len(local_openrouter.requests) == 2
