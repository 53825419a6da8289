"""The documents in a text in which a tool has joined them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import ToolMessage
from langchain_openrouter_rerank._tool_results import MismatchError, tool_result

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
