"""The runs of an evaluation, as other programs read them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.evaluation.report.trec_runs import (
    decoded,
    encoded,
    must_be_encoded,
    run_lines,
    runs,
)

from tests.evaluation.example_evaluations import FREE, example_evaluation


def test_there_is_a_run_of_each_model():
    """There are runs of the first stage, of each model at its largest depth, and recommended."""
    evaluation = example_evaluation(models=FREE, two_step=False)
    found = runs(evaluation)

    assert {name: result.plan.name for name, result in found.items()} == {
        "first-stage": "first stage",
        "local_lexical@100": "local/lexical @100",
        "local_minilm@100": "local/minilm @100",
        "recommended": evaluation.recommended.plan.name,
    }
    assert [*runs(replace(evaluation, recommended=None))] == [*found][:-1]


def test_no_two_models_have_one_run():
    """Models whose names differ only in characters that a file name cannot have get a number."""
    models = {"a/b": (0.3, 1.0, 0.1), "a:b": (0.4, 1.0, 0.1), "A b": (0.5, 1.0, 0.1)}
    names = runs(example_evaluation(models=models, two_step=False))

    assert [*names][1:-1] == ["a_b@100", "a_b@100_2", "A_b@100_3"]


@pytest.mark.parametrize("model", ["../../etc/passwd", "..", ".hidden", "/", "x" * 400, "a\nb\x00"])
def test_a_run_stays_in_its_folder(model):
    """With any name of a model, the name of its run is the name of one file."""
    names = runs(example_evaluation(models={model: (0.3, 1.0, 0.1)}, two_step=False))

    for name in names:
        assert not set(name) & set('/\\\x00\n :*?"<>|')
        assert not name.startswith(".")
        assert 0 < len(name) <= 110


def test_a_line_has_six_columns():
    """The lines are in the order of the plan, and their scores descend."""
    evaluation = example_evaluation()
    lines = [line.split(" ") for line in run_lines(evaluation.first_stage, "x", encode=False)]
    question = evaluation.questions[0]

    assert lines[:2] == [
        [question, "Q0", evaluation.first_stage.orders[question][0], "1", "-1", "x"],
        [question, "Q0", evaluation.first_stage.orders[question][1], "2", "-2", "x"],
    ]
    assert len(lines) == sum(map(len, evaluation.first_stage.orders.values()))


@given(st.text(st.characters()))
def test_an_encoded_id_is_one_column_and_can_be_decoded(identifier):
    """An encoded id has no white space, is valid UTF-8, and decodes to the id."""
    written = encoded(identifier)

    assert written.split() == [written]
    assert written.encode().decode().splitlines() == [written]
    assert decoded(written) == identifier


@pytest.mark.parametrize(
    ("identifier", "written"),
    [("4983", "4983"), ("größe/1", "größe/1"), ("a b", "a%20b"), ("50 %", "50%20%25"), ("", "%")],
)
def test_only_what_separates_columns_is_encoded(identifier, written):
    """Letters of any script stay as they are."""
    assert encoded(identifier) == written


def test_ids_are_only_encoded_if_one_of_them_must_be():
    """Ids without white space are written as they are, also with a per cent sign."""
    plain = example_evaluation(rename=lambda text: text.replace("d", "50%d"))
    spaced = example_evaluation(rename=lambda text: text.replace("d", "a d"))

    assert not must_be_encoded([plain.first_stage])
    assert must_be_encoded([spaced.first_stage])
    assert "50%d" in next(run_lines(plain.first_stage, "x", encode=False))
    assert "a%20d" in next(run_lines(spaced.first_stage, "x", encode=True))


def test_ir_measures_computes_the_same_metric_from_a_run(tmp_path):
    """The metric of a run, computed by ir-measures, is that of the evaluation."""
    ir_measures = pytest.importorskip("ir_measures", reason="ir-measures is not installed")
    evaluation = example_evaluation()
    file = tmp_path / "run.trec"
    qrels = [
        ir_measures.Qrel(question, document, grade)
        for question, grades in evaluation.collection.judgements.items()
        for document, grade in grades.items()
    ]
    for result in runs(evaluation).values():
        file.write_text("\n".join(run_lines(result, "x", encode=False)))
        run = ir_measures.read_trec_run(str(file))

        found = ir_measures.calc_aggregate([ir_measures.nDCG @ 10], qrels, run)

        assert found[ir_measures.nDCG @ 10] == pytest.approx(result.value, abs=1e-9)
