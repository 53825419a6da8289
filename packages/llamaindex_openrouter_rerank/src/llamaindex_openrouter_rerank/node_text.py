"""The text of a usual node, as LlamaIndex gives it, in a third of the time. Pure."""

from collections.abc import Sequence
from operator import attrgetter

from llama_index.core.schema import BaseNode, IndexNode, MetadataMode, TextNode

# Whatever shapes the text. Releases differ in how many separators there are, and in which counts.
_shape = attrgetter(
    *(name for name in TextNode.model_fields if name.startswith(("metadata_", "text_template")))
)
_USUAL_SHAPE = _shape(TextNode())

# Looked up once: a member of an enum takes as long as all that is done to a line of metadata.
_NONE, _EMBED, _LLM = MetadataMode.NONE, MetadataMode.EMBED, MetadataMode.LLM

# A subclass may have a `get_content` of its own.
_usual_classes = {TextNode, IndexNode}


def usual_text(node: BaseNode, mode: MetadataMode) -> str | None:
    """Return what `node.get_content` does; nothing if that is to be asked, or would fail."""
    if type(node) not in _usual_classes or _shape(node) != _USUAL_SHAPE:
        return None
    text: str = vars(node)["text"]
    metadata = node.metadata
    if mode == _NONE or not metadata:
        return text
    hidden: Sequence[str] = ()
    if mode == _EMBED:
        hidden = node.excluded_embed_metadata_keys
    elif mode == _LLM:
        hidden = node.excluded_llm_metadata_keys
    above = ""
    try:
        for key, value in metadata.items():
            if key not in hidden:
                above += f"{key}: {value!s}\n"
    except Exception:  # noqa: BLE001 - A value may fail in any way to be written
        return None
    above = above.strip()
    return f"{above}\n\n{text}".strip() if above else text


def _is_known() -> bool:
    """Tell whether the installed release gives the text in the shape that `usual_text` does."""
    node = TextNode(
        text=" text\n",
        metadata={"a": 1, "b": None, "c": "d "},
        excluded_embed_metadata_keys=["a"],
        excluded_llm_metadata_keys=["b"],
    )
    return all(
        usual_text(node, mode) == node.get_content(metadata_mode=mode) for mode in MetadataMode
    )


if not _is_known():
    # No class of this release is usual.
    _usual_classes.clear()
