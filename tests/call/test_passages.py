"""Passages of long texts: where a text is cut, and how many tokens a text is estimated to have."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank._call.passages import (
    MOST_TOKENS_PER_CHARACTER,
    Span,
    estimated_tokens,
    most_tokens,
    passages,
)

WOMAN = "\N{WOMAN}\N{EMOJI MODIFIER FITZPATRICK TYPE-5}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}"
ACUTE = "\N{COMBINING ACUTE ACCENT}"
JOINER = "\N{ZERO WIDTH JOINER}"


def parts(text, max_tokens):
    """Return the texts of the passages."""
    return [text[start:end] for start, end in passages(text, max_tokens)]


@pytest.mark.parametrize(
    ("max_tokens", "expected"),
    [
        pytest.param(
            20,
            ["The first paragraph is long enough.\n\n", "So is the second one, I think."],
            id="long paragraphs are kept apart",
        ),
        pytest.param(
            10,
            [" \n First words of a text.\n \t\n ", "Second paragraph."],
            id="blank lines have white space",
        ),
        pytest.param(
            24,
            ["One.\n\nTwo.\n\nThree.\n\n", "This one is long enough to be alone.\n\n", "End."],
            id="short paragraphs share a passage",
        ),
        pytest.param(
            5,
            ["aaaa aaaa aaaa\r\n\r\n", "bbbb bbbb bbbb\n\n", "cccc cccc cccc\r\r", "d\u2029\u2029"],
            id="all kinds of line ends",
        ),
        pytest.param(
            15,
            ["A line without blank lines around\r\n", "and the next long line of the text\r\n"],
            id="without blank lines, a line is a paragraph",
        ),
        pytest.param(
            20,
            [
                "- item 0\n- item 1\n- item 2\n- item 3\n",
                "- item 4\n- item 5\n- item 6\n- item 7\n",
            ],
            id="short lines share a passage",
        ),
        pytest.param(
            14,
            ["It costs 3.5 euros, e.g. here. ", '"Why not?" (Yes!) ', "That is how it was then."],
            id="sentences",
        ),
        pytest.param(
            11,
            ["They met here. ", "It was approx. noon in June."],
            id="a small letter begins no sentence",
        ),
        pytest.param(
            8, ["one two three four five six ", "seven eight nine"], id="words of one sentence"
        ),
        pytest.param(
            12,
            ["A short one. ", "Onesentencethatisonewordthatislongert", "hanapassage. Short."],
            id="sentences and a long word",
        ),
        pytest.param(6, ["abcdefghijklmnopqrst", "uvwxyz"], id="characters of one word"),
        pytest.param(4, [" \n 1234", "56  \n\n"], id="white space around the text"),
        pytest.param(4, ["1234" + " " * 99, "5678"], id="long white space does not count"),
        pytest.param(1, ["1234", "56"], id="the smallest budget is one character"),
        pytest.param(
            20, ["First line.\n\nNext one.\n" + "\n" * 99], id="long white space at the end"
        ),
        pytest.param(99, ["It fits.\n\nAs a whole."], id="a text that fits"),
        pytest.param(20, ["1234567890\n\n12345678"], id="a text that just fits"),
        pytest.param(20, ["1234\n1234\n1234\n12345\n", "1"], id="lines that just fit"),
    ],
)
def test_borders(max_tokens, expected):
    """A text is cut at the highest border that makes its pieces small enough."""
    assert parts("".join(expected), max_tokens) == expected


@pytest.mark.parametrize(
    ("max_tokens", "expected"),
    [
        pytest.param(
            12, ["Der Zug kam spät an. ", "„Ist er schon da?“ ", "Wir warteten."], id="German"
        ),
        pytest.param(26, ["Θάλασσα και ουρανός. ", "Πού είναι; Δεν ξέρω."], id="Greek"),
        pytest.param(20, ["Дул сильный ветер. ", "Мы ждали: поезд опоздал."], id="Russian"),
        pytest.param(12, ["هل وصل القطار؟ ", "لم يصل بعد."], id="Arabic"),
        pytest.param(20, ["کیا ٹرین آ گئی ہے؟ ", "ابھی نہیں آئی۔"], id="Urdu"),  # noqa: RUF001
        pytest.param(26, ["गाड़ी अभी नहीं आई है। ", "हम इंतज़ार करते हैं।"], id="Hindi"),
        pytest.param(24, ["รถไฟยังไม่มาถึงสถานี ", "เราจึงรออยู่ที่นี่"], id="Thai"),
        pytest.param(12, ["火车还没有到站。", "“为什么？”", "他不知道。"], id="Chinese"),  # noqa: RUF001
        pytest.param(
            16,
            ["列車はまだ来ない。", "「なぜですか？」", "と駅長に聞いた。"],  # noqa: RUF001
            id="Japanese",
        ),
        pytest.param(20, ["기차는 아직 오지 않았다. ", "우리는 역에서 기다렸다."], id="Korean"),
        pytest.param(16, ["Tàu vẫn chưa đến ga. ", "Chúng tôi đã chờ lâu."], id="Vietnamese"),
        pytest.param(12, ["Tren hâlâ gelmedi. ", "Biz istasyonda bekledik."], id="Turkish"),
        pytest.param(40, ["ባቡሩ አልመጣም። ", "እንጠብቃለን።"], id="Amharic"),
        pytest.param(70, ["ရထားမလာသေးပါ။", "ကျွန်တော်တို့စောင့်သည်။"], id="Burmese"),
        pytest.param(60, ["រថភ្លើងមិនទាន់មកទេ។", "យើងរង់ចាំ។"], id="Khmer"),
    ],
)
def test_languages(max_tokens, expected):
    """A paragraph is cut at the sentence ends of its language."""
    assert parts("".join(expected), max_tokens) == expected


@pytest.mark.parametrize(
    ("max_tokens", "expected"),
    [
        pytest.param(4, ["abcdefghijk", f"l{ACUTE}mno"], id="combining mark"),
        pytest.param(4, ["AB", "\u0915\u093e"], id="spacing mark"),
        pytest.param(4, ["AB", "C\N{COMBINING ENCLOSING CIRCLE}"], id="enclosing mark"),
        pytest.param(8, ["ABCD", "\N{WOMAN}\U0001f3fb"], id="lightest skin colour"),
        pytest.param(8, ["ABCD", "\N{WOMAN}\U0001f3ff"], id="darkest skin colour"),
        pytest.param(20, [f"abcd{WOMAN}", WOMAN], id="joined emoji with a skin colour"),
        pytest.param(4, ["ABC\r\n", "D"], id="CR and LF in a word"),
        pytest.param(4, ["ABC", "\ud83d\ude00D"], id="surrogate halves"),
        pytest.param(4, ["ABC", "\ud800\udc00D"], id="first pair"),
        pytest.param(4, ["ABC", "\udbff\udfffD"], id="last pair"),
        pytest.param(4, ["ABCD", "\ude00E"], id="second half alone"),
        pytest.param(4, ["1234", "567\ud83d", "1234", "5678"], id="first half alone"),
        pytest.param(4, [f"A{ACUTE}", f"B{ACUTE}"], id="each letter has a mark"),
        pytest.param(4, [f"A{ACUTE}{ACUTE}", f"{ACUTE}{ACUTE}"], id="too many marks"),
        pytest.param(4, ["ABC   ", f" {ACUTE}D"], id="mark after white space"),
        pytest.param(4, ["ABC\r\n", f"\r\n{ACUTE}"], id="mark after a line end"),
        pytest.param(4, ["ABC", f" {ACUTE}D"], id="mark after one space"),
        pytest.param(5, ["A", f"B{JOINER} {ACUTE}", "C"], id="space between a joiner and a mark"),
        pytest.param(4, [f"A{JOINER}", f"\r\n{ACUTE}", "B"], id="CR and LF in what is too long"),
    ],
)
def test_characters_stay_whole(max_tokens, expected):
    """A text is not cut inside what readers see as one character, unless that is too long."""
    assert parts("".join(expected), max_tokens) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("", []), ("  ", [Span(0, 2)]), (" " * 99, [Span(0, 99)])]
)
def test_blank_texts(text, expected):
    """A blank text is not cut."""
    assert passages(text, 4) == expected


HOSTILE = st.text(
    st.sampled_from(f'ab1. \n\r\t\u2028\xa0é{ACUTE}{JOINER}中。…)"\ud83d\ude00\N{THINKING FACE}')
)
TEXTS = st.text() | HOSTILE | st.lists(st.text() | HOSTILE, max_size=9).map("\n\n".join)
SIZES = st.integers(min_value=int(MOST_TOKENS_PER_CHARACTER), max_value=60)


@given(TEXTS, SIZES | st.integers(min_value=0, max_value=3))
def test_passages_are_the_text(text, max_tokens):
    """Joined, the passages are the text, and none is empty."""
    assert "".join(parts(text, max_tokens)) == text
    assert all(parts(text, max_tokens))


@given(TEXTS, SIZES)
def test_no_passage_is_too_long(text, max_tokens):
    """No passage has more than `max_tokens` estimated tokens."""
    assert all(estimated_tokens(part.strip()) <= max_tokens for part in parts(text, max_tokens))


@given(TEXTS.filter(str.strip), SIZES)
def test_no_passage_is_blank(text, max_tokens):
    """A passage has something to rank, if the text has."""
    assert all(part.strip() for part in parts(text, max_tokens))


@given(TEXTS, SIZES)
def test_no_cut_inside_a_character(text, max_tokens):
    """Passages do not begin between CR and LF, or between surrogate halves."""
    ends = [end for _, end in passages(text, max_tokens)[:-1]]
    assert all(text[end - 1 : end + 1] not in {"\r\n", "\ud83d\ude00"} for end in ends)


PARAGRAPHS = st.lists(
    st.lists(st.sampled_from(["Yes.", "No rain today.", "They waited there."]), min_size=1).map(
        " ".join
    ),
    min_size=1,
)


@given(PARAGRAPHS, st.sampled_from(["\n\n", "\r\n\r\n", "\n \n", "\n"]), SIZES)
def test_long_paragraphs_are_apart(paragraphs, border, max_tokens):
    """A passage with parts of two paragraphs has no part of a long one."""
    text = border.join(paragraphs)
    for part in parts(text, max_tokens):
        together = part.strip().split(border)
        if len(together) > 1 and part != text:
            longest = max(map(estimated_tokens, together))
            assert longest <= math.ceil(max_tokens / 4)


@given(PARAGRAPHS, SIZES.filter(lambda size: size >= 7))
def test_sentences_stay_whole(paragraphs, max_tokens):
    """If each sentence fits into a passage, passages end at sentence ends."""
    text = "\n\n".join(paragraphs)
    assert all(part.strip().endswith(".") for part in parts(text, max_tokens))


@pytest.mark.parametrize("around", ["", "x"])
@pytest.mark.parametrize(
    "unit",
    [
        *("a", "a ", "a\n", "a\n\n", "中", ".", ". ", '."', "。", "。」"),
        *(" ", "\n", "\r", "\r\n", "\n ", "\x1c\x85"),
        *(ACUTE, f" {ACUTE}", JOINER, f"{JOINER} ", WOMAN, "\ud83d\ude00"),
    ],
)
def test_linear_time(unit, around):
    """The time grows as the length of the text does."""

    def seconds(length):
        text = around + unit * (length // len(unit)) + around
        start = time.process_time()
        passages(text, 450)
        return time.process_time() - start

    # 16 times the length. Quadratic time would be 256 times as long. What a short text takes is
    # mostly noise, so it counts as a millisecond at least.
    short = max(1e-3, min(seconds(4_000) for _ in range(3)))
    assert min(seconds(64_000) for _ in range(3)) < 80 * short


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        (" ", 1),
        ("Reranking puts the best document first.", 13),
        ("2026", 4),
        ("Grüße", 5),
        ("Việt Nam", 4),
        ("жизнь", 3),
        ("हिन्दी", 8),
        ("ไทย", 4),
        ("文書", 3),
        ("\N{THINKING FACE}", 4),
        ("\ud83d\ude00", 2),
    ],
)
def test_estimated_tokens(text, expected):
    """The estimate is the sum of the weights of the characters, rounded up."""
    assert estimated_tokens(text) == expected


@pytest.mark.parametrize(
    ("first", "last", "tokens"),
    [
        pytest.param("\x00", "\x1f", 20, id="control characters"),
        pytest.param(" ", " ", 2, id="space"),
        pytest.param("!", "`", 20, id="signs, digits and capitals"),
        pytest.param("a", "z", 6, id="small letters"),
        pytest.param("{", "\x7f", 20, id="further signs"),
        pytest.param("\x80", "\u00ff", 30, id="Latin letters of Western Europe"),
        pytest.param("\u0100", "\u027f", 40, id="other Latin letters"),
        pytest.param("\u0280", "\u037f", 30, id="phonetic letters and accents"),
        pytest.param("\u0380", "\u03ff", 22, id="Greek"),
        pytest.param("\u0400", "\u047f", 12, id="Cyrillic"),
        pytest.param("\u0480", "\u057f", 40, id="Cyrillic of Asia, Armenian"),
        pytest.param("\u0580", "\u05ff", 25, id="Hebrew"),
        pytest.param("\u0600", "\u06ff", 16, id="Arabic"),
        pytest.param("\u0700", "\u07ff", 40, id="Syriac and others"),
        pytest.param("\u0800", "\u08ff", 44, id="other scripts of South Asia"),
        pytest.param("\u0900", "\u097f", 24, id="Devanagari"),
        pytest.param("\u0980", "\u0dff", 44, id="South Asia"),
        pytest.param("\u0e00", "\u0e7f", 22, id="Thai"),
        pytest.param("\u0e80", "\u0fff", 44, id="Lao and others"),
        pytest.param("\u1000", "\u1e7f", 60, id="Burmese and others"),
        pytest.param("\u1e80", "\u1eff", 6, id="Vietnamese"),
        pytest.param("\u1f00", "\u1fff", 60, id="old Greek"),
        pytest.param("\u2000", "\u2fff", 40, id="signs"),
        pytest.param("\u3000", "\ud7ff", 24, id="Chinese, Japanese, Korean"),
        pytest.param("\ue000", "\uffff", 30, id="full-width forms"),
        pytest.param("\U00010000", "\U0010ffff", 80, id="emoji and rare scripts"),
    ],
)
def test_the_weights_of_scripts(first, last, tokens):
    """Twenty characters of a script have this many estimated tokens, the first as the last."""
    assert estimated_tokens(first * 20) == estimated_tokens(last * 20) == tokens


@given(TEXTS, TEXTS)
def test_estimates_of_parts(first, second):
    """A part has no more estimated tokens than the whole, and the whole no more than its parts."""
    whole = estimated_tokens(first + second)
    assert max(estimated_tokens(first), estimated_tokens(second)) <= whole
    assert whole <= estimated_tokens(first) + estimated_tokens(second)


@given(TEXTS, st.integers(min_value=4, max_value=20), st.integers(min_value=1, max_value=5))
def test_the_first_passages_are_the_same_if_only_these_are_found(text, max_tokens, at_most):
    """`at_most` ends the search, and does not change the passages that are found."""
    assert passages(text, max_tokens, at_most) == passages(text, max_tokens)[:at_most]


@given(TEXTS)
def test_estimates_have_a_limit(text):
    """No estimate is above the number of bytes, or above the largest weight per character."""
    assert estimated_tokens(text) <= most_tokens(text) == len(text.encode(errors="replace"))
    assert estimated_tokens(text) <= len(text) * MOST_TOKENS_PER_CHARACTER
