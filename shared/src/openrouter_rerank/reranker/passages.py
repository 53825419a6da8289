"""Where in a document of a framework the passage is that its score is from."""

from openrouter_rerank.documents import is_headed, joined_text
from openrouter_rerank.ranking import Passage

from .placement import Content, Unscorable

PASSAGE_KEY = "relevance_passage"
"""The metadata field of the passage, in both frameworks."""


def passage_metadata(passage: Passage, content: Content, text: str) -> dict[str, int | bool]:
    """
    Return `passage` as a metadata value, with `start` and `end` as positions in `text`.

    Args:
        passage: The passage, with positions in what was ranked.
        content: What was ranked: `text`, maybe with other metadata before it.
        text: The text of the document. If it was not ranked, because the user's own function
            returned another text, the positions are those in the other text.
    """
    shift = _shift(_ranked_text(content), text)
    start, end = passage.start, passage.end
    if shift is not None:
        # Metadata that were ranked before the text have no position in it.
        start, end = (min(max(at + shift, 0), len(text)) for at in (start, end))
    return {"start": start, "end": end, "is_cut": passage.is_cut}


def _ranked_text(content: Content) -> str:
    if is_headed(content):
        return joined_text(content)
    if isinstance(content, str):
        return content
    return "" if isinstance(content, Unscorable) else content.text or ""


def _shift(ranked: str, text: str) -> int | None:
    """Return what to add to a position in `ranked`, or `None` if it does not end with `text`."""
    # The frameworks strip a text when they put metadata before it.
    inner = text.strip()
    if not ranked.rstrip().endswith(inner):
        return None
    before = len(ranked.rstrip()) - len(inner)
    return len(text) - len(text.lstrip()) - before
