"""
The response to a request that can be ranked: OpenRouter's shape, and honest about who answers.
"""

import secrets
import string
from collections.abc import Mapping, Sequence

from openrouter_rerank.local.content import echo, image_of, texts, texts_and_images
from openrouter_rerank.local.images import installed_reader
from openrouter_rerank.local.refusal import RefusedError
from openrouter_rerank.local.rerank_request import RerankRequest
from openrouter_rerank.local.scorer import Scorer
from openrouter_rerank.local.usage import usage
from openrouter_rerank.models import RerankModel, known_model

_SIGNS = string.ascii_letters + string.digits


def ranked(
    request: RerankRequest, scorers: Mapping[str, Scorer], *, received: int
) -> dict[str, object]:
    """
    Rank the documents of a request, best first, equal ones in the order they came.

    Args:
        request: What was asked.
        scorers: By model slug; the first one answers for hosted models.
        received: Unix time, for the id.

    Raises:
        RefusedError: The model is unknown, or does not take so many documents, or an image is none.
    """
    scorer, hosted = _offered(request, scorers)
    reader = installed_reader() if hosted is None or hosted.takes_images else None
    read = (
        texts(request.documents)
        if hosted is not None and not hosted.takes_images
        else texts_and_images(request.documents, reader)
    )
    scores = _scores(scorer, request.query, read)
    order = sorted(range(len(scores)), key=lambda place: -scores[place])[: request.top_n]
    return {
        "id": f"gen-rerank-{received}-{''.join(secrets.choice(_SIGNS) for _ in range(20))}",
        "model": scorer.name,
        "results": [
            {
                "index": place,
                "relevance_score": scores[place],
                "document": echo(request.documents[place]),
            }
            for place in order
        ],
        "usage": usage(
            request.query, read, search_units=hosted is not None and hosted.search_units
        ),
        "provider": _provider(
            images=any(image_of(document) is not None for document in request.documents),
            read=reader is not None,
        ),
    }


def _offered(
    request: RerankRequest, scorers: Mapping[str, Scorer]
) -> tuple[Scorer, RerankModel | None]:
    """Find the scorer that answers, and the hosted model it stands in for."""
    if request.model in scorers:
        return scorers[request.model], None
    if request.model == "local/minilm":
        message = (
            f'No endpoints found for {request.model}: install "openrouter-rerank[local-minilm]"'
        )
        raise RefusedError(404, message)
    hosted = known_model(request.model)
    if hosted is None:
        raise RefusedError(400, f"Model {request.model} does not exist")
    sent, most = len(request.documents), hosted.max_documents
    if most is not None and sent > most:
        raise RefusedError(400, f"{request.model} takes {most} documents a request, got {sent}")
    return next(iter(scorers.values())), hosted


def _scores(scorer: Scorer, query: str, read: Sequence[str]) -> list[float]:
    """Score each text; the same text always gets the same, and a blank one 0."""
    told = list(dict.fromkeys(text for text in read if text.strip()))
    known = dict(zip(told, scorer.scores(query, told), strict=True))
    return [known.get(text, 0.0) for text in read]


def _provider(*, images: bool, read: bool) -> str:
    if not images:
        return "local scorer (not OpenRouter)"
    seen = "caption and printed text" if read else "caption"
    return f"local scorer (not OpenRouter; images by their {seen} only)"
