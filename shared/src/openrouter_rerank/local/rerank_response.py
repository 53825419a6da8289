"""
The response to a valid request: in OpenRouter's format, and it says which scorer computed it.
"""

import secrets
from collections.abc import Mapping, Sequence

from openrouter_rerank.local.document_text import (
    document_and_image_texts,
    document_image,
    document_texts,
    echoed_document,
)
from openrouter_rerank.local.images import installed_ocr_engine
from openrouter_rerank.local.rejection import RequestRejectedError
from openrouter_rerank.local.rerank_request import RerankRequest
from openrouter_rerank.local.scorer import Scorer
from openrouter_rerank.local.usage import usage
from openrouter_rerank.models import RerankModel, known_model


def rerank_response(
    request: RerankRequest, scorers: Mapping[str, Scorer], *, received: int
) -> dict[str, object]:
    """
    Rank the documents of a request, best first; equal scores keep the order of the documents.

    Args:
        request: The request.
        scorers: By model slug. The first one also scores for the hosted models.
        received: When the request arrived, in Unix time, for the response's id.

    Raises:
        RequestRejectedError: If the model is unknown or takes fewer documents, or an image is
            invalid.
    """
    scorer, hosted = _scorer_for(request, scorers)
    ocr_engine = installed_ocr_engine() if hosted is None or hosted.takes_images else None
    texts = (
        document_texts(request.documents)
        if hosted is not None and not hosted.takes_images
        else document_and_image_texts(request.documents, ocr_engine)
    )
    scores = _scores(scorer, request.query, texts)
    order = sorted(range(len(scores)), key=lambda index: -scores[index])[: request.top_n]
    return {
        "id": f"gen-rerank-{received}-{secrets.token_hex(10)}",
        "model": scorer.name,
        "results": [
            {
                "index": index,
                "relevance_score": scores[index],
                "document": echoed_document(request.documents[index]),
            }
            for index in order
        ],
        "usage": usage(
            request.query, texts, search_units=hosted is not None and hosted.search_units
        ),
        "provider": _provider(
            images=any(document_image(document) is not None for document in request.documents),
            ocr=ocr_engine is not None,
        ),
    }


def _scorer_for(
    request: RerankRequest, scorers: Mapping[str, Scorer]
) -> tuple[Scorer, RerankModel | None]:
    """Return the scorer for the request's model, and the hosted model that it replaces, if any."""
    if request.model in scorers:
        return scorers[request.model], None
    if request.model == "local/minilm":
        message = (
            f'No endpoints found for {request.model}: install "openrouter-rerank[local-minilm]"'
        )
        raise RequestRejectedError(404, message)
    hosted = known_model(request.model)
    if hosted is None:
        raise RequestRejectedError(400, f"Model {request.model} does not exist")
    sent, limit = len(request.documents), hosted.max_documents
    if limit is not None and sent > limit:
        message = f"{request.model} takes {limit} documents a request, got {sent}"
        raise RequestRejectedError(400, message)
    return next(iter(scorers.values())), hosted


def _scores(scorer: Scorer, query: str, texts: Sequence[str]) -> list[float]:
    """Score each text. Equal texts get equal scores, and blank ones get 0."""
    unique = list(dict.fromkeys(text for text in texts if text.strip()))
    score_of = dict(zip(unique, scorer.scores(query, unique), strict=True))
    return [score_of.get(text, 0.0) for text in texts]


def _provider(*, images: bool, ocr: bool) -> str:
    if not images:
        return "local scorer (not OpenRouter)"
    used = "caption and printed text" if ocr else "caption"
    return f"local scorer (not OpenRouter; images by their {used} only)"
