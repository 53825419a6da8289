import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openrouter_rerank.local.installed_scorers import installed_scorers

SCORERS = installed_scorers()
# Few words, so that queries and texts have some in common, in several scripts.
WORDS = st.sampled_from(
    ["red", "apples", "apple", "the", "Äpfel", "und", "der", "東京", "μήλα", "c++", "7"]
)
QUERIES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join) | st.text(max_size=20)
TEXTS = st.lists(WORDS, min_size=1, max_size=8).map(" ".join) | st.text(min_size=1, max_size=30)
LISTS = st.lists(TEXTS.filter(str.strip), max_size=6, unique=True)

every_scorer = pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)


@every_scorer
@settings(max_examples=60)
@given(query=QUERIES, texts=LISTS)
def test_every_text_gets_one_score_from_0_to_1(scorer, query, texts):
    """There is one score for each text, and each score is in [0, 1]."""
    scores = scorer.scores(query, texts)

    assert len(scores) == len(texts)
    assert all(0.0 <= score <= 1.0 for score in scores)


@every_scorer
@settings(max_examples=60)
@given(query=QUERIES, texts=LISTS)
def test_a_score_depends_on_the_query_and_the_text_alone(scorer, query, texts):
    """Among any other texts, a text has exactly the score that it has alone."""
    scores = scorer.scores(query, texts)

    assert scores == [scorer.scores(query, [text])[0] for text in texts]


@every_scorer
def test_threads_get_the_same_scores_as_one_thread(scorer):
    """A scorer that threads share returns the scores that it returns in one thread."""
    texts = [f"red apple number {number} of the tree" for number in range(20)]
    queries = [f"apple {number}" for number in range(24)]

    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda query: scorer.scores(query, texts), queries))

    assert together == [scorer.scores(query, texts) for query in queries]


@every_scorer
def test_scores_are_the_same_in_every_process(scorer, request):
    """No score depends on the process, for example on its hash seed."""
    query, texts = "apples of the tree", ["red apple", "the tree", "Apfelbaum", "apples on a tree"]
    slug = request.node.callspec.id
    program = (
        "import json, sys; from openrouter_rerank.local.installed_scorers import installed_scorers;"
        "slug, query, texts = json.load(sys.stdin);"
        "print(json.dumps(installed_scorers()[slug].scores(query, texts)))"
    )

    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            input=json.dumps([slug, query, texts]),
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == scorer.scores(query, texts)
