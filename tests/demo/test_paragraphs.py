import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.demo.paragraphs import MAX_WORDS, passages

line = st.lists(st.sampled_from(["word", "x", "été", "=>"]), max_size=12).map(" ".join)
text = st.lists(line, max_size=150).map("\n".join)


@given(text)
def test_passages_keep_all_words_in_order(text):
    """The passages of a text have all its words in the same order."""
    assert " ".join(passages(text)).split() == text.split()


@given(text)
def test_no_passage_is_blank_or_too_long(text):
    """Every passage has at least one word, and at most `MAX_WORDS`."""
    assert all(0 < len(passage.split()) <= MAX_WORDS for passage in passages(text))


def paragraph(words: int) -> str:
    """Return a paragraph of `words` words, eight in each line."""
    lines = [" ".join(["word"] * min(8, words - at)) for at in range(0, words, 8)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("paragraphs", "lengths"),
    [
        ([], []),
        ([40], [40]),
        ([40, 40], [80]),
        ([60, 60], [60, 60]),
        ([90, 20], [110]),
        ([90, 20, 20], [110, 20]),
        ([250], [96, 96, 58]),
    ],
)
def test_paragraphs_are_combined_into_passages(paragraphs, lengths):
    """Paragraphs are combined up to a limit, which a short one may exceed; long ones are split."""
    text = "\n\n".join(map(paragraph, paragraphs))

    assert [len(passage.split()) for passage in passages(text)] == lengths


def test_the_lines_of_a_table_are_not_split():
    """A paragraph that is too long is split between lines, and keeps its indentation."""
    rows = [f"  | row {number} | {'cell ' * 10}|" for number in range(30)]

    assert [row for passage in passages("\n".join(rows)) for row in passage.split("\n")] == rows
