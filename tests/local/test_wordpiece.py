import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.local.vocabulary import vocabulary, word_ranks
from openrouter_rerank.local.wordpiece import END, START, token_ids


@pytest.mark.parametrize(
    ("text", "ids"),
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
def test_a_text_is_split_as_the_model_expects(text, ids):
    """The ids are those of Hugging Face's tokenizer for the same model."""
    assert token_ids(text, 128) == (START, *ids, END)


@given(text=st.text(max_size=200), limit=st.integers(2, 40))
def test_no_text_has_more_tokens_than_the_limit(text, limit):
    """Any text has at most `limit` known tokens, and a higher limit only adds tokens."""
    short, long = token_ids(text, limit), token_ids(text, limit + 5)

    assert len(short) <= limit
    assert set(short) <= set(vocabulary().values())
    assert long[: len(short) - 1] == short[:-1]


def test_only_the_beginning_of_a_huge_text_is_read():
    """A huge text has the same tokens as its beginning."""
    assert token_ids("word " * 2_000_000, 128) == token_ids("word " * 200, 128)


def test_the_vocabulary_is_complete_and_ranks_common_words_first():
    """The id of a token is its line number, from 0, and the most common words rank first."""
    assert len(vocabulary()) == 30_522
    assert (vocabulary()["[CLS]"], vocabulary()["[SEP]"], vocabulary()["[UNK]"]) == (101, 102, 100)
    assert list(word_ranks())[:3] == ["the", "of", "and"]
    assert word_ranks()["the"] == 1 < word_ranks()["water"] < word_ranks()["glacier"]
