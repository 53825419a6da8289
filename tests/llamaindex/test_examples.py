"""The example programs for LlamaIndex run."""

import gc
import json
import runpy
from pathlib import Path

import pytest
from openrouter_rerank.local.stage import Reply, word_overlap
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(key_in_environment, monkeypatch, capsys):
    """Run an example as a program, and return what it prints."""

    def run(name, *arguments):
        monkeypatch.setattr("sys.argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        # What it left open is reported here, and not in the test where the collector happens by.
        gc.collect()
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


# LlamaIndex's agents look at all their own attributes, the deprecated ones of pydantic among them.
@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecationWarning")
def test_the_agent_example_offers_the_tools_that_fit(run, local_openrouter):
    """Of all conversions, the model is offered three, calls the one that fits, and answers."""
    told = []

    def act(request):
        if request.path.endswith("/rerank"):
            return word_overlap(request)
        told.append(request.json)
        return spoken(
            {"content": "It is 41.8 km."}
            if len(told) > 1
            else {
                "tool_calls": [
                    {
                        "index": 0,
                        "id": "1",
                        "type": "function",
                        "function": {
                            "name": "miles_to_kilometres",
                            "arguments": '{"amount": 26}',
                        },
                    }
                ]
            }
        )

    local_openrouter.always(act)

    offered, answer = run("llamaindex_agent_tools.py").splitlines()

    assert offered.startswith("3 of 64 tools: ")
    assert "miles_to_kilometres" in offered
    assert answer == "It is 41.8 km."
    names = [tool["function"]["name"] for tool in told[0]["tools"]]
    assert names == offered.partition(": ")[2].split(", ")
    assert float(told[1]["messages"][-1]["content"]) == pytest.approx(41.84, abs=0.01)


def spoken(delta):
    """Stream what a language model says as one chunk."""
    chunk = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant"} | delta, "finish_reason": "stop"}],
    }
    body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
    # LlamaIndex's model never closes its client, whose connection the lowest version of `openai`
    # would leave open.
    headers = {"content-type": "text/event-stream", "connection": "close"}
    return Reply(body=body, headers=headers)
