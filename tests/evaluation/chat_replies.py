"""Replies of a scripted chat model that judges passages."""

import json

from openrouter_rerank.local.stage import Reply, word_overlap

COST = 0.0001


def said(text, *, cost=COST):
    """Return the reply of a chat model that wrote `text`."""
    return Reply(
        body={
            "id": "gen-1",
            "model": "judge",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 500, "completion_tokens": 5, "cost": cost},
        }
    )


def graded(grade, *, cost=COST):
    """Return the reply of a judge that gave this grade."""
    return said(json.dumps({"grade": grade}), cost=cost)


def is_chat(request):
    """Return whether a request is one to a chat model."""
    return request.path.endswith("/chat/completions")


def judged(request):
    """Return the question and the passage of a request to a judge."""
    data = json.loads(request.json["messages"][-1]["content"])
    return data["question"], data["passage"]


def chats(stage):
    """Return the requests to chat models."""
    return [request for request in stage.requests if is_chat(request)]


def judging(grade, *, cost=COST, rerank=word_overlap):
    """
    Return a function that replies to both kinds of requests.

    Args:
        grade: Gets the question, the passage and the judge; returns a grade, or a reply.
        cost: Dollars of each grade.
        rerank: Replies to rerank requests.
    """

    def reply(request):
        if not is_chat(request):
            return rerank(request)
        found = grade(*judged(request), request.model)
        return graded(found, cost=cost) if isinstance(found, int) else found

    return reply
