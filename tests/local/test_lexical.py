import pytest
from openrouter_rerank.local.lexical import LexicalQuery, LexicalScorer
from openrouter_rerank.local.words import language, words


def best(query, texts):
    """Return the text with the highest score."""
    scores = LexicalScorer().scores(query, texts)
    return texts[scores.index(max(scores))]


@pytest.mark.parametrize(
    ("query", "relevant", "others"),
    [
        (
            "What is the capital of France?",
            "Paris is the capital of France.",
            ["Berlin is the capital of Germany.", "France is known for its cheese."],
        ),
        (
            "how do generators pause",
            "A generator function pauses at each yield expression.",
            ["A function returns a value.", "How do you do? A question asked of old."],
        ),
        (
            "Welche Stadt ist die Hauptstadt von Österreich?",
            "Wien ist die Hauptstadt der Republik Österreich.",
            ["Welche Stadt ist die schönste von allen?", "Die Donau fließt durch die Stadt."],
        ),
        (
            "¿Cuándo terminaron las guerras napoleónicas?",
            "La guerra napoleónica terminó en 1815.",
            ["¿Cuándo llegan las cartas?", "Las obras terminaron cuando llovía."],
        ),
        (
            "東京の人口",
            "東京都の人口は千四百万人です。",
            ["大阪の名物はたこ焼きです。", "富士山は日本で一番高い山です。"],
        ),
        (
            "vitamin C",
            "Scurvy is a lack of vitamin C.",
            ["Rickets is a lack of vitamin D.", "C is a language."],
        ),
    ],
)
def test_the_passage_that_answers_is_first(query, relevant, others):
    """Stems, stop words and rare words decide, in several languages and at any position."""
    assert best(query, [relevant, *others]) == relevant
    assert best(query, [*others, relevant]) == relevant


def test_a_rare_english_word_outweighs_a_common_one():
    """The words of the query weigh more if they are rarer in English."""
    scores = LexicalScorer().scores(
        "photosynthesis from water", ["water alone", "photosynthesis alone"]
    )

    assert scores[1] > scores[0] > 0


def test_words_that_are_neighbours_in_the_query_and_in_the_text_count_more():
    """Of two texts with the same words, the one that has them in the query's order is better."""
    scores = LexicalScorer().scores("river bank", ["the bank on a river", "a bank, a river bank"])
    same_words = LexicalScorer().scores("river bank", ["bank river", "river bank"])

    assert scores[1] > scores[0]
    assert same_words[1] > same_words[0]


def test_a_longer_text_with_the_same_words_scores_lower():
    """Further words lower the score, and stop words do not."""
    scores = LexicalScorer().scores(
        "river bank", ["river bank", "river bank of the", "river bank town bridge"]
    )

    assert scores[0] == scores[1] > scores[2]


def test_a_score_is_the_share_of_the_query():
    """A text without a word of the query scores 0, and each additional word raises the score."""
    scores = LexicalScorer().scores(
        "red green blue", ["nothing here", "red paint", "red and blue paint"]
    )

    assert scores[0] == 0
    assert 0 < scores[1] < scores[2] < 1


@pytest.mark.parametrize("query", ["???", "🎉", "", "the of and"])
def test_a_query_without_meaningful_words_still_gets_scores(query):
    """Without words all scores are 0. A query of stop words only is scored by its stop words."""
    scores = LexicalScorer().scores(query, ["the best of it", "party"])

    assert len(scores) == 2
    assert scores[1] == 0
    assert (scores[0] > 0) == (query == "the of and")


def test_chinese_particles_count_less_than_other_characters():
    """A text with the subject of a Chinese question beats one with its particles."""
    assert best("诗歌是什么", ["那是什么", "诗歌"]) == "诗歌"


def test_an_empty_list_has_no_scores():
    """The scores of an empty list are an empty list."""
    assert LexicalScorer().scores("q", []) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Don't STOP", ["don", "t", "stop"]),
        ("C++ v2.0", ["c", "v2", "0"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("東京都 is", ["東京", "京都", "is"]),
        ("山", ["山"]),
        ("naïve 10€", ["naïve", "10"]),
        ("日本語text", ["日本", "本語", "text"]),
        ("--", []),
    ],
)
def test_texts_of_any_script_are_split_into_words(text, found):
    """Words keep their vowel signs, and scripts without spaces are split into pairs."""
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("This is the way it was for them", "english"),
        ("Das ist nicht der Weg und so", "german"),
        ("Ce n'est pas dans les règles", "french"),
        ("Это не то, что я хотел", "russian"),
        ("Care este capitala și cel mai mare oraș din Franța", "romanian"),
        ("πόλη της χώρας", "greek"),
        ("عاصمة فرنسا", "arabic"),
        ("फ्रांस की राजधानी", "hindi"),
        ("the β and δ", "english"),
        ("東京", "english"),
        ("", "english"),
    ],
)
def test_stop_words_or_the_script_decide_the_language(text, name):
    """The language has the most stop words or words in its script; without any, it is English."""
    assert language([words(text)]).name == name


@pytest.mark.parametrize(
    ("query", "document", "english"),
    [
        ("capital of France", "Paris is the capital", True),
        ("Hauptstadt Frankreich", "Paris is the capital", False),
        ("capital of France", "Paris ist die Hauptstadt und nicht der Fluss", False),
        ("東京", "東京です", False),
    ],
)
def test_query_and_document_must_both_be_english(query, document, english):
    """The words of the query and the stop words of the document must be English."""
    assert LexicalQuery(query).match(document).is_english is english
