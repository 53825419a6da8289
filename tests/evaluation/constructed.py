"""Collections and scores that tests construct, with as many questions and models as they need."""

import numpy as np
from openrouter_rerank.evaluation.asking.scores import AskedCall, Scores
from openrouter_rerank.evaluation.collection.collection import Collection


def collection(grades, *, blank=(), **fields):
    """
    Return a collection whose candidates of each question have these grades, in this order.

    Args:
        grades: By question, the grade of each candidate; `None`: not judged.
        blank: Documents without a text.
        fields: Other fields of the collection.
    """
    candidates = {
        question: tuple(f"{question}/{place}" for place in range(len(each)))
        for question, each in grades.items()
    }
    return Collection(
        **{
            "name": "test",
            "questions": {question: f"What is {question}?" for question in grades},
            "documents": {
                document: "" if document in blank else f"The text of {document}."
                for documents in candidates.values()
                for document in documents
            },
            "judgements": {
                question: {
                    f"{question}/{place}": grade
                    for place, grade in enumerate(each)
                    if grade is not None
                }
                for question, each in grades.items()
            },
            "candidates": candidates,
        }
        | fields
    )


def call(model, question, scores, *, kind="score", **fields):
    """Return a call that gave the first candidates of a question these scores."""
    return AskedCall(
        **{
            "model": model,
            "question": question,
            "depth": len(scores),
            "kind": kind,
            "cost": 0.0,
            "seconds": 0.1,
            "attempts": 1,
            "served_model": None,
            "provider": None,
            "scores": {
                f"{question}/{place}": score
                for place, score in enumerate(scores)
                if score is not None
            },
        }
        | fields
    )


def scores_of(calls, *, depths=(), **fields):
    """Return the scores of these calls, by default at the depth of the longest."""
    calls = tuple(calls)
    return Scores(
        **{
            "depths": depths or (max((each.depth for each in calls), default=10),),
            "calls": calls,
            "failures": {},
            "listwise": frozenset(),
        }
        | fields
    )


def random_evaluation(*, questions, candidates, models, depths, relevant=3, seed=0):
    """
    Return a collection and scores for it, in which relevant documents have higher scores.

    Args:
        questions: The number of questions.
        candidates: The number of candidates of each.
        models: How much higher the scores of relevant documents are, by model.
        depths: The depths; each model has probes for the first five questions.
        relevant: The number of relevant candidates of each question.
        seed: The start of the random scores.
    """
    random = np.random.default_rng(seed)
    grades = {}
    for number in range(questions):
        found = {*random.choice(candidates, relevant, replace=False).tolist()}
        grades[f"q{number}"] = [int(place in found) for place in range(candidates)]
    calls = []
    for model, effect in models.items():
        for number, (question, each) in enumerate(grades.items()):
            scores = (random.normal(size=candidates) + effect * np.array(each)).tolist()
            calls.append(call(model, question, scores, cost=0.001, depth=depths[-1]))
            calls += [
                call(model, question, scores[:depth], kind="probe", cost=depth * 1e-5)
                for depth in depths
                if number < 5
            ]
    return collection(grades), scores_of(calls, depths=depths)
