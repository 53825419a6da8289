"""A small collection in the format that the benchmarks read."""

import json

import pytest

PARAGRAPHS = {
    "Bread": [
        "Bread is baked in a hot oven for forty minutes.",
        "Rye flour makes a dark loaf that stays fresh for a week.",
    ],
    "Rivers": [
        "The river rises in the mountains and ends in the sea.",
        "In spring the melting snow floods the meadows along the banks.",
    ],
    "Chess": [
        "The bishop moves along diagonals of one colour.",
        "A game is drawn if the same position occurs three times.",
    ],
}
QUERIES = {
    "How long does bread stay in the oven?": "p0",
    "Which loaf keeps fresh for days?": "p1",
    "Where does the river begin?": "p2",
    "Why are meadows under water in spring?": "p3",
    "How does a bishop move?": "p4",
    "When is a game a draw?": "p5",
}


def write_collection(folder):
    """Write the files of one collection."""
    folder.mkdir(parents=True)
    paragraphs = [(title, text) for title, texts in PARAGRAPHS.items() for text in texts]
    corpus = [
        {"_id": f"p{index}", "title": title, "text": text}
        for index, (title, text) in enumerate(paragraphs)
    ]
    queries = [{"_id": f"q{index}", "text": text} for index, text in enumerate(QUERIES)]
    rows = [f"q{index}\t{key}\t1" for index, key in enumerate(QUERIES.values())]
    for name, items in (("corpus", corpus), ("queries.test", queries)):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(item)}\n" for item in items))
    (folder / "qrels.test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows, ""]))


@pytest.fixture
def collections(tmp_path):
    """Return a folder with the collections that the benchmarks need."""
    write_collection(tmp_path / "xquad/en")
    write_collection(tmp_path / "scifact-mini")
    return tmp_path
