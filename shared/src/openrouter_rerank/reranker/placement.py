"""
Converts between the documents of a framework and a ranking: what is sent, and where each ends up.

Pure. Nothing is lost: a document that cannot be ranked is never sent, and is kept behind the ranked
ones unless the user chose otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from openrouter_rerank.documents import (
    CheckedDocuments,
    HeadedText,
    RerankDocument,
    are_headed,
    are_texts,
    check_fields,
    is_headed,
    joined_text,
)
from openrouter_rerank.errors import InvalidRequestError, OpenRouterRerankError
from openrouter_rerank.images import LocalImage, image_problem, image_size
from openrouter_rerank.ranking import Passage, RankedDocument, Ranking

UnscorablePolicy: TypeAlias = Literal["keep", "drop", "raise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalImageDocument:
    """A document of a framework whose image is in a local file."""

    text: str | None = None
    image: LocalImage


@dataclass(frozen=True, slots=True)
class Unscorable:
    """A document of a framework with nothing to rank; it is never sent."""

    reason: str
    """Why there is nothing to rank, such as "it has neither text nor image"."""


Content: TypeAlias = str | HeadedText | RerankDocument | LocalImageDocument | Unscorable
"""What a document of a framework is converted to."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One document of the result."""

    index: int
    """Its position in the list that was passed in."""
    relevance_score: float | None
    """`None` if it was not ranked."""


# Tuples, because Python takes eight times as long to define a dataclass, and every import of a
# framework class waits for this module.
class Placement(NamedTuple):
    """The order in which the documents of a framework are returned, and the reason for it."""

    order: tuple[Placed | RankedDocument, ...]
    """`RankedDocument`s of the ranking if it is of all documents, else `Placed`s."""
    ranking: Ranking | None = None
    """The ranking of the service; `None` if nothing was sent, or no response came."""
    error: OpenRouterRerankError | None = None
    """The failure that was passed through. Then the order is that of the input, without scores."""
    passages: Mapping[int, Passage] = MappingProxyType({})
    """The passages that the scores of long documents are from, by position in the input."""

    def scores(self, *, model: str) -> Ranking:
        """
        Return the ranking, with the positions that the documents have in the input.

        Args:
            model: The model, for the ranking of documents of which none was sent.
        """
        ranking = self.ranking
        if ranking is None:
            ranking = Ranking(results=(), model=model, requests=())
        results = tuple(
            RankedDocument(placed.index, placed.relevance_score)
            for placed in self.order
            if placed.relevance_score is not None
        )
        return replace(ranking, results=results, passages=self.passages)


class Sendable(NamedTuple):
    """The documents of a framework, divided into those to send and those with nothing to rank."""

    positions: Sequence[int]
    """The positions of the documents to send; a range if it is all of them."""
    documents: CheckedDocuments
    """The documents to send."""
    kept: tuple[int, ...]
    """The positions of the documents that follow the ranked ones without a score."""

    def placed(
        self, ranking: Ranking, *, top_n: int | None, score_threshold: float | None
    ) -> Placement:
        """Put the ranked documents first, best first, and the kept ones behind them."""
        ranked: Sequence[Placed | RankedDocument] = ranking.results
        if score_threshold is not None:
            ranked = [each for each in ranking.results if each.relevance_score >= score_threshold]
        if not isinstance(self.positions, range):
            ranked = [Placed(self.positions[each.index], each.relevance_score) for each in ranked]
        unranked = [Placed(index, None) for index in self.kept]
        # The last cut to `top_n`: the documents without a score count too.
        order = tuple([*ranked, *unranked][:top_n])
        if not ranking.passages:
            return Placement(order=order, ranking=ranking)
        passages = {self.positions[at]: passage for at, passage in ranking.passages.items()}
        return Placement(order=order, ranking=ranking, passages=passages)

    def unranked(self, *, top_n: int | None) -> Placement:
        """Return the kept documents in their order, because there is nothing to send."""
        return Placement(order=tuple(Placed(index, None) for index in self.kept[:top_n]))


class ImagePolicy(NamedTuple):
    """Which images of documents are sent."""

    takes_images: bool
    """Whether any image is sent."""
    max_bytes: int
    """The size of the largest image that is sent."""
    read: Callable[[LocalImage], str | Unscorable]
    """Reads a local image into a data URI, or returns why it cannot."""

    def image_of(self, content: RerankDocument | LocalImageDocument) -> str | Unscorable:
        """Return the image to send, or why there is none."""
        if not self.takes_images:
            return Unscorable("the model takes no images, or image_mode is 'never'")
        source = content.image
        image = self.read(source) if isinstance(source, LocalImage) else source
        if image is None or isinstance(image, Unscorable):
            return image or Unscorable("it has no image")
        if problem := image_problem(image):
            return Unscorable(f"its image {problem}")
        if image_size(image) > self.max_bytes:
            return Unscorable(f"its image is larger than max_image_bytes={self.max_bytes}")
        return image


def in_input_order(
    size: int, *, top_n: int | None, error: OpenRouterRerankError | None = None
) -> Placement:
    """Return the first `top_n` of `size` documents in the order of the input."""
    order = tuple(Placed(index, None) for index in range(size)[:top_n])
    return Placement(order=order, error=error)


def sendable(
    contents: Sequence[Content], images: ImagePolicy, unscorable: UnscorablePolicy
) -> Sendable:
    """
    Divide documents into those to send and those with nothing to rank.

    An image that cannot be used is left out if there is also a text.

    Args:
        contents: What the documents of a framework were converted to, in their order.
        images: Which images are sent.
        unscorable: What becomes of documents with nothing to rank.

    Raises:
        InvalidRequestError: If `unscorable` is `"raise"` and a document has nothing to rank, or a
            `RerankDocument` holds something else than strings.
    """
    given = tuple(contents)
    if are_headed(given) or are_texts(given):
        return Sendable(positions=range(len(given)), documents=CheckedDocuments(given), kept=())
    documents = {at: _sendable(content, at, images) for at, content in enumerate(given)}
    blank = {index: d for index, d in documents.items() if isinstance(d, Unscorable)}
    if blank and unscorable == "raise":
        index, why = next(iter(blank.items()))
        raise InvalidRequestError(f"document {index} has nothing to rank: {why.reason}")
    sent = {index: d for index, d in documents.items() if not isinstance(d, Unscorable)}
    return Sendable(
        positions=tuple(sent),
        documents=CheckedDocuments(sent.values()),
        kept=tuple(blank) if unscorable == "keep" else (),
    )


def _sendable(content: Content, at: int, images: ImagePolicy) -> str | RerankDocument | Unscorable:
    if isinstance(content, Unscorable):
        return content
    if is_headed(content):
        content = joined_text(content)
    if isinstance(content, RerankDocument):
        # Users can create one with fields of any type.
        check_fields(content, at)
    text = content if isinstance(content, str) else content.text
    text = text if text is not None and text.strip() else None
    if isinstance(content, str) or content.image is None:
        return Unscorable("it has neither text nor image") if text is None else text
    image = images.image_of(content)
    if isinstance(image, Unscorable):
        return image if text is None else text
    return RerankDocument(text=text, image=image)
