"""The metrics of orders of documents, and the best order there can be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("ir_measures", reason="the extra `evaluate` is not installed")
import itertools

import pytrec_eval
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.evaluation.analysis.measures import (
    JUDGED_ONLY,
    SHOWN,
    Measures,
    Metric,
    perfect_order,
)
from openrouter_rerank.evaluation.collection.fields import LARGEST_GRADE

grades_of_documents = st.lists(st.none() | st.integers(0, 3), min_size=1, max_size=12)
metrics = st.sampled_from(["nDCG@10", "nDCG@3", "MRR@10", "R@5", "Success@1", "AP", "P(rel=2)@3"])
OF_TREC = {"nDCG@10": "ndcg_cut_10", "R@5": "recall_5", "Success@1": "success_1", "AP": "map"}


def judged(grades):
    """Return documents, and the grades of those that have one."""
    documents = [str(place) for place in range(len(grades))]
    return documents, {
        document: grade
        for document, grade in zip(documents, grades, strict=True)
        if grade is not None
    }


def value(metric, order, grades):
    """Return the metric of an order for one question."""
    return Measures([metric], {"q": grades}).of({"q": order})[metric]["q"]


def test_metrics_equal_those_of_trec_eval():
    """Each metric is that of trec_eval; a missing question has the value 0."""
    random = np.random.default_rng(0)
    judgements, orders = {}, {}
    for question in map(str, range(60)):
        documents = [f"d{place}" for place in range(int(random.integers(1, 40)))]
        judgements[question] = {
            document: int(random.integers(0, 4))
            for document in documents
            if random.random() < 0.4 or document == "d0"
        }
        orders[question] = random.permutation(documents).tolist()
    del orders["7"], orders["8"]
    orders["9"] = []
    expected = pytrec_eval.RelevanceEvaluator(judgements, {*OF_TREC.values()}).evaluate(
        {
            question: {document: -float(rank) for rank, document in enumerate(order)}
            for question, order in orders.items()
            if order
        }
    )

    found = Measures(OF_TREC, judgements).of(orders)

    for name, trec_name in OF_TREC.items():
        assert found[name] == pytest.approx(
            {
                question: expected[question][trec_name] if question in expected else 0.0
                for question in judgements
            },
            abs=1e-9,
        )


def test_documents_with_equal_scores_keep_their_order():
    """The metrics depend on the order alone, and not on the ids of the documents."""
    assert value("MRR@10", ["b", "a"], {"b": 1}) == value("MRR@10", ["a", "b"], {"a": 1}) == 1.0
    assert value("MRR@10", ["b", "a"], {"a": 1}) == value("MRR@10", ["a", "b"], {"b": 1}) == 0.5


def test_documents_after_the_cutoff_have_no_effect():
    """Metrics with different cutoffs in one call are what they are alone."""
    order = [str(place) for place in range(30)]
    grades = {"2": 1, "7": 2, "25": 3}

    together = Measures(["nDCG@3", "R@5", "AP", *SHOWN], {"q": grades}).of({"q": order})

    assert together == {
        name: {"q": value(name, order, grades)} for name in ["nDCG@3", "R@5", "AP", *SHOWN]
    }


def test_the_metric_of_judged_documents_sees_all_of_them():
    """A judged document counts even if ten documents without a judgement precede it."""
    order = [f"not judged {place}" for place in range(20)] + ["relevant", "irrelevant"]

    assert value(JUDGED_ONLY, order, {"relevant": 1, "irrelevant": 0}) == 1.0


def test_the_share_of_judged_documents_needs_no_ten_documents():
    """Judged@10 of three documents, two of them judged, is two thirds."""
    assert value("Judged@10", ["a", "b", "c"], {"a": 0, "c": 1}) == pytest.approx(2 / 3)


@pytest.mark.parametrize("ids", [["a b", "a\x00b"], ["", "\ud800"], ["ä" * 9_999, "\n"]])
def test_any_text_is_an_id(ids):
    """Ids of questions and documents may contain any characters."""
    found = Measures(["R@5"], {text: {ids[1]: 1} for text in ids}).of(dict.fromkeys(ids, ids))

    assert found == {"R@5": dict.fromkeys(ids, 1.0)}


def test_nothing_to_measure_is_no_error():
    """Without questions there are no values."""
    assert Measures(["nDCG@10", JUDGED_ONLY], {}).of({}) == {"nDCG@10": {}, JUDGED_ONLY: {}}


def test_two_names_of_a_metric_have_the_same_value():
    """A metric is found under each name that was asked for."""
    found = Measures(["MRR@10", "RR@10"], {"q": {"b": 1}}).of({"q": ["a", "b"]})

    assert found == {"MRR@10": {"q": 0.5}, "RR@10": {"q": 0.5}}


@pytest.mark.parametrize("name", ["nDCG@10", "RR", "P(rel=2)@5", "nDCG(judged_only=True)@10"])
def test_a_metric_of_ir_measures_is_accepted(name):
    """Names with options and a cutoff are those of ir-measures."""
    assert Metric(name).name == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nope@3", "there is no such metric"),
        ("", "there is no such metric"),
        ("nDCG@x", "there is no such metric"),
        ("nDCG@0", "the cutoff must be above 0"),
        ("nDCG@2.5", "an option is missing or wrong"),
        ("R", "an option is missing or wrong"),
        ("P(2)@5", "each option needs its name"),
        ("P(relevance=2)@5", "there is no option 'relevance', only cutoff, rel, judged_only"),
        ("RBP(p=0.8)", "Unsupported measures"),
        ("P(rel=open('x'))@5", "malformed node"),
        ("P(rel=)@5", "its options cannot be read"),
    ],
)
def test_another_metric_is_an_error(name, reason):
    """The error names the metric, says what is wrong, and gives examples."""
    with pytest.raises(ConfigurationError, match="Name a metric of ir-measures, such") as error:
        Metric(name)

    assert str(error.value).startswith(f"metric={name!r} cannot be computed (")
    assert reason in str(error.value)


def test_the_largest_grades_are_computed():
    """The largest and the smallest grade that a collection can have are computed."""
    grades = {"a": LARGEST_GRADE, "b": -LARGEST_GRADE}

    assert value("nDCG@10", ["a", "b"], grades) == 1.0
    assert value("nDCG@10", ["b", "a"], grades) < 1.0


@given(grades_of_documents, metrics, st.randoms(use_true_random=False), st.integers(1, 12))
def test_no_order_is_better_than_the_perfect_one(grades, metric, random, depth):
    """No order of the first candidates has a higher metric than the perfect order."""
    documents, grades = judged(grades)
    first = random.sample(documents[:depth], len(documents[:depth]))

    highest = value(metric, perfect_order(documents, grades, depth), grades)

    assert value(metric, [*first, *documents[depth:]], grades) <= highest + 1e-9


@given(grades_of_documents, metrics)
def test_the_perfect_order_of_more_candidates_is_no_worse(grades, metric):
    """The metric of the perfect order does not fall with the depth."""
    documents, grades = judged(grades)
    values = [
        value(metric, perfect_order(documents, grades, depth), grades)
        for depth in range(len(documents) + 1)
    ]

    assert all(after >= before - 1e-9 for before, after in itertools.pairwise(values))
