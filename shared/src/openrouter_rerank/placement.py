"""
Between a framework's documents and a ranking: what is sent, and where each document ends up. Pure.

Nothing is lost: a document that cannot be ranked is kept behind the ranked ones, unless the user
chose otherwise, and never sent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .documents import Content, LocalImageDocument, RerankDocument, Unscorable
from .errors import InvalidRequestError, OpenRouterRerankError
from .images import LocalImage, image_problem, image_size
from .ranking import Ranking

UnscorablePolicy: TypeAlias = Literal["keep", "drop", "raise"]


@dataclass(frozen=True, slots=True)
class Placed:
    """One document of the result."""

    index: int
    """Its position in the list that was passed in."""
    relevance_score: float | None
    """`None` if it was not ranked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The order in which a framework's documents are returned, and how it came about."""

    order: tuple[Placed, ...]
    ranking: Ranking | None = None
    """What the service answered; `None` when nothing was asked, or no answer came."""
    error: OpenRouterRerankError | None = None
    """The failure that was passed through: then the order is the input's, scores untouched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """A framework's documents, sorted into those to send and those with nothing to rank."""

    size: int
    sent: tuple[int, ...]
    """The positions of the documents to send."""
    documents: tuple[str | RerankDocument, ...]
    """The documents to send."""
    kept: tuple[int, ...]
    """The positions of those that follow the ranked ones, without a score."""

    def placed(
        self, ranking: Ranking, *, top_n: int | None, score_threshold: float | None
    ) -> Placement:
        """Put the ranked documents first, best first, and the others behind them."""
        ranked = [
            Placed(self.sent[result.index], result.relevance_score)
            for result in ranking.results
            if score_threshold is None or result.relevance_score >= score_threshold
        ]
        unranked = [Placed(index, None) for index in self.kept]
        return Placement(order=tuple([*ranked, *unranked][:top_n]), ranking=ranking)

    def untouched(
        self, *, top_n: int | None, error: OpenRouterRerankError | None = None
    ) -> Placement:
        """Keep the order of the input."""
        order = tuple(Placed(index, None) for index in range(self.size)[:top_n])
        return Placement(order=order, error=error)


def arranged(
    contents: Sequence[Content],
    *,
    takes_images: bool,
    max_image_bytes: int,
    unscorable: UnscorablePolicy,
    read_image: Callable[[LocalImage], str | Unscorable],
) -> Arrangement:
    """
    Sort out what can be sent.

    An image that cannot be used is left out where there is a text beside it.

    Args:
        contents: What the framework's documents were converted to, in their order.
        takes_images: Whether images are sent.
        max_image_bytes: The largest image to send.
        unscorable: What becomes of documents with nothing to rank.
        read_image: Reads a local image into a data URI, or tells why it cannot.

    Raises:
        InvalidRequestError: If `unscorable` is `"raise"` and a document has nothing to rank.
    """

    def image_of(content: RerankDocument | LocalImageDocument) -> str | Unscorable:
        if not takes_images:
            return Unscorable("the model takes no images, or image_mode is 'never'")
        source = content.image
        image = read_image(source) if isinstance(source, LocalImage) else source
        if image is None or isinstance(image, Unscorable):
            return image or Unscorable("it has no image")
        if problem := image_problem(image):
            return Unscorable(f"its image {problem}")
        if image_size(image) > max_image_bytes:
            return Unscorable(f"its image is larger than max_image_bytes={max_image_bytes}")
        return image

    sent: list[int] = []
    documents: list[str | RerankDocument] = []
    kept: list[int] = []
    for index, content in enumerate(contents):
        document = _sendable(content, image_of)
        if not isinstance(document, Unscorable):
            sent.append(index)
            documents.append(document)
        elif unscorable == "raise":
            message = f"document {index} has nothing to rank: {document.reason}"
            raise InvalidRequestError(message)
        elif unscorable == "keep":
            kept.append(index)
    return Arrangement(
        size=len(contents), sent=tuple(sent), documents=tuple(documents), kept=tuple(kept)
    )


def _sendable(
    content: Content,
    image_of: Callable[[RerankDocument | LocalImageDocument], str | Unscorable],
) -> str | RerankDocument | Unscorable:
    if isinstance(content, Unscorable):
        return content
    text = content if isinstance(content, str) else content.text
    text = text if text is not None and text.strip() else None
    if isinstance(content, str) or content.image is None:
        return Unscorable("it has neither text nor image") if text is None else text
    image = image_of(content)
    if isinstance(image, Unscorable):
        return image if text is None else text
    return RerankDocument(text=text, image=image)
