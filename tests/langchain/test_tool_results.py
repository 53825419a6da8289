"""The documents in the results of tools: in texts in which they are joined, and hostile values."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import ToolMessage
from langchain_openrouter_rerank._tool_results import (
    MismatchError,
    NoListError,
    NotRankedError,
    ParallelListError,
    tool_result,
)

TEXTS = st.lists(
    st.text(alphabet="\n-a b", min_size=1, max_size=6) | st.text(min_size=1),
    min_size=2,
    max_size=4,
)
SEPARATORS = ["\n\n", "\n", "\n---\n", "-", "\n\n---\n\n", " | "]
PROMPTS = ["{}", "> {}", "Source: x\nContent: {}\n", "[{}]"]


@given(
    texts=TEXTS,
    separator=st.sampled_from(SEPARATORS),
    prompt=st.sampled_from(PROMPTS),
    data=st.data(),
)
def test_the_pieces_of_a_text_stay_whole(texts, separator, prompt, data):
    """The text with other documents first is what the tool would have returned, or an error."""
    pieces = [prompt.replace("{}", text) for text in texts]
    message = ToolMessage(
        separator.join(pieces), artifact=[Document(text) for text in texts], tool_call_id="1"
    )
    order = data.draw(st.permutations(range(len(texts))))

    try:
        result = tool_result(message)
    except MismatchError:
        return
    changed = result.with_documents([result.documents[each] for each in order])

    assert changed.content == separator.join(pieces[each] for each in order)
    assert [each.page_content for each in changed.artifact] == [texts[each] for each in order]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("separator", ["\n\n", "\n---\n", "\n\n---\n\n"])
def test_ordinary_texts_are_found(prompt, separator):
    """Texts of one line, as most tools join them, are found between the usual separators."""
    texts = ["Bread is baked.", "Paris, in France.", "Bread is baked."]
    content = separator.join(prompt.replace("{}", text) for text in texts)
    message = ToolMessage(content, artifact=[Document(text) for text in texts], tool_call_id="1")

    result = tool_result(message)

    assert result.with_documents(result.documents).content == content
    assert result.with_documents(result.documents[1:2]).content == prompt.replace("{}", texts[1])


def test_texts_with_a_million_lines_between_them_are_found():
    """A separator may be a million line breaks: a search for it in itself would take minutes."""
    gap = "\n" * 1_000_000
    message = ToolMessage(f"a{gap}b", artifact=[Document("a"), Document("b")], tool_call_id="1")
    result = tool_result(message)

    assert result.with_documents(result.documents[::-1]).content == f"b{gap}a"


@pytest.mark.parametrize("separator", ["\n\n", "\n---\n"])
def test_frames_of_many_lines_are_found(separator):
    """What a prompt writes before and after a text may have any number of lines."""
    pieces = ["\nSource" * 20 + f"\n{text}" + "\nEnd" * 30 for text in "123"]
    message = ToolMessage(
        separator.join(pieces), artifact=[Document(text) for text in "123"], tool_call_id="1"
    )
    result = tool_result(message)

    assert result.with_documents(result.documents[::-1]).content == separator.join(pieces[::-1])


PARALLEL = {"documents": ["dog", "a cat"], "ids": ["dog-id", "cat-id"]}


@pytest.mark.parametrize(
    "message",
    [
        {"content": json.dumps(PARALLEL)},
        {"content": json.dumps(PARALLEL), "artifact": PARALLEL},
        {"content": json.dumps(PARALLEL), "artifact": [Document("dog"), Document("a cat")]},
        {"content": [{"type": "text", "text": json.dumps(PARALLEL)}]},
        {"content": '["dog", "a cat"]', "artifact": {**PARALLEL, "ids": (1, 2)}},
        {"content": '["dog", "a cat"]', "artifact": {"result": PARALLEL}},
        {
            "content": "dog\n\na cat",
            "artifact": {"result": {"documents": PARALLEL["documents"]}, "ids": [1, 2]},
        },
    ],
)
def test_documents_with_a_parallel_list_stay(message):
    """In another order, the documents would have the ids of others: the result stays as it is."""
    with pytest.raises(ParallelListError, match="Return a list of objects, each with all that"):
        tool_result(ToolMessage(**message, tool_call_id="1"))


@pytest.mark.parametrize(
    "values",
    [
        {"documents": ["dog"], "ids": ["dog-id"]},
        {"results": [1, 2], "ids": [1, 2]},
    ],
)
def test_other_parallel_lists_are_nothing_to_report(values):
    """One document has no other order, and lists of other values are not ranked."""
    assert tool_result(ToolMessage("Done.", artifact=values, tool_call_id="1")) is None


BROKEN = [
    Document.model_construct(page_content=None, metadata={}),
    Document.model_construct(page_content="a", metadata=None),
    Document.model_construct(),
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary()
    | st.sampled_from(["", " ", "text", "a\n\nb", "[", '{"results": [', "\ud800", '["a", "b"]'])
    | st.sampled_from([*BROKEN, Document("a"), Document("b")])
)
NAMES = st.sampled_from(
    ["type", "text", "content", "results", "result", "documents", "structured_content", "id"]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(NAMES, inner, max_size=3)
        | st.fixed_dictionaries({"type": st.just("text")}, optional={"text": inner})
    ),
    max_leaves=8,
)


@given(content=VALUES, artifact=st.none() | VALUES)
def test_hostile_values_are_documents_or_stay(content, artifact):
    """A message with any content and artifact has documents with texts, or is left as it is."""
    message = ToolMessage("", tool_call_id="1").model_copy(
        update={"content": content if isinstance(content, str | list) else [content]}
    )
    message.artifact = artifact

    try:
        result = tool_result(message)
    except NotRankedError:
        return
    if result is not None:
        assert len(result.documents) > 1
        assert result.with_documents(result.documents).artifact == artifact


def test_a_value_that_contains_itself_is_no_list():
    """An artifact may be an object with itself in it."""
    artifact = {}
    artifact["results"] = artifact
    message = ToolMessage(json.dumps(["a", "b"]), artifact=artifact, tool_call_id="1")

    with pytest.raises(MismatchError):
        tool_result(message)


def nested(value, depth, around):
    """Return `value` in as many others as `depth`."""
    for _ in range(depth):
        value = around(value)
    return value


def test_deep_blocks_are_no_list():
    """Text blocks with blocks as their texts are not read."""
    content = nested("a", 3000, lambda inner: [{"type": "text", "text": inner}])
    message = ToolMessage("", tool_call_id="1").model_copy(update={"content": content})

    with pytest.raises(NoListError):
        tool_result(message)


def test_deep_objects_are_no_list():
    """An artifact of objects in objects is not read."""
    artifact = nested(["a", "b"], 1200, lambda inner: {"results": inner})

    assert tool_result(ToolMessage("Done.", artifact=artifact, tool_call_id="1")) is None


@pytest.mark.parametrize(
    "message",
    [
        {"content": json.dumps(["a"] * 1001)},
        {"content": json.dumps(["a" * 1_000_000, "b"])},
        {"content": [{"type": "text", "text": "a"}] * 1001},
        {"content": "\n\n".join("a" * 1001), "artifact": [Document("a")] * 1001},
    ],
)
def test_too_many_documents_stay(message):
    """More than 1,000 documents, or more than 1,000,000 characters of JSON, are not ranked."""
    with pytest.raises(NotRankedError, match=r"it has more than 1,000 items or 1,000,000 char"):
        tool_result(ToolMessage(**message, tool_call_id="1"))


def test_a_thousand_documents_are_found():
    """A result may have 1,000 documents."""
    message = ToolMessage(json.dumps(["a"] * 1000), tool_call_id="1")

    assert len(tool_result(message).documents) == 1000


def test_a_list_of_other_values_is_not_too_large():
    """A long artifact without documents is of another kind, and nothing to report."""
    message = ToolMessage("Done.", artifact=[0.5] * 5000, tool_call_id="1")

    assert tool_result(message) is None


@pytest.mark.parametrize(
    ("content", "is_reported"),
    [
        ("Bread is baked.\n\nParis, in France.", True),
        (json.dumps({"hits": ["a", "b"]}), True),
        ("[1, 2]", True),
        ([{"type": "text", "text": "a\n\nb"}], True),
        ([{"type": "image", "url": "https://example.com/a.png"}], True),
        ([{"type": "text"}], True),
        ("Nothing was found.", False),
        ([{"type": "text", "text": "Nothing was found."}], False),
        ("", False),
        ("[]", False),
        ([], False),
        (json.dumps({"results": []}), False),
        (json.dumps([{"text": "a"}]), False),
    ],
)
def test_what_may_be_several_documents_is_no_list(content, is_reported):
    """A result that may be several documents is an error; with fewer than two, it is not."""
    message = ToolMessage(content, tool_call_id="1")

    if is_reported:
        with pytest.raises(
            NoListError, match=r"it is not a list of documents\. Return JSON: a list"
        ):
            tool_result(message)
    else:
        assert tool_result(message) is None
