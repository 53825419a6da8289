"""The documents that judges grade: those that users of any plan would see."""

from collections.abc import Mapping

from openrouter_rerank.evaluation.analysis.calls import Calls
from openrouter_rerank.evaluation.analysis.comparison import possible_plans
from openrouter_rerank.evaluation.analysis.plans import Reranking
from openrouter_rerank.evaluation.asking.schedule import depths_of, questions_of
from openrouter_rerank.evaluation.asking.scores import Scores
from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.settings import Settings

SHOWN_DOCUMENTS = 10
"""Documents of a plan that are graded for each question."""


def pool(
    collection: Collection, scores: Scores, settings: Settings
) -> Mapping[str, tuple[str, ...]]:
    """
    Return the documents to grade for each question, by question.

    They are the first 10 of the first stage and of every plan, without blank documents and those
    that have a judgement. Questions without the scores of every model are left out. The questions
    are in the order in which they were asked.
    """
    depths = depths_of(collection, scores.depths or settings.depths)
    calls = {model: Calls(scores, model, collection.candidates) for model in settings.models}
    answered = {model: each for model, each in calls.items() if each.questions("score")}
    questions = [
        question
        for question in questions_of(collection, settings)
        if answered and all(each.answer(question, depths[-1]) for each in answered.values())
    ]
    found = {
        question: dict.fromkeys(collection.candidates.get(question, ())[:SHOWN_DOCUMENTS])
        for question in questions
    }
    reranking = Reranking(collection.candidates, questions, answered, depths[-1])
    for plan in possible_plans(settings, depths, answered):
        for question, order in reranking.orders(plan).items():
            found[question].update(dict.fromkeys(order[:SHOWN_DOCUMENTS]))
    return {
        question: tuple(
            document
            for document in documents
            if document not in collection.judgements.get(question, {})
            and collection.documents[document].strip()
        )
        for question, documents in found.items()
    }
