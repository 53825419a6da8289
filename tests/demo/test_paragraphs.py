import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.demo.paragraphs import LONGEST, passages

line = st.lists(st.sampled_from(["word", "x", "été", "=>"]), max_size=12).map(" ".join)
text = st.lists(line, max_size=150).map("\n".join)


@given(text)
def test_no_word_is_lost_and_none_moves(text):
    """The passages of a text have its words, all of them, in its order."""
    assert " ".join(passages(text)).split() == text.split()


@given(text)
def test_no_passage_is_blank_or_too_long(text):
    """Every passage says something, and none is longer than promised."""
    assert all(0 < len(passage.split()) <= LONGEST for passage in passages(text))


def paragraph(words: int) -> str:
    """A paragraph of so many words, eight to a line."""
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
def test_paragraphs_are_packed(paragraphs, lengths):
    """Paragraphs share a passage while it has room, a short tail finds room, a long one is cut."""
    text = "\n\n".join(map(paragraph, paragraphs))

    assert [len(passage.split()) for passage in passages(text)] == lengths


def test_a_table_keeps_its_lines_whole():
    """A paragraph that is too long is cut between lines, and indentation stays."""
    rows = [f"  | row {number} | {'cell ' * 10}|" for number in range(30)]

    assert [row for passage in passages("\n".join(rows)) for row in passage.split("\n")] == rows
