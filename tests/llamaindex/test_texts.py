"""The text that is ranked for a node is exactly the text that its `get_content` returns."""

import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.schema import IndexNode, MetadataMode, NodeWithScore, TextNode
from llamaindex_openrouter_rerank._convert import texts
from llamaindex_openrouter_rerank._convert.nodes import contents
from llamaindex_openrouter_rerank._convert.texts import usual_texts
from openrouter_rerank.reranker import Unscorable

KEYS = ["file_path", "page", "a", "{key}", " "]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.text(max_size=3)),
    st.sampled_from(["a\n\nb", "a\n", "\n\n", "\n"]),
)
FORMATS = {
    "text_template": ["{metadata_str}\n\n{content}", "{content}", "[{metadata_str}]{content} "],
    "metadata_template": ["{key}: {value}", "{key}={value}", " {value}"],
    "metadata_separator": ["\n", " | ", ""],
    "metadata_seperator": ["\n", "; "],
}
TEXTS = st.text() | st.sampled_from([" padded ", "\n", "braces {content} {0} {", "ä €\u2029"])


class CustomContentNode(TextNode):
    """A user's node class with another `get_content`."""

    def get_content(self, metadata_mode=MetadataMode.NONE):
        """Return the text in capitals."""
        return f"{metadata_mode}{self.text}".upper()


class CustomMetadataNode(TextNode):
    """A user's node class with another `get_metadata_str`."""

    def get_metadata_str(self, mode=MetadataMode.ALL):
        """Return the keys of the metadata."""
        return ",".join(map(str, self.metadata))


class Unwritable:
    """A metadata value that cannot be written as text."""

    def __str__(self):
        """Fail."""
        raise RuntimeError


@st.composite
def text_nodes(draw):
    """Generate nodes of several classes, with any texts, metadata, exclusions and templates."""
    node_class = draw(
        st.sampled_from([TextNode, TextNode, IndexNode, CustomContentNode, CustomMetadataNode])
    )
    excluded_keys = st.lists(st.sampled_from([*KEYS, "absent"]), max_size=3)
    node = node_class(
        text=draw(TEXTS),
        metadata=draw(st.dictionaries(st.sampled_from(KEYS) | st.text(), VALUES, max_size=4)),
        excluded_embed_metadata_keys=draw(excluded_keys),
        excluded_llm_metadata_keys=draw(excluded_keys),
        **({"index_id": "1"} if node_class is IndexNode else {}),
    )
    for name in draw(st.sets(st.sampled_from(sorted(FORMATS)), max_size=2)):
        if name in node_class.model_fields:
            setattr(node, name, draw(st.sampled_from(FORMATS[name])))
    return node


def ranked_text(node, mode):
    """Return the text that is ranked for one node."""
    (content,) = contents([NodeWithScore(node=node)], metadata_mode=mode)
    return "".join(content)


@given(node=text_nodes(), mode=st.sampled_from(MetadataMode))
def test_the_text_is_that_of_get_content(node, mode):
    """The text of a node is that of `get_content`, in every metadata mode and with any template."""
    expected = node.get_content(metadata_mode=mode)
    (text,) = usual_texts([node], mode)

    assert text is None or "".join(text) == expected
    assert ranked_text(node, mode) == expected


@given(node=text_nodes(), mode=st.sampled_from(MetadataMode))
def test_a_heading_ends_at_its_only_empty_line(node, mode):
    """A heading ends at its only empty line, so that equal texts are split in the same place."""
    (text,) = usual_texts([node], mode)

    if isinstance(text, tuple):
        heading, body = text
        assert heading.find("\n\n") == len(heading) - 2 > 0
        assert heading.strip()
        assert body


@pytest.mark.parametrize(
    ("metadata", "text", "expected"),
    [
        ({"page": "a"}, "b", ("page: a\n\n", "b")),
        ({"page": "a"}, "b \n", ("page: a\n\n", "b")),
        ({"page": "a"}, "b\n\nc", ("page: a\n\n", "b\n\nc")),
        ({"page": "a\n\nb"}, "c", "page: a\n\nb\n\nc"),
        ({"page": "a"}, " ", "page: a"),
        ({}, "b", "b"),
    ],
    ids=[
        "text",
        "trailing whitespace",
        "empty line in the text",
        "empty line in the metadata",
        "blank text",
        "no metadata",
    ],
)
def test_the_metadata_of_a_text_become_its_heading(metadata, text, expected):
    """A text is split after its metadata, unless the metadata contain an empty line."""
    node = TextNode(text=text, metadata=metadata)

    assert [*usual_texts([node], MetadataMode.ALL)] == [expected]


@given(nodes=st.lists(text_nodes(), max_size=5), mode=st.sampled_from(MetadataMode))
def test_each_node_has_its_own_text(nodes, mode):
    """Each node of a list gets its own text, even if nodes of several classes are mixed."""
    items = [NodeWithScore(node=node) for node in nodes]

    assert [*map("".join, contents(items, metadata_mode=mode))] == [
        node.get_content(metadata_mode=mode) for node in nodes
    ]


@pytest.mark.parametrize("node_class", [TextNode, IndexNode])
@pytest.mark.parametrize("mode", MetadataMode)
def test_get_content_of_usual_nodes_is_not_needed(node_class, mode):
    """The texts of nodes of LlamaIndex's own classes are written without `get_content`."""
    node = node_class(
        text="text", metadata={"page": 1}, **({"index_id": "1"} if node_class is IndexNode else {})
    )

    assert [*map("".join, usual_texts([node], mode))] == [node.get_content(metadata_mode=mode)]


@pytest.mark.parametrize("node_class", [TextNode, IndexNode])
@pytest.mark.parametrize("mode", MetadataMode)
def test_get_content_is_needed_if_a_release_has_another_format(monkeypatch, node_class, mode):
    """If `get_content` of the installed release writes another text, it is used for all nodes."""
    monkeypatch.setattr(TextNode, "get_content", CustomContentNode.get_content)
    spec = importlib.util.spec_from_file_location("texts_of_another_release", texts.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    node = node_class(text="text", **({"index_id": "1"} if node_class is IndexNode else {}))

    assert [*module.usual_texts([node], mode)] == [None]


@given(node=text_nodes(), text=TEXTS, mode=st.sampled_from(MetadataMode))
def test_a_changed_node_has_its_new_text(node, text, mode):
    """A node that changes between two calls is converted to its new text."""
    ranked_text(node, mode)
    node.set_content(text)
    node.metadata["page"] = text

    assert ranked_text(node, mode) == node.get_content(metadata_mode=mode)


@pytest.mark.parametrize(
    "template",
    [{}, {"metadata_template": "{key}={value}"}],
    ids=["default template", "custom template"],
)
def test_a_node_with_unwritable_metadata_is_unscorable(template):
    """If `__str__` of a metadata value fails, its node is unscorable and the call does not fail."""
    node = TextNode(text="text", metadata={"page": Unwritable()}, **template)

    (content,) = contents([NodeWithScore(node=node)], metadata_mode=MetadataMode.ALL)

    assert isinstance(content, Unscorable)
    assert "RuntimeError" in content.reason
