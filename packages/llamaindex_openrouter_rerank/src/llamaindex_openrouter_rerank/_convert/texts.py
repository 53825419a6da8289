"""The texts of usual nodes, as LlamaIndex gives them, in a quarter of the time. Pure."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from operator import itemgetter

from llama_index.core.schema import BaseNode, IndexNode, MetadataMode, TextNode
from openrouter_rerank.documents import HeadedText

# Whatever shapes the text. Releases differ in how many separators there are, and in which counts.
_shape = itemgetter(
    *(name for name in TextNode.model_fields if name.startswith(("metadata_", "text_template")))
)
_USUAL_SHAPE = _shape(vars(TextNode()))

# A subclass may have a `get_content` of its own.
_usual_classes = {TextNode, IndexNode}


def usual_texts(
    nodes: Iterable[BaseNode], mode: MetadataMode
) -> Generator[str | HeadedText | None]:
    """Give what `get_content` of each node does; nothing if that is to be asked, or would fail."""
    hidden = _hidden(mode)
    alone = mode == MetadataMode.NONE
    for node in nodes:
        # Its fields lie there too, and pydantic takes longer to look one up.
        if type(node) not in _usual_classes or _shape(fields := node.__dict__) != _USUAL_SHAPE:
            yield None
        elif type(text := fields["text"]) is not str:
            # Unchecked, as `model_construct` leaves it.
            yield None
        elif alone or not fields["metadata"]:
            yield text
        else:
            yield _headed(text, fields["metadata"], fields[hidden] if hidden else ())


def _hidden(mode: MetadataMode) -> str | None:
    if mode == MetadataMode.EMBED:
        return "excluded_embed_metadata_keys"
    return "excluded_llm_metadata_keys" if mode == MetadataMode.LLM else None


def _headed(
    text: str, metadata: Mapping[str, object], hidden: Sequence[str]
) -> str | HeadedText | None:
    above = ""
    try:
        for key, value in metadata.items():
            if key not in hidden:
                above += f"{key}: {value!s}\n"
    except Exception:  # noqa: BLE001 - A value may fail in any way to be written
        return None
    above = above.strip()
    if not above:
        return text
    if "\n\n" in above:
        return f"{above}\n\n{text}".strip()
    below = text.rstrip()
    return (f"{above}\n\n", below) if below else above


def _is_known() -> bool:
    """Tell whether the installed release gives the text in the shape that is written here."""
    node = TextNode(
        text=" text\n",
        metadata={"a": 1, "b": None, "c": "d "},
        excluded_embed_metadata_keys=["a"],
        excluded_llm_metadata_keys=["b"],
    )
    return all(
        [*map("".join, filter(None, usual_texts([node], mode)))]
        == [node.get_content(metadata_mode=mode)]
        for mode in MetadataMode
    )


if not _is_known():
    # No class of this release is usual.
    _usual_classes.clear()
