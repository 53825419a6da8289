"""The command `evaluate`: its exit statuses, its outputs, and that it goes on where it ended."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from openrouter_rerank.cli import main
from openrouter_rerank.local.stage import Fault, error, results, scores, word_overlap

from tests.cli.program import has_terminals, run_on_terminal, start
from tests.evaluation.chat_replies import judging
from tests.evaluation.small_collection import MODELS, small_collection

pytest.importorskip("ir_measures", reason="the evaluation needs ir-measures")

pytestmark = pytest.mark.usefixtures("key_in_environment")
ROOT = Path(__file__).parents[2]
OPTIONS = ("--model", MODELS[0], "--model", MODELS[1], "--depths", "2,6", "--probe", "1")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Return the path of a `.jsonl` file in the working directory."""
    monkeypatch.chdir(tmp_path)
    collection = small_collection()
    lines = [
        {
            "id": question,
            "query": text,
            "candidates": [
                {
                    "id": document,
                    "text": collection.documents[document],
                    "relevance": collection.judgements[question].get(document, 0),
                }
                for document in collection.candidates[question]
            ],
        }
        for question, text in collection.questions.items()
    ]
    file = tmp_path / "small.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return file


@pytest.fixture
def beir(tmp_path, monkeypatch):
    """Return the path of a BEIR folder in the working directory, without candidates."""
    monkeypatch.chdir(tmp_path)
    collection = small_collection()
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": each, "text": text} for each, text in collection.documents.items()]
    questions = [{"_id": each, "text": text} for each, text in collection.questions.items()]
    for name, found in (("corpus", documents), ("queries", questions)):
        lines = "".join(f"{json.dumps(line)}\n" for line in found)
        (folder / f"{name}.jsonl").write_text(lines)
    judged = [
        f"{question}\t{document}\t{grade}\n"
        for question, grades in collection.judgements.items()
        for document, grade in grades.items()
    ]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged))
    run = [
        f"{question} Q0 {document} {rank} {-rank} own\n"
        for question, documents in collection.candidates.items()
        for rank, document in enumerate(documents)
    ]
    (tmp_path / "own.trec").write_text("".join(run))
    return folder


def test_a_verdict_has_status_0(stage, data, capsys):
    """The table and the verdict are on the standard output, the price of the rest on the other."""
    status = main(["evaluate", str(data), *OPTIONS])

    outputs = capsys.readouterr()
    assert status == 0
    assert outputs.out.startswith("small: 8 questions, 48 documents, 6 candidates each\n")
    assert outputs.out.rstrip().endswith("evaluation/report.html")
    assert outputs.err == (
        "10 requests, about $0.0093 (rerank-v3.5 $0.005, rerank-3-lite $0.0043); budget $1.00 "
        "will answer 8 of 8 questions\n"
    )
    assert len(stage.requests) == 20


def test_a_second_run_asks_nothing(stage, data, capsys):
    """The same command again sends nothing and prints the same."""
    main(["evaluate", str(data), *OPTIONS])
    first = capsys.readouterr()
    status = main(["evaluate", str(data), *OPTIONS])

    second = capsys.readouterr()
    assert status == 0
    assert (second.out, second.err) == (first.out, "")
    assert len(stage.requests) == 20


def test_a_failed_probe_has_status_3(stage, data, capsys):
    """The output says that a probe failed, and the same command again asks only this one."""
    stage.script(*[word_overlap] * 5, error(400, "no"))
    options = ("--model", MODELS[0], "--depths", "2,6", "--probe", "1", "--concurrency", "1")
    status = main(["evaluate", str(data), *options])

    outputs = capsys.readouterr()
    assert status == 3
    assert "incomplete: 1 probe failed. Run the same command again" in outputs.err
    assert f"1 probe of {MODELS[0]} failed" in outputs.out
    count = len(stage.requests)
    assert main(["evaluate", str(data), *options]) == 0
    assert len(stage.requests) == count + 1


def test_json_is_all_of_the_output(data, capsys):
    """With `--json`, the standard output is one JSON object, with the command in it."""
    status = main(["evaluate", str(data), *OPTIONS, "--json", "--out", "my folder"])

    found = json.loads(capsys.readouterr().out)
    assert status == 0
    assert found["verdict"]["kind"] in {"yes", "no", "unsure"}
    assert found["command"].startswith("openrouter-rerank evaluate ")
    assert found["command"].endswith(
        f"--model {MODELS[1]} --depths 2,6 --probe 1 --json --out 'my folder'"
    )


def test_every_option_reaches_the_settings(data, capsys):
    """Each option of the command is in the settings of the result."""
    options = {
        "--metric": "R@5",
        "--worth": "0.05",
        "--keep": "0.8",
        "--questions": "7",
        "--budget": "0.5",
        "--probe": "3",
        "--concurrency": "2",
        "--judge": "maker/judge",
        "--seed": "4",
        "--depths": "6,3",
        "--model": MODELS[1],
    }
    arguments = [word for pair in options.items() for word in pair]
    assert main(["evaluate", str(data), *arguments, "--two-step", "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["settings"] == {
        "models": [MODELS[1]],
        "depths": [3, 6],
        "metric": "R@5",
        "two_step": True,
        "worth": 0.05,
        "keep": 0.8,
        "questions": 7,
        "budget": 0.5,
        "probes": 3,
        "concurrency": 2,
        "judge": ["maker/judge"],
        "seed": 4,
    }


def test_a_run_names_the_candidates(stage, beir, capsys):
    """With `--run`, the candidates of a BEIR folder are those of the user's retriever."""
    assert main(["evaluate", str(beir), *OPTIONS, "--run", "own.trec"]) == 0

    assert "6 candidates each" in capsys.readouterr().out
    assert {len(request.documents) for request in stage.requests} == {2, 6}


@pytest.fixture
def retriever(beir, tmp_path):
    """Return the name of a function in the working directory that prints and finds candidates."""
    (tmp_path / "own_retriever_of_test.py").write_text(
        "from tests.evaluation.small_collection import small_collection\n"
        "documents = small_collection().documents\n"
        "def retrieve(question):\n"
        "    print('searching', question)\n"
        "    number = question.split()[1]\n"
        "    return [(f'd{number}-{at}', documents[f'd{number}-{at}']) for at in range(3)]\n"
    )
    yield "own_retriever_of_test:retrieve"
    sys.modules.pop("own_retriever_of_test", None)
    sys.path[:] = [each for each in sys.path if each != str(tmp_path)]


@pytest.mark.parametrize("has_corpus", [True, False])
def test_a_retriever_names_the_candidates(stage, beir, retriever, capsys, has_corpus):
    """With `--retriever`, a function finds the candidates; the folder needs no documents."""
    (beir / "corpus.jsonl").unlink()
    if has_corpus:
        (beir / "corpus.jsonl").write_text("not read\n")
    assert main(["evaluate", str(beir), *OPTIONS, "--retriever", retriever]) == 0

    assert "8 questions, 24 documents, 3 candidates each" in capsys.readouterr().out
    assert {len(request.documents) for request in stage.requests} == {2, 3}


def test_judged_documents_that_a_retriever_does_not_find_are_noted(beir, retriever, capsys):
    """They have no text, and still count as relevant documents that no plan shows."""
    assert main(["evaluate", str(beir), *OPTIONS, "--retriever", retriever, "--json"]) == 0

    notes = json.loads(capsys.readouterr().out)["notes"]
    assert "Judgements of documents without a text: 3. No plan can show them." in notes


def test_what_a_retriever_prints_is_not_in_the_result(beir, retriever, capsys):
    """With `--json`, the standard output is one JSON object, although the retriever prints."""
    assert main(["evaluate", str(beir), *OPTIONS, "--retriever", retriever, "--json"]) == 0

    outputs = capsys.readouterr()
    assert json.loads(outputs.out)["verdict"]
    assert outputs.err.count("searching") == 8


def test_bm25_is_said_to_be_no_retriever_of_the_user(beir, tmp_path, capsys):
    """Without candidates, BM25 finds them, and the report and the terminal say so."""
    pytest.importorskip("bm25s", reason="BM25 needs bm25s")
    assert main(["evaluate", str(beir), *OPTIONS]) == 0

    report = (tmp_path / "evaluation" / "report.html").read_text(encoding="utf-8")
    assert "BM25 made by this command, not your retriever" in report
    assert "\nfirst stage: BM25 made by this command, not your" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--depths", "10,x"], "'10,x' is not a list of numbers, such as 10,50,100"),
        (["--depths", "0"], "'0' is not a list of numbers, such as 10,50,100"),
        (["--depths", "9" * 5_000], "9999' is not a list of numbers, such as 10,50,100"),
        (["--run", "a", "--retriever", "b:c"], "--run cannot be combined with --retriever"),
        (["--run", "a"], "--run is for a BEIR folder"),
        (["--qrels", "a"], "--qrels is for a BEIR folder"),
        (["--split", "dev"], "--split is for a BEIR folder"),
        (["--keep", "2"], "2.0 is not in the range 0<=x<=1"),
        (["--concurrency", "0"], "0 is not in the range x>=1"),
        (["--modle", "a"], "Did you mean '--model'?"),
        (["--model", "a/b", "--model", "a/b"], "models has 'a/b' twice"),
        (["--metric", "nonsense"], "metric='nonsense' cannot be computed"),
        (["--budget", "nan"], "'--budget': 'nan' is not a valid number"),
        (["--worth", "nan"], "'--worth': 'nan' is not a valid number"),
        (["--judge", "a/b", "--judge", "c/d", "--judge", "e/f"], "judge has 3 models"),
    ],
)
def test_wrong_usage_has_status_2(stage, data, capsys, arguments, message):
    """One line says what is wrong, and nothing is sent."""
    assert main(["evaluate", str(data), *arguments]) == 2

    outputs = capsys.readouterr()
    assert outputs.out == ""
    assert message in outputs.err
    assert outputs.err.count("\n") == 1
    assert stage.requests == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "CollectionError: nowhere: there is no such file or folder"),
        (["a" * 5_000], "aaa: it cannot be read (File name too long): check the path"),
        (["small.jsonl", "--model", "a/\udcff"], "'a/\\udcff' is not the slug of a model"),
        (["small.jsonl", "--out", "small.jsonl"], "small.jsonl/matrix.sqlite cannot be opened"),
    ],
)
def test_impossible_input_has_status_1(stage, data, capsys, arguments, message):
    """One line says what is wrong, and nothing is sent."""
    assert main(["evaluate", *arguments]) == 1

    outputs = capsys.readouterr()
    assert outputs.out == ""
    assert message in outputs.err
    assert outputs.err.count("\n") == 1
    assert stage.requests == []


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "UnauthorizedError: no"), (402, "PaymentRequiredError: no"), (400, "BadRequestError: ")],
)
def test_a_service_that_refuses_everything_has_status_1(stage, data, capsys, status, message):
    """The error of the service is one line."""
    stage.always(error(status, "no"))
    assert main(["evaluate", str(data), *OPTIONS]) == 1

    outputs = capsys.readouterr()
    assert outputs.out == ""
    assert outputs.err.startswith(message)
    assert outputs.err.count("\n") == 1


def test_truncated_rankings_have_status_1(stage, data, capsys):
    """If all rankings lack documents, there is no report, so the status is not 3."""
    stage.always(results((0, 0.5)))

    assert main(["evaluate", str(data), *OPTIONS]) == 1
    assert "the response ranks 1 of 6 documents" in capsys.readouterr().err


def test_a_missing_key_has_status_1(stage, data, capsys, monkeypatch):
    """Without a key nothing is sent, and one line names the variable."""
    monkeypatch.delenv("OPENROUTER_API_KEY")
    assert main(["evaluate", str(data), *OPTIONS]) == 1

    errors = capsys.readouterr().err
    assert errors.startswith("there is no API key: set OPENROUTER_API_KEY ")
    assert "api_key" not in errors
    assert stage.requests == []


def test_a_spent_budget_has_status_3(stage, data, capsys):
    """What there is is reported, and the same command goes on, until the verdict is complete."""
    stage.always(lambda request: scores(*range(len(request.documents)), cost=0.01)(request))
    arguments = ["evaluate", str(data), *OPTIONS, "--budget", "0.085", "--concurrency", "1"]
    statuses, questions = [], []
    for _ in range(3):
        statuses.append(main(arguments))
        outputs = capsys.readouterr()
        questions.append(outputs.out.split(" questions")[0])
        assert ("incomplete: the budget is spent." in outputs.err) == (statuses[-1] == 3)

    assert statuses == [3, 3, 0]
    assert questions == ["small: 4", "small: 7", "small: 8"]
    assert len(stage.requests) == 20


def test_a_budget_of_0_uses_kept_answers_only(stage, data, capsys):
    """Nothing is sent. What is missing needs a budget, and the message says so."""
    assert main(["evaluate", str(data), *OPTIONS, "--budget", "0"]) == 3
    assert (
        "incomplete: with --budget 0, only kept answers count: raise it" in capsys.readouterr().err
    )
    assert stage.requests == []

    main(["evaluate", str(data), *OPTIONS])
    complete = capsys.readouterr().out
    stage.reset()
    assert main(["evaluate", str(data), *OPTIONS, "--budget", "0"]) == 0
    assert capsys.readouterr().out == complete
    assert stage.requests == []


def test_failed_questions_have_status_3(stage, data, capsys):
    """If a question fails, the others are reported, and the next run asks it again."""
    stage.always(
        lambda request: (
            error(400, "no") if request.query == "text 3 word" else word_overlap(request)
        )
    )
    assert main(["evaluate", str(data), *OPTIONS, "--seed", "1"]) == 3
    outputs = capsys.readouterr()
    assert outputs.out.startswith("small: 7 questions, 48 documents")
    assert "incomplete: 1 question failed, the last with: no (HTTP 400 from " in outputs.err
    assert outputs.err.endswith("Run the same command again to ask what is missing.\n")

    stage.always(word_overlap)
    assert main(["evaluate", str(data), *OPTIONS, "--seed", "1"]) == 0
    assert capsys.readouterr().out.startswith("small: 8 questions, 48 documents")


def test_failed_grades_have_status_3(stage, data, capsys):
    """If a judge fails, the message names the judge, and not the questions of the models."""

    def grade(_, passage, __):
        return error(400, "too long") if passage.startswith("text of 3") else 1

    lines = [json.loads(line) for line in data.read_text().splitlines()]
    for line in lines:
        line["candidates"] = [{**each, "relevance": None} for each in line["candidates"]]
    data.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    stage.always(judging(grade))

    assert main(["evaluate", str(data), *OPTIONS, "--judge", "maker/judge"]) == 3
    errors = capsys.readouterr().err
    assert "incomplete: maker/judge failed for 6 documents, the first with: " in errors


def test_questions_without_a_relevant_candidate_are_noted(data, capsys):
    """The user sees how many are left out, because the others are easier for the retriever."""
    line = {"query": "what?", "candidates": [{"id": "new", "text": "a", "relevance": 0}]}
    data.write_text(data.read_text() + json.dumps(line) + "\n")

    assert main(["evaluate", str(data), *OPTIONS]) == 0
    assert (
        "Questions without a relevant candidate: 1 of 9. They are left" in capsys.readouterr().out
    )


def test_a_wrong_name_of_the_grades_is_in_the_error(data, capsys):
    """If no candidate has a relevance, but all have a label, the error says so."""
    candidates = [{"id": "new", "text": "a", "label": 1}]
    data.write_text(json.dumps({"query": "what?", "candidates": candidates}) + "\n")

    assert main(["evaluate", str(data), *OPTIONS]) == 1
    assert "'label'" in capsys.readouterr().err


@pytest.fixture
def interrupted(stage, data):
    """Return a running command that was interrupted while two calls hang, after five answers."""
    stage.script(*[word_overlap] * 5)
    stage.always(Fault.hang())
    options = ("--model", MODELS[0], "--depths", "6", "--probe", "0", "--concurrency", "2")
    with start(
        stage, "evaluate", str(data), *options, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        stage.wait_until(lambda: len(stage.requests) == 7 and stage.in_flight == 2, timeout=60)
        running.send_signal(signal.SIGINT)
        yield running


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_an_interrupted_command_has_status_130(stage, interrupted):
    """Ctrl-C ends the command with a report of what there is, and keeps the calls in flight."""
    stage.release()
    output, errors = interrupted.communicate(timeout=60)

    assert interrupted.returncode == 130
    assert output.startswith(b"small: ")
    assert b"interrupted: all answers are kept." in errors


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_a_second_interruption_ends_the_command(interrupted, data):
    """A second Ctrl-C ends the command without a report."""
    while interrupted.poll() is None:
        interrupted.send_signal(signal.SIGINT)
        try:
            interrupted.wait(0.2)
        except subprocess.TimeoutExpired:
            continue

    assert interrupted.returncode in {130, -signal.SIGINT}


@pytest.mark.skipif(not has_terminals, reason="this system has no pseudo-terminals")
def test_a_terminal_shows_the_progress_of_each_model(stage, data):
    """On a terminal, there is a line for each model, and the verdict is in the end."""
    status, received = run_on_terminal(stage, "evaluate", str(data), *OPTIONS)

    assert status == 0
    for model in MODELS:
        assert model in received
    assert "0/100" not in received
    assert received.rstrip().endswith("evaluation/report.html")


@pytest.mark.skipif(not has_terminals, reason="this system has no pseudo-terminals")
def test_a_terminal_shows_that_candidates_are_found(stage, beir, retriever):
    """On a terminal, there is a line that counts the questions while a retriever is asked."""
    options = (*OPTIONS, "--retriever", retriever)
    status, received = run_on_terminal(stage, "evaluate", str(beir), *options, PYTHONPATH=str(ROOT))

    assert status == 0
    assert "finding candidates" in received
