"""The numbers of an evaluation, computed again from its files by the programs of TREC."""

import subprocess
import sys

import pytest
from openrouter_rerank.local.endpoint import LocalOpenRouter
from openrouter_rerank.local.installed_scorers import installed_scorers
from openrouter_rerank.local.stage import answered_by

pytest.importorskip("ir_measures", reason="the evaluation needs ir-measures")

import pytrec_eval
from openrouter_rerank.evaluation import Collection, evaluate
from openrouter_rerank.evaluation.report.trec_runs import runs

SCORERS = installed_scorers()
"""The local scorers by name. They need a moment for 100 candidates of each question."""


@pytest.fixture
def evaluated(request, stage, tmp_path, monkeypatch):
    """A function that evaluates the folder of a fixture with the local scorers."""
    monkeypatch.setenv("OPENROUTER_API_BASE", stage.base_url)
    monkeypatch.setenv("OPENROUTER_API_KEY", stage.api_key)
    stage.always(answered_by(LocalOpenRouter(scorers=SCORERS)))

    def evaluated(fixture, depths):
        collection = Collection.from_beir(request.getfixturevalue(fixture))
        return evaluate(
            collection, models=list(SCORERS), depths=depths, probes=0, directory=tmp_path / "out"
        )

    return evaluated


@pytest.mark.parametrize(
    ("fixture", "depths", "known"),
    [
        pytest.param("towns_folder", [5, 20], {}, id="towns"),
        # As measured before, with other programs.
        pytest.param(
            "scifact_mini",
            [100],
            {"first stage": 0.657, "local/lexical @100": 0.586, "local/minilm @100": 0.710},
            id="scifact",
        ),
    ],
)
def test_the_programs_of_trec_compute_the_same_from_the_files(
    evaluated, tmp_path, fixture, depths, known
):
    """pytrec_eval and the command ir_measures find the metric of each question and of each run."""
    found = evaluated(fixture, depths)
    values = {each.plan.name: each.value for each in (found.first_stage, *found.plans)}
    judgements = {
        question: dict(grades) for question, grades in found.collection.judgements.items()
    }
    qrels = tmp_path / "qrels.trec"
    qrels.write_text(
        "".join(
            f"{question} 0 {document} {grade}\n"
            for question, grades in judgements.items()
            for document, grade in grades.items()
        )
    )
    evaluator = pytrec_eval.RelevanceEvaluator(judgements, {"ndcg_cut.10"})

    for name, result in runs(found).items():
        file = tmp_path / "out/runs" / f"{name}.trec"
        with file.open(encoding="utf-8") as lines:
            by_question = evaluator.evaluate(pytrec_eval.parse_run(lines))
        printed = subprocess.run(
            [sys.executable, "-m", "ir_measures", "-p", "12", qrels, file, "nDCG@10"],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        assert {
            question: each["ndcg_cut_10"] for question, each in by_question.items()
        } == pytest.approx(dict(result.per_question), abs=1e-9)
        assert float(printed.split()[-1]) == pytest.approx(result.value, abs=1e-9)
    assert {name: values[name] for name in known} == pytest.approx(known, abs=0.002)
