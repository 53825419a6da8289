import pytest
from openrouter_rerank.local.lexical import LexicalScorer
from openrouter_rerank.local.words import ENGLISH, is_english, language, words


def best(query, texts):
    """Give the text that scores most."""
    scores = LexicalScorer().scores(query, texts)
    return texts[scores.index(max(scores))]


@pytest.mark.parametrize(
    ("query", "right", "others"),
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
def test_the_passage_that_answers_comes_first(query, right, others):
    """Stems, stop words and rare words decide, in several languages, wherever a passage stands."""
    assert best(query, [right, *others]) == right
    assert best(query, [*others, right]) == right


def test_a_rare_word_outweighs_a_common_one_that_most_candidates_lack():
    """
    The prior cures frequencies that candidates invert.

    A retriever brought texts that nearly all hold the word that matters, so that the other one
    looks rarer among them.
    """
    candidates = [f"photosynthesis of leaf {number}" for number in range(8)]
    candidates += ["water alone", "photosynthesis alone"]

    scores = LexicalScorer().scores("photosynthesis from water", candidates)

    assert scores[-1] > scores[-2]


def test_only_the_share_of_the_query_counts():
    """A text without a word of the query scores 0, and more of its words score more."""
    scores = LexicalScorer().scores(
        "red green blue", ["nothing here", "red paint", "red and blue paint"]
    )

    assert scores[0] == 0
    assert 0 < scores[1] < scores[2] < 1


@pytest.mark.parametrize("query", ["???", "🎉", "", "the of and"])
def test_a_query_without_words_of_its_own_still_gets_scores(query):
    """Nothing to look for means 0 for everything; stop words alone are looked for as they are."""
    scores = LexicalScorer().scores(query, ["the best of it", "party"])

    assert len(scores) == 2
    assert scores[1] == 0
    assert (scores[0] > 0) == (query == "the of and")


def test_no_texts_have_no_scores():
    """An empty list is scored as an empty list."""
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
def test_words_are_found_in_any_script(text, found):
    """Words keep their vowel signs, and scripts without spaces are cut into pairs."""
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("This is the way it was for them", "english"),
        ("Das ist nicht der Weg und so", "german"),
        ("Ce n'est pas dans les règles", "french"),
        ("Это не то, что я хотел", "russian"),
        ("東京", "english"),
        ("", "english"),
    ],
)
def test_the_language_is_the_one_whose_stop_words_are_there(text, name):
    """Stop words tell the language, and English is assumed where there are none."""
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
def test_english_is_what_both_sides_read_as(query, document, english):
    """Both the words of the query and the stop words of the documents have to be English."""
    assert ENGLISH.name == "english"
    assert is_english(words(query), [words(document)]) is english
