"""The table and the verdict in a terminal and in a pipe."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from openrouter_rerank.evaluation.collection.bm25 import BM25_NAME
from openrouter_rerank.evaluation.report.terminal import show
from rich.cells import cell_len
from rich.console import Console

from tests.evaluation.example_evaluations import FREE, MODELS, example_evaluation

LONG = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"
NUMBER = re.compile(r"[+-]?\d*\.\d+|\$\d|free|unknown")


@pytest.fixture(scope="module")
def evaluation():
    """An evaluation of four models."""
    return example_evaluation()


def shown(evaluation, *, width=None, encoding="utf-8", colours=None, report=None):
    """Return what is shown in a terminal of this width, or in a pipe."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    console = Console(
        file=file,
        width=width,
        force_terminal=width is not None,
        color_system=colours,
        _environ={},
    )
    show(evaluation, console, report=report)
    file.flush()
    return file.buffer.getvalue().decode(encoding)


def table(text):
    """Return the headings and the lines of plans."""
    lines = text.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("plan "))
    end = next(index for index, line in enumerate(lines) if "(perfect order)" in line)
    return re.split(r"\s{2,}", lines[start]), lines[start + 1 : end + 1]


def test_a_wide_terminal_has_all_columns(evaluation):
    """With 100 columns, the table has all columns, and the recommended plan is marked."""
    headings, lines = table(shown(evaluation, width=100))

    assert headings == [
        *("plan", "nDCG@10", "R@10", "change (95 %)", "won/same/lost", "$/1,000", "p50")
    ]
    marked = [line for line in lines if line.startswith("▶")]
    assert [evaluation.recommended.plan.name in line for line in marked] == [True]


def test_a_narrow_terminal_has_fewer_columns(evaluation):
    """With 80 columns, R@10 and won/same/lost are left out, and no other column."""
    headings, _ = table(shown(evaluation, width=80))

    assert headings == ["plan", "nDCG@10", "change (95 %)", "$/1,000", "p50"]


@pytest.mark.parametrize("width", [80, 90, 99, 100, 120, 200])
@pytest.mark.parametrize("models", [MODELS, FREE, {f"{LONG}-{n}": (0.3, n, 0.2) for n in (1, 99)}])
def test_no_line_is_too_wide_and_no_number_is_cut(width, models):
    """Each line fits into the terminal, and each plan has all its numbers."""
    evaluation = example_evaluation(models=models)
    text = shown(evaluation, width=width)
    _, lines = table(text)

    assert max(cell_len(line) for line in text.splitlines()) <= width
    for result in (evaluation.recommended, evaluation.best):
        assert f"{result.value:.3f}" in "".join(lines)
        low, high = (f"{bound:+.2f}".replace("0.", ".") for bound in result.interval)
        assert f"{result.change:+.3f} ({low} {high})" in "".join(lines)
    assert "…" not in text


def test_a_long_name_has_several_lines():
    """A name that is too long is folded, and is complete."""
    evaluation = example_evaluation(models={LONG: (0.3, 0.0, 0.2)}, two_step=False)
    _, lines = table(shown(evaluation, width=80))

    assert f"{LONG}@20" in "".join("".join(line.split()) for line in lines)
    assert max(len(line) for line in lines) <= 80


def test_the_verdict_is_last_and_the_only_sentence(evaluation):
    """The verdict and its small print follow the table; after them is only the path."""
    text = shown(evaluation, width=100, report=Path("evaluation/report.html"))
    joined = " ".join(text.splitlines())

    assert joined.index("(perfect order)") < joined.index(evaluation.verdict.sentence)
    assert joined.endswith(f"{evaluation.verdict.small_print} evaluation/report.html")


def test_candidates_of_bm25_are_named_before_the_table(evaluation):
    """If BM25 found the candidates, the second line says that they are not of the user."""
    found = replace(evaluation, collection=replace(evaluation.collection, first_stage=BM25_NAME))

    assert shown(found).splitlines()[1] == f"first stage: {BM25_NAME}"
    assert "first stage:" not in shown(evaluation)


def test_an_empty_small_print_is_no_line(evaluation):
    """If there is no small print, there is no blank line in its place."""
    found = replace(evaluation, verdict=replace(evaluation.verdict, small_print=""))

    assert "" not in shown(found, report=Path("report.html")).splitlines()


@pytest.mark.parametrize(("kind", "code"), [("yes", "1;32"), ("no", "1;31"), ("unsure", "1;33")])
def test_the_verdict_has_a_colour(kind, code):
    """Worth it is green, not worth it is red, and not sure is yellow."""
    evaluation = example_evaluation(kind=kind)
    text = shown(evaluation, width=200, colours="standard")

    assert f"\x1b[{code}m{evaluation.verdict.sentence}" in text


def test_a_pipe_has_plain_text_of_100_columns(evaluation):
    """Without a terminal, there is no colour, and the width does not depend on the machine."""
    text = shown(evaluation)

    assert "\x1b" not in text
    assert text == shown(evaluation, width=100)
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_an_encoding_without_the_signs_has_letters(evaluation):
    """Where the encoding has no arrows and bars, the table has characters of ASCII."""
    verdict = replace(evaluation.verdict, small_print="95 % interval \N{MINUS SIGN}0.1 to +0.2.")
    text = shown(replace(evaluation, verdict=verdict), encoding="ascii")

    assert text.isascii()
    assert "?" not in text
    assert "interval -0.1 to" in text
    assert f"> {evaluation.recommended.plan.name}" in text
    result = evaluation.recommended
    assert f"{result.won}/{result.same}/{result.lost}" in text


def test_names_cannot_change_the_terminal():
    """Escape sequences in names and sentences are escaped, and markup is text."""
    evaluation = example_evaluation(rename=lambda text: f"{text}\x1b[2J[bold]\n:smile:")
    text = shown(evaluation, width=200)

    assert "\x1b" not in text
    assert r"\x1b[2J[bold] :smile:" in text


def test_unknown_prices_and_times_are_said():
    """A price that the service does not report is unknown, and a missing time is a dash."""
    evaluation = example_evaluation(models={"a/b": (0.3, None, None)}, two_step=False)
    _, lines = table(shown(evaluation, width=100))

    assert all(re.search(r" unknown +\N{EN DASH}$", line) for line in lines[1:-1])


def test_a_bar_shows_any_question_that_is_lost(evaluation):
    """One lost question of many is a part of the bar."""
    plans = tuple(replace(each, won=900, same=99, lost=1) for each in evaluation.plans)
    evaluation = replace(evaluation, plans=plans, recommended=plans[0], best=plans[0])
    text = shown(evaluation, width=120)

    assert "900/99/1 ███████▒" in text


def test_an_incomplete_evaluation_says_so(evaluation):
    """The first line says that the evaluation is incomplete."""
    first = shown(replace(evaluation, is_complete=False), width=100).splitlines()[0]

    assert first == "scifact: 60 questions, 340 documents, 100 candidates each, incomplete"


def test_an_evaluation_without_plans_has_a_verdict():
    """Without plans, there are the first stage and the verdict."""
    evaluation = example_evaluation(
        kind="no", plans=(), best=None, recommended=None, frontier=(), ceiling={}
    )
    text = shown(evaluation, width=100)

    assert "first stage" in text
    assert evaluation.verdict.sentence in text


def test_a_long_metric_does_not_cut_numbers(evaluation):
    """The heading of a metric with a long name is shortened, and its numbers are not."""
    settings = replace(evaluation.settings, metric="nDCG(judged_only=True)@10")
    text = shown(replace(evaluation, settings=settings), width=80)

    assert "nDCG(judged…" in text
    assert f"{evaluation.recommended.value:.3f}" in text


def test_the_most_important_notes_are_before_the_verdict(evaluation):
    """At most three are shown; a line counts the others, and the verdict stays last."""
    warnings = tuple(f"{number} candidates are missing." for number in range(2, 7))
    text = shown(replace(evaluation, warnings=warnings), width=100)
    lines = text.splitlines()
    start = lines.index(warnings[0])

    assert "(perfect order)" in lines[start - 1]
    assert lines[start : start + 4] == [*warnings[:3], "2 more notes in the report."]
    assert lines[start + 4].startswith("Worth it:")
    assert "more note" not in shown(replace(evaluation, warnings=warnings[:3]))


def test_a_shorter_list_of_candidates_is_said(evaluation):
    """If a question has fewer candidates, the first line does not say that each has all."""
    candidates = {**evaluation.collection.candidates}
    question = evaluation.questions[7]
    candidates[question] = candidates[question][:99]
    found = replace(evaluation, collection=replace(evaluation.collection, candidates=candidates))

    assert shown(found).startswith("scifact: 60 questions, 340 documents, up to 100 candidates\n")
    assert shown(evaluation).splitlines()[0].endswith(", 100 candidates each")


def test_a_local_scorer_is_named(evaluation):
    """If a local scorer has answered for the model, the second line says so."""
    use = replace(
        evaluation.uses[0],
        served_models=("local/lexical",),
        providers=("local scorer (not OpenRouter)",),
    )
    found = replace(evaluation, uses=(use, *evaluation.uses[1:]))

    expected = "answered by local/lexical, local scorer (not OpenRouter)"
    assert shown(found).splitlines()[1] == expected
    assert "answered by" not in shown(evaluation)


@pytest.mark.parametrize("kind", ["no", "unsure"])
def test_no_plan_is_marked_unless_reranking_is_worth_it(evaluation, kind):
    """A mark would say that the plan is to be used."""
    verdict = replace(evaluation.verdict, kind=kind)

    assert "▶" in shown(evaluation)
    assert "▶" not in shown(replace(evaluation, verdict=verdict))


def test_without_a_question_there_is_no_table(evaluation):
    """A table of zeros would look like a result."""
    lines = shown(replace(evaluation, questions=()), width=200).splitlines()

    assert lines[0].startswith("scifact: 0 questions")
    assert lines[1] == evaluation.verdict.sentence
