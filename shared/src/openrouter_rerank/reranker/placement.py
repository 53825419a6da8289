"""
Converts between the documents of a framework and a ranking: what is sent, and where each ends up.

Pure. Nothing is lost: a document that cannot be ranked is never sent, and is kept behind the ranked
ones unless the user chose otherwise.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from openrouter_rerank.documents import (
    CheckedDocuments,
    HeadedText,
    Ranked,
    RerankDocument,
    are_headed,
    are_texts,
    check_fields,
    is_headed,
    joined_text,
)
from openrouter_rerank.errors import InvalidRequestError, OpenRouterRerankError
from openrouter_rerank.images import (
    UNSUPPORTED_FORMATS,
    LocalImage,
    image_format,
    image_problem,
    image_size,
)
from openrouter_rerank.ranking import Passage, RankedDocument, Ranking

UnscorablePolicy: TypeAlias = Literal["keep", "drop", "raise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalImageDocument:
    """A document of a framework whose image is in a local file."""

    text: str | None = None
    image: LocalImage


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutImage:
    """A document of a framework whose image cannot be sent, so that its text is ranked alone."""

    text: str
    reason: str
    """Why the image cannot be sent, such as "the image is a damaged data URI"."""


@dataclass(frozen=True, slots=True)
class Unscorable:
    """A document of a framework with nothing to rank; it is never sent."""

    reason: str
    """Why there is nothing to rank, such as "there is neither text nor image"."""


Content: TypeAlias = (
    str | HeadedText | RerankDocument | LocalImageDocument | WithoutImage | Unscorable
)
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
        return replace(ranking, results=results, passages=dict(self.passages))


_NOTHING: Mapping[int, str] = MappingProxyType({})


class Sendable(NamedTuple):
    """The documents of a framework, divided into those to send and those with nothing to rank."""

    positions: Sequence[int]
    """The positions of the documents to send; a range if it is all of them."""
    documents: CheckedDocuments
    """The documents to send."""
    unscorable: Mapping[int, str] = _NOTHING
    """The positions of the documents with nothing to rank, with the reasons."""
    without_image: Mapping[int, str] = _NOTHING
    """The positions of the documents whose text is sent without their image, with the reasons."""
    is_kept: bool = True
    """`True` if the documents with nothing to rank are returned, without a score."""

    @property
    def kept(self) -> tuple[int, ...]:
        """The positions of the documents that follow the ranked ones without a score."""
        return tuple(sorted(self.unscorable)) if self.is_kept and self.unscorable else ()

    def without(self, refused: Collection[int], reason: str) -> "Sendable":
        """
        Leave out the images of documents that the service refused.

        Their texts stay. A document that had no image, or nothing else, has nothing to rank.

        Args:
            refused: Indexes into `documents`.
            reason: Why the service refused them.
        """
        sent: dict[int, Ranked] = {}
        unscorable, without_image = {**self.unscorable}, {**self.without_image}
        for at, (position, document) in enumerate(zip(self.positions, self.documents, strict=True)):
            if at not in refused:
                sent[position] = document
            elif isinstance(document, RerankDocument) and document.text is not None:
                sent[position] = document.text
                without_image[position] = reason
            else:
                unscorable[position] = reason
                without_image.pop(position, None)
        return Sendable(
            positions=tuple(sent),
            documents=CheckedDocuments(sent.values()),
            unscorable=unscorable,
            without_image=without_image,
            is_kept=self.is_kept,
        )

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

    refusal: str | None
    """Why no image is sent. `None` if images are sent."""
    is_refused_by_user: bool
    """`True` if the user wants no image to be sent, so that leaving one out needs no report."""
    max_bytes: int
    """The size of the largest image that is sent."""
    formats: Collection[str]
    """The only media types that the models take. Empty if they are not known."""
    read: Callable[[LocalImage], str | Unscorable]
    """Reads a local image into a data URI, or returns why it cannot."""

    def image_of(self, content: RerankDocument | LocalImageDocument) -> str | Unscorable:
        """Return the image to send, or why there is none."""
        if self.refusal is not None:
            return Unscorable(self.refusal)
        source = content.image
        image = self.read(source) if isinstance(source, LocalImage) else source
        if image is None or isinstance(image, Unscorable):
            return image or Unscorable("there is no image")
        problem = image_problem(image)
        if problem is None and image_size(image) > self.max_bytes:
            problem = f"is larger than max_image_bytes={self.max_bytes}"
        if problem is None and (found := image_format(image)) is not None:
            problem = self._format_problem(found)
        return image if problem is None else Unscorable(f"the image {problem}")

    def _format_problem(self, found: str) -> str | None:
        if found in UNSUPPORTED_FORMATS:
            return f"is of type {found}, which rerank models do not take"
        if not self.formats or found in self.formats:
            return None
        # Without its type, which the document may have declared.
        names = " and ".join(sorted(self.formats))
        return f"is of another type than {names}, the only ones that the model takes"


def in_input_order(
    size: int, *, top_n: int | None, error: OpenRouterRerankError | None = None
) -> Placement:
    """Return the first `top_n` of `size` documents in the order of the input."""
    order = tuple(Placed(index, None) for index in range(size)[:top_n])
    return Placement(order=order, error=error)


def sendable(
    contents: Sequence[Content],
    images: Callable[[], ImagePolicy],
    unscorable: UnscorablePolicy,
    *,
    score_threshold: float | None = None,
) -> Sendable:
    """
    Divide documents into those to send and those with nothing to rank.

    An image that cannot be used is left out if there is also a text.

    Args:
        contents: What the documents of a framework were converted to, in their order.
        images: Returns which images are sent. Not called if all documents are texts.
        unscorable: What happens to documents with nothing to rank.
        score_threshold: The lowest score of the documents to return. If it is set, documents
            without a score are not returned.

    Raises:
        InvalidRequestError: If `unscorable` is `"raise"` and a document has nothing to rank or an
            image that cannot be sent, or a `RerankDocument` holds something else than strings.
    """
    given = tuple(contents)
    is_kept = unscorable == "keep" and score_threshold is None
    if are_headed(given) or are_texts(given):
        documents = CheckedDocuments(given)
        return Sendable(positions=range(len(given)), documents=documents, is_kept=is_kept)
    policy = images()
    sent: dict[int, str | RerankDocument] = {}
    without_image: dict[int, str] = {}
    nothing: dict[int, str] = {}
    for at, content in enumerate(given):
        document = _sendable(content, at, policy)
        if isinstance(document, Unscorable):
            nothing[at] = document.reason
        elif isinstance(document, WithoutImage):
            sent[at] = document.text
            without_image[at] = document.reason
        else:
            sent[at] = document
    if policy.is_refused_by_user:
        without_image.clear()
    if unscorable == "raise" and (problems := without_image | nothing):
        at = min(problems)
        what = "has nothing to rank" if at in nothing else "has an image that cannot be sent"
        raise InvalidRequestError(f"document {at} {what}: {problems[at]}")
    return Sendable(
        positions=tuple(sent),
        documents=CheckedDocuments(sent.values()),
        unscorable=nothing,
        without_image=without_image,
        is_kept=is_kept,
    )


def _sendable(
    content: Content, at: int, images: ImagePolicy
) -> str | RerankDocument | WithoutImage | Unscorable:
    if isinstance(content, Unscorable):
        return content
    if is_headed(content):
        content = joined_text(content)
    if isinstance(content, RerankDocument):
        # Users can create one with fields of any type.
        check_fields(content, at)
    text = content if isinstance(content, str) else content.text
    # If it is of a subclass of `str`, take the content.
    text = None if text is None else str.__str__(text)
    text = text if text is not None and text.strip() else None
    if isinstance(content, WithoutImage):
        reason = Unscorable(content.reason)
    elif isinstance(content, str) or content.image is None:
        reason = Unscorable("there is neither text nor image")
        return reason if text is None else text
    else:
        image = images.image_of(content)
        if isinstance(image, str):
            return RerankDocument(text=text, image=image)
        reason = image
    return reason if text is None else WithoutImage(text=text, reason=reason.reason)
