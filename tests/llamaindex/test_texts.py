"""The text that is ranked of a node is exactly the text of its `get_content`."""

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
SHAPES = {
    "text_template": ["{metadata_str}\n\n{content}", "{content}", "[{metadata_str}]{content} "],
    "metadata_template": ["{key}: {value}", "{key}={value}", " {value}"],
    "metadata_separator": ["\n", " | ", ""],
    "metadata_seperator": ["\n", "; "],
}
TEXTS = st.text() | st.sampled_from([" padded ", "\n", "braces {content} {0} {", "ä €\u2029"])


class Loud(TextNode):
    """A node whose class writes its content in its own way."""

    def get_content(self, metadata_mode=MetadataMode.NONE):
        """Return the text in capitals."""
        return f"{metadata_mode}{self.text}".upper()


class Terse(TextNode):
    """A node whose class writes its metadata in its own way."""

    def get_metadata_str(self, mode=MetadataMode.ALL):
        """Return the names alone."""
        return ",".join(map(str, self.metadata))


class Unwritable:
    """A value in metadata that cannot be written."""

    def __str__(self):
        """Fail."""
        raise RuntimeError


@st.composite
def nodes(draw):
    """Make nodes of all classes and shapes that this release lets users make; most are usual."""
    kind = draw(st.sampled_from([TextNode, TextNode, IndexNode, Loud, Terse]))
    hidden = st.lists(st.sampled_from([*KEYS, "absent"]), max_size=3)
    node = kind(
        text=draw(TEXTS),
        metadata=draw(st.dictionaries(st.sampled_from(KEYS) | st.text(), VALUES, max_size=4)),
        excluded_embed_metadata_keys=draw(hidden),
        excluded_llm_metadata_keys=draw(hidden),
        **({"index_id": "of something"} if kind is IndexNode else {}),
    )
    for name in draw(st.sets(st.sampled_from(sorted(SHAPES)), max_size=2)):
        if name in kind.model_fields:
            setattr(node, name, draw(st.sampled_from(SHAPES[name])))
    return node


def read(node, mode):
    """Convert one node to the text that is ranked."""
    (content,) = contents([NodeWithScore(node=node)], metadata_mode=mode)
    return "".join(content)


@given(node=nodes(), mode=st.sampled_from(MetadataMode))
def test_text_is_what_get_content_gives(node, mode):
    """In every mode, whatever the node's texts, metadata, exclusions, templates and separators."""
    expected = node.get_content(metadata_mode=mode)
    (text,) = usual_texts([node], mode)

    assert text is None or "".join(text) == expected
    assert read(node, mode) == expected


@given(node=nodes(), mode=st.sampled_from(MetadataMode))
def test_a_heading_ends_with_its_only_empty_line(node, mode):
    """Equal texts are taken apart at the same place, so that copies are found."""
    (text,) = usual_texts([node], mode)

    if isinstance(text, tuple):
        heading, below = text
        assert heading.find("\n\n") == len(heading) - 2 > 0
        assert heading.strip()
        assert below


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
)
def test_what_is_taken_apart(metadata, text, expected):
    """A text is taken apart behind its metadata, unless these have an empty line themselves."""
    node = TextNode(text=text, metadata=metadata)

    assert [*usual_texts([node], MetadataMode.ALL)] == [expected]


@given(mixed=st.lists(nodes(), max_size=5), mode=st.sampled_from(MetadataMode))
def test_each_text_is_that_of_its_own_node(mixed, mode):
    """Usual nodes and others may stand in one list, in any order."""
    items = [NodeWithScore(node=node) for node in mixed]

    assert [*map("".join, contents(items, metadata_mode=mode))] == [
        node.get_content(metadata_mode=mode) for node in mixed
    ]


@pytest.mark.parametrize("kind", [TextNode, IndexNode])
@pytest.mark.parametrize("mode", MetadataMode)
def test_usual_node_is_not_asked(kind, mode):
    """A node of LlamaIndex's own classes has its text written here, which is much faster."""
    node = kind(
        text="text", metadata={"page": 1}, **({"index_id": "1"} if kind is IndexNode else {})
    )

    assert [*map("".join, usual_texts([node], mode))] == [node.get_content(metadata_mode=mode)]


@pytest.mark.parametrize("kind", [TextNode, IndexNode])
@pytest.mark.parametrize("mode", MetadataMode)
def test_a_release_with_another_format_is_asked_for_each_text(monkeypatch, kind, mode):
    """If `get_content` of the installed release writes another text, it is called for each node."""
    monkeypatch.setattr(TextNode, "get_content", Loud.get_content)
    spec = importlib.util.spec_from_file_location("texts_of_another_release", texts.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    node = kind(text="text", **({"index_id": "1"} if kind is IndexNode else {}))

    assert [*module.usual_texts([node], mode)] == [None]


@given(node=nodes(), text=TEXTS, mode=st.sampled_from(MetadataMode))
def test_text_is_that_of_the_moment(node, text, mode):
    """A node that is changed between two rerankings is sent as it is then."""
    read(node, mode)
    node.set_content(text)
    node.metadata["page"] = text

    assert read(node, mode) == node.get_content(metadata_mode=mode)


@pytest.mark.parametrize("shape", [{}, {"metadata_template": "{key}={value}"}])
def test_value_that_cannot_be_written_makes_a_node_unscorable(shape):
    """The failure of a value in the metadata costs its own node's place, not the call."""
    node = TextNode(text="text", metadata={"page": Unwritable()}, **shape)

    (content,) = contents([NodeWithScore(node=node)], metadata_mode=MetadataMode.ALL)

    assert isinstance(content, Unscorable)
    assert "RuntimeError" in content.reason
