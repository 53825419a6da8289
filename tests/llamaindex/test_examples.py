"""The example programs for LlamaIndex run."""

import gc
import runpy
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run_example(key_in_environment, monkeypatch, capsys):
    """Return a function that runs an example as a program and returns its output."""

    def run(name, *arguments):
        monkeypatch.setattr("sys.argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        # A resource that the example left open must fail this test, not a later one.
        gc.collect()
        return capsys.readouterr().out

    return run


def test_the_query_engine_example_shows_both_orders(run_example):
    """The query engine example prints the cost, and the new and old position of each passage."""
    usage, _, *lines = run_example("llamaindex_query_engine.py").splitlines()

    assert "cost=0.001" in usage
    assert lines[0].startswith("1 (was 4)  0.800  Jupiter is the largest planet")
    assert len(lines) == 6


def test_the_images_example_ranks_a_folder(run_example, local_openrouter, tmp_path):
    """The images example sends the images of a folder, and no file that only has such a name."""
    Image.new("RGB", (2, 2)).save(tmp_path / "fox.png")
    (tmp_path / "broken.png").write_text("no image")
    (tmp_path / "secret.txt").write_text("a secret")

    output = run_example("llamaindex_images.py", str(tmp_path), "a", "fox")

    assert output.splitlines() == ["     0.000  fox.png", "not ranked  broken.png"]
    assert len(local_openrouter.requests[0].documents) == 1


def test_the_images_example_explains_its_arguments(run_example):
    """Without a folder and a query, the images example exits with its description."""
    with pytest.raises(SystemExit, match="Find the images of a folder"):
        run_example("llamaindex_images.py")


def test_the_workflow_example_answers_each_question(run_example, local_openrouter):
    """The workflow example prints the best passage for each of its two questions."""
    lines = run_example("llamaindex_workflow.py").splitlines()

    assert "Jupiter" in lines[1]
    assert "Mercury" in lines[3]
    assert len(local_openrouter.requests) == 2


# LlamaIndex's agents read all their own attributes, including the deprecated ones of pydantic.
@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecationWarning")
def test_the_agent_example_offers_the_best_tools(run_example, scripted_model):
    """The agent example offers its LLM the best 3 tools, and the LLM calls one and answers."""
    model = scripted_model(("miles_to_kilometres", {"amount": 26}), "It is 41.8 km.")

    offered, answer = run_example("llamaindex_agent_tools.py").splitlines()

    assert offered.startswith("3 of 64 tools: ")
    assert "miles_to_kilometres" in offered
    assert answer == "It is 41.8 km."
    names = [tool["function"]["name"] for tool in model.requests[0]["tools"]]
    assert names == offered.partition(": ")[2].split(", ")
    assert float(model.requests[1]["messages"][-1]["content"]) == pytest.approx(41.84, abs=0.01)
