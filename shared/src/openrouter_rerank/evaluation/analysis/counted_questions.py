"""
Which questions count.
"""

from collections.abc import Mapping

from openrouter_rerank.evaluation.asking.schedule import questions_of
from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.settings import Settings

from .calls import Calls


def counted_questions(
    collection: Collection, settings: Settings, calls: Mapping[str, Calls], width: int
) -> tuple[str, ...]:
    """
    Return the questions with a relevant document for which every model has all scores.

    It needs only the scores at the largest depth. So when more is asked, no question that counted
    stops counting.

    Nothing is asked for a question without a text to rank, and all plans keep its order. If not all
    is answered, only those count that come before the last answered question in the order of
    asking: more would be too many for those that were answered.

    Args:
        collection: The candidates and judgements.
        settings: The settings that the questions were asked with.
        calls: The calls of the models that answered anything.
        width: The largest depth.

    Returns:
        The ids, in the order of the collection.
    """
    if not calls:
        return ()
    asked = [each for each in questions_of(collection, settings) if has_relevant(collection, each)]
    with_text = [each for each in asked if _has_text(collection, each, width)]
    answered = {
        question
        for question in with_text
        if all(each.answer(question, width) for each in calls.values())
    }
    last = max((place for place, each in enumerate(asked) if each in answered), default=-1)
    end = len(asked) if len(answered) == len(with_text) else last
    counted = answered | (set(asked[:end]) - set(with_text))
    return tuple(question for question in collection.questions if question in counted)


def has_relevant(collection: Collection, question: str) -> bool:
    """Return `True` if a document of the question is judged as relevant."""
    return any(grade > 0 for grade in collection.judgements.get(question, {}).values())


def _has_text(collection: Collection, question: str, width: int) -> bool:
    candidates = collection.candidates.get(question, ())[:width]
    return any(collection.documents.get(document, "").strip() for document in candidates)
