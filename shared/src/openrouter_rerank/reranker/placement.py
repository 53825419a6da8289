"""
Between a framework's documents and a ranking: what is sent, and where each document ends up. Pure.

Nothing is lost: a document that cannot be ranked is kept behind the ranked ones, unless the user
chose otherwise, and never sent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from openrouter_rerank.documents import (
    CheckedDocuments,
    HeadedText,
    RerankDocument,
    are_headed,
    are_texts,
    check_fields,
    whole,
)
from openrouter_rerank.errors import InvalidRequestError, OpenRouterRerankError
from openrouter_rerank.images import LocalImage, image_problem, image_size
from openrouter_rerank.ranking import RankedDocument, Ranking

UnscorablePolicy: TypeAlias = Literal["keep", "drop", "raise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalImageDocument:
    """A framework's document whose image is in a local file."""

    text: str | None = None
    image: LocalImage


@dataclass(frozen=True, slots=True)
class Unscorable:
    """A framework's document with nothing to rank, and why; it is never sent."""

    reason: str


Content: TypeAlias = str | HeadedText | RerankDocument | LocalImageDocument | Unscorable
"""What a framework's document is converted to."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One document of the result."""

    index: int
    """Its position in the list that was passed in."""
    relevance_score: float | None
    """`None` if it was not ranked."""


# Tuples, because every import of a framework class waits for what this module defines, and Python
# takes eight times as long to define a dataclass.
class Placement(NamedTuple):
    """The order in which a framework's documents are returned, and how it came about."""

    order: tuple[Placed | RankedDocument, ...]
    """Those that were ranked keep the positions that they were sent at, if all were sent."""
    ranking: Ranking | None = None
    """What the service answered; `None` when nothing was asked, or no answer came."""
    error: OpenRouterRerankError | None = None
    """The failure that was passed through: then the order is the input's, scores untouched."""


class Arrangement(NamedTuple):
    """A framework's documents, sorted into those to send and those with nothing to rank."""

    sent: Sequence[int]
    """The positions of the documents to send; a range if it is all of them."""
    documents: CheckedDocuments
    """The documents to send."""
    kept: tuple[int, ...]
    """The positions of those that follow the ranked ones, without a score."""

    def placed(
        self, ranking: Ranking, *, top_n: int | None, score_threshold: float | None
    ) -> Placement:
        """Put the ranked documents first, best first, and the others behind them."""
        ranked: Sequence[Placed | RankedDocument] = ranking.results
        if score_threshold is not None:
            ranked = [each for each in ranking.results if each.relevance_score >= score_threshold]
        if not isinstance(self.sent, range):
            ranked = [Placed(self.sent[each.index], each.relevance_score) for each in ranked]
        unranked = [Placed(index, None) for index in self.kept]
        return Placement(order=tuple([*ranked, *unranked][:top_n]), ranking=ranking)

    def unranked(self, *, top_n: int | None) -> Placement:
        """Keep the order of the documents that are kept: there is nothing to send."""
        return Placement(order=tuple(Placed(index, None) for index in self.kept[:top_n]))


class ImagePolicy(NamedTuple):
    """Which images of documents are sent."""

    takes_images: bool
    """Whether any are."""
    max_bytes: int
    read: Callable[[LocalImage], str | Unscorable]
    """Reads a local image into a data URI, or tells why it cannot."""

    def image_of(self, content: RerankDocument | LocalImageDocument) -> str | Unscorable:
        """Return the image to send, or tell why there is none."""
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


def untouched(
    size: int, *, top_n: int | None, error: OpenRouterRerankError | None = None
) -> Placement:
    """Keep the order of the input."""
    order = tuple(Placed(index, None) for index in range(size)[:top_n])
    return Placement(order=order, error=error)


def arranged(
    contents: Sequence[Content], images: ImagePolicy, unscorable: UnscorablePolicy
) -> Arrangement:
    """
    Sort out what can be sent.

    An image that cannot be used is left out where there is a text beside it.

    Args:
        contents: What the framework's documents were converted to, in their order.
        images: Which images are sent.
        unscorable: What becomes of documents with nothing to rank.

    Raises:
        InvalidRequestError: If `unscorable` is `"raise"` and a document has nothing to rank, or a
            `RerankDocument` holds something else than strings.
    """
    given = tuple(contents)
    if are_headed(given) or are_texts(given):
        return Arrangement(sent=range(len(given)), documents=CheckedDocuments(given), kept=())
    documents = {at: _sendable(content, at, images) for at, content in enumerate(given)}
    blank = {index: d for index, d in documents.items() if isinstance(d, Unscorable)}
    if blank and unscorable == "raise":
        index, why = next(iter(blank.items()))
        raise InvalidRequestError(f"document {index} has nothing to rank: {why.reason}")
    sent = {index: d for index, d in documents.items() if not isinstance(d, Unscorable)}
    return Arrangement(
        sent=tuple(sent),
        documents=CheckedDocuments(sent.values()),
        kept=tuple(blank) if unscorable == "keep" else (),
    )


def _sendable(content: Content, at: int, images: ImagePolicy) -> str | RerankDocument | Unscorable:
    if isinstance(content, Unscorable):
        return content
    if isinstance(content, tuple):
        content = whole(content)
    if isinstance(content, RerankDocument):
        # Users can make one of anything.
        check_fields(content, at)
    text = content if isinstance(content, str) else content.text
    text = text if text is not None and text.strip() else None
    if isinstance(content, str) or content.image is None:
        return Unscorable("it has neither text nor image") if text is None else text
    image = images.image_of(content)
    if isinstance(image, Unscorable):
        return image if text is None else text
    return RerankDocument(text=text, image=image)
