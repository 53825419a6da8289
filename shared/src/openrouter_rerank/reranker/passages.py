"""Where in a document of a framework the passage is that its score is from."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from openrouter_rerank.documents import is_headed, joined_text
from openrouter_rerank.ranking import Passage

from .placement import Content, Placement, Unscorable

PASSAGE_KEY = "relevance_passage"
"""The metadata field of the passage, in both frameworks."""
RETRIEVAL_SCORE = "retrieval_score"
"""The metadata field of an earlier score, in both frameworks. LlamaIndex's own rerankers use it."""


def passage_metadata(passage: Passage) -> dict[str, int | bool]:
    """Return `passage` as a metadata value."""
    return {"start": passage.start, "end": passage.end, "is_cut": passage.is_cut}


def in_texts(
    placement: Placement, ranked: Sequence[Content], text_of: Callable[[int], str | None]
) -> Placement:
    """
    Return `placement` with the passages as positions in the texts of the documents.

    What is ranked of a document is its text, maybe with metadata before or behind it. A passage
    that is only in metadata is empty: it gets the position of the start or the end of the text.

    Args:
        placement: The placement. The positions of its passages are those in what was ranked.
        ranked: What was ranked of each document, by its position in the input.
        text_of: Returns the text of the document at a position, or `None` if something else was
            ranked, such as what a function of the user has returned. Then the passage stays.
    """
    found: dict[int, Passage] = {}
    for at, passage in placement.passages.items():
        text = text_of(at)
        found[at] = passage if text is None else _in_text(passage, ranked[at], text)
    return placement._replace(passages=found)


def _in_text(passage: Passage, ranked: Content, text: str) -> Passage:
    shift = _shift(_ranked_text(ranked), text)
    if shift is None:
        return passage
    start, end = (min(max(at + shift, 0), len(text)) for at in (passage.start, passage.end))
    return replace(passage, start=start, end=end)


def _ranked_text(content: Content) -> str:
    if is_headed(content):
        return joined_text(content)
    if isinstance(content, str):
        return content
    return "" if isinstance(content, Unscorable) else content.text or ""


def _shift(ranked: str, text: str) -> int | None:
    """Return what to add to a position in `ranked`, or `None` if `text` is not in it."""
    # The frameworks strip a text when they put metadata around it. Most put these before it, and
    # metadata may repeat the text.
    at = ranked.rfind(text.strip())
    return None if at == -1 else len(text) - len(text.lstrip()) - at
