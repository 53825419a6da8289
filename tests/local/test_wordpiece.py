import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.local.vocabulary import vocabulary, word_ranks
from openrouter_rerank.local.wordpiece import END, START, pieces


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ()),
        ("Reranking isn't hard.", (2128, 26763, 2075, 3475, 1005, 1056, 2524, 1012)),
        ("naïve café", (15743, 7668)),
        ("Ångström\t10°C", (17076, 15687, 2184, 7737, 2278)),
        ("東京タワー is 333m", (1879, 1755, 1709, 30262, 30265, 2003, 21211, 2213)),
        ("unaffable", (14477, 20961, 3468)),
        ("x" * 101, (100,)),
        ("Ελλάδας", (1159, 29727, 29727, 14608, 29722, 14608, 19579)),
        ("don’t — stop…", (2123, 1521, 1056, 1517, 2644, 1529)),  # noqa: RUF001
        ("a\u00adb\u200dc", (5925,)),
        ("$5.00 + C++", (1002, 1019, 1012, 4002, 1009, 1039, 1009, 1009)),
        ("İstanbul", (9960,)),
        ("हिन्दी", (1339, 29877, 29863, 29861, 29878)),
        ("\ufffd\x00ok", (7929,)),
    ],
)
def test_a_text_is_cut_as_the_model_was_taught(text, numbers):
    """The numbers are those of Hugging Face's tokenizer for the same model."""
    assert pieces(text, 128) == (START, *numbers, END)


@given(text=st.text(max_size=200), limit=st.integers(2, 40))
def test_any_text_is_cut_to_the_limit_at_most(text, limit):
    """Whatever the text, there are `limit` known pieces at most, and a longer limit only adds."""
    cut, longer = pieces(text, limit), pieces(text, limit + 5)

    assert len(cut) <= limit
    assert set(cut) <= set(vocabulary().values())
    assert longer[: len(cut) - 1] == cut[:-1]


def test_a_huge_text_costs_no_more_than_its_beginning():
    """Only what can matter of a long text is looked at."""
    assert pieces("word " * 2_000_000, 128) == pieces("word " * 200, 128)


def test_the_vocabulary_is_complete_and_ranks_common_words_first():
    """The number of each piece is its line, and the ranks begin with the commonest words."""
    assert len(vocabulary()) == 30_522
    assert (vocabulary()["[CLS]"], vocabulary()["[SEP]"], vocabulary()["[UNK]"]) == (101, 102, 100)
    assert list(word_ranks())[:3] == ["the", "of", "and"]
    assert word_ranks()["the"] == 1 < word_ranks()["water"] < word_ranks()["glacier"]
