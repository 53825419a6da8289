"""The text of a node, against what LlamaIndex's own method gives."""

from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.schema import MetadataMode, TextNode
from llamaindex_openrouter_rerank.node_text import content

KEYS = st.sampled_from(["title", "page", "path", " ", "{key}"])
WORDS = st.text("ab {}\n:", max_size=6)
VALUES = WORDS | st.none() | st.integers() | st.floats() | st.lists(st.integers(), max_size=2)


@given(
    node=st.builds(
        TextNode,
        text=WORDS,
        metadata=st.dictionaries(KEYS, VALUES),
        excluded_embed_metadata_keys=st.lists(KEYS),
        excluded_llm_metadata_keys=st.lists(KEYS),
        metadata_separator=WORDS,
        text_template=st.sampled_from(["{metadata_str}\n\n{content}", "{content}|{metadata_str}"]),
        metadata_template=st.sampled_from(["{key}: {value}", "{value} is {key}"]),
    ),
    mode=st.sampled_from(MetadataMode),
)
def test_text_is_what_the_node_itself_gives(node: TextNode, mode: MetadataMode) -> None:
    """The text that is ranked is that of `get_content`, whatever the node leaves out of it."""
    assert content(node, mode) == node.get_content(metadata_mode=mode)
