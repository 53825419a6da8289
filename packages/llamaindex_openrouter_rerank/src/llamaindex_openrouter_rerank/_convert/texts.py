"""
Write the texts of usual nodes as LlamaIndex does, in a quarter of the time. Pure.

This replaces `get_content(metadata_mode=...)` for nodes whose class is exactly `TextNode` or
`IndexNode` and whose templates and separators have their default values. `get_content` fills a
template for each metadata field and reads its own fields through pydantic. With two metadata fields
it takes 3.1 µs for a node, and this 0.9 µs; without metadata 1.2 µs and 0.2 µs. Metadata and text
stay apart (`HeadedText`) until the request is written, so that a call makes no long string of both.

On import, `_is_same_as_get_content` compares the two for one node in each metadata mode. If the
installed release of LlamaIndex writes another text, `usual_texts` yields `None` for all nodes, and
its caller uses `get_content`. So another format in a release costs time, but never a wrong text.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from operator import itemgetter

from llama_index.core.schema import BaseNode, IndexNode, MetadataMode, TextNode
from openrouter_rerank.documents import HeadedText
from openrouter_rerank.reranker import raise_if_from_signal

# The fields that decide the format of a text. Releases differ in how many fields for separators
# they have, and in which of these they use.
_format_of = itemgetter(
    *(name for name in TextNode.model_fields if name.startswith(("metadata_", "text_template")))
)
_DEFAULT_FORMAT = _format_of(vars(TextNode()))

# These classes only: a subclass may override `get_content`.
_usual_classes = {TextNode, IndexNode}


def usual_texts(
    nodes: Iterable[BaseNode], mode: MetadataMode
) -> Generator[str | HeadedText | None]:
    """Yield the text of each node, or `None` if `get_content` is needed or would fail."""
    excluded = _excluded_keys_field(mode)
    text_only = mode == MetadataMode.NONE
    for node in nodes:
        # `__dict__` holds the fields. Pydantic takes longer to look one up.
        if (
            type(node) not in _usual_classes
            or _format_of(fields := node.__dict__) != _DEFAULT_FORMAT
        ):
            yield None
        elif type(text := fields["text"]) is not str:
            # `model_construct` makes nodes whose fields are not checked.
            yield None
        elif text_only or not fields["metadata"]:
            yield text
        else:
            yield _with_heading(text, fields["metadata"], fields[excluded] if excluded else ())


def _excluded_keys_field(mode: MetadataMode) -> str | None:
    if mode == MetadataMode.EMBED:
        return "excluded_embed_metadata_keys"
    return "excluded_llm_metadata_keys" if mode == MetadataMode.LLM else None


def _with_heading(
    text: str, metadata: Mapping[str, object], excluded: Sequence[str]
) -> str | HeadedText | None:
    heading = ""
    try:
        for key, value in metadata.items():
            if key not in excluded:
                heading += f"{key}: {value!s}\n"
    except Exception as error:  # noqa: BLE001 - The `__str__` of a value may raise any exception
        raise_if_from_signal(error)
        return None
    heading = heading.strip()
    if not heading:
        return text
    if "\n\n" in heading:
        return f"{heading}\n\n{text}".strip()
    below = text.rstrip()
    return (f"{heading}\n\n", below) if below else heading


def _is_same_as_get_content() -> bool:
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


if not _is_same_as_get_content():
    _usual_classes.clear()
