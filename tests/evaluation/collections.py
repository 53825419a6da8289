"""
Test collections: a small one of invented towns, and the writers of all formats.

The towns are invented and the sentences written for these tests, under the licence of the project.
"""

import gzip
import json

TOWNS = (
    *("Brenholm", "Calvery", "Dornfeld", "Estermoor", "Fallowby", "Gretna Sands", "Harkwell"),
    *("Ilmenau Bridge", "Jorvick", "Kestrelton", "Lowmere", "Marnstead", "Nethercott"),
    *("Oxleigh", "Pennarth", "Quarrendon", "Rushmere", "Saltash Hill", "Tarnbrook", "Ulverby"),
)
# The title, the text and the question of a document. Questions use other words than the texts, so
# that the words alone do not find every answer.
TOPICS = (
    (
        "Railway",
        (
            "The narrow gauge line from {town} to {other} carries timber at night and passengers "
            "from {hour} in the morning. Tickets are sold on the train."
        ),
        "When does the first train leave {town}?",
    ),
    (
        "Market",
        (
            "Every {day}, stalls with herring, cheese and wool fill the square of {town}. Traders "
            "from {other} come by boat."
        ),
        "On which day can one buy fish in {town}?",
    ),
    (
        "Museum",
        (
            "A former brewery in {town} shows {number} clocks, the oldest of which was made "
            "in {other}. Entry costs nothing on {day}."
        ),
        "How many old timepieces does the collection in {town} have?",
    ),
    (
        "Harbour",
        (
            "Ships of up to {number} tonnes can moor at {town}. In a hard winter, the basin "
            "freezes, and they are sent to {other}."
        ),
        "What is the largest vessel that the port of {town} takes?",
    ),
    (
        "Festival",
        (
            "For three days in {month}, lanterns float on the river of {town}. Musicians from "
            "{other} play until {hour}."
        ),
        "In which month are there lights on the water in {town}?",
    ),
    (
        "Library",
        (
            "The reading room of {town} opens at {hour} and lends {number} maps of the coast, but "
            "none of {other}."
        ),
        "Where can I borrow sea charts in {town}?",
    ),
)
_HOURS = ("five", "six", "seven", "eight", "nine")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("May", "June", "July", "August", "September", "October")


SMALLEST_FILES = {
    "corpus.jsonl": '{"_id": "d1", "text": "one"}\n{"_id": "d2", "text": "two"}\n',
    "queries.jsonl": '{"_id": "q1", "text": "one?"}\n',
    "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t1\n",
    "run.txt": "q1 Q0 d1 1 0.5 tag\n",
}
"""A folder of BEIR with one question, and a run."""
ONE_CANDIDATE = '{"query": "one?", "candidates": [{"id": "d1", "text": "one"}]}\n'
"""A line of JSON with one question and one candidate."""


def town_documents():
    """Return the title and the text of each of the 120 documents, by id."""
    return {
        f"d{at * len(TOPICS) + number}": (
            f"{title} of {town}",
            text.format(
                town=town,
                other=TOWNS[(at * 7 + number + 3) % len(TOWNS)],
                hour=_HOURS[(at + number) % len(_HOURS)],
                day=_DAYS[(at * 3 + number) % len(_DAYS)],
                month=_MONTHS[(at * 5 + number) % len(_MONTHS)],
                number=100 + 37 * at + number,
            ),
        )
        for at, town in enumerate(TOWNS)
        for number, (title, text, _) in enumerate(TOPICS)
    }


def town_questions():
    """Return the text of each of the 40 questions, by id: two for each town."""
    return {
        f"q{2 * at + turn}": TOPICS[(at + 3 * turn) % len(TOPICS)][2].format(town=town)
        for at, town in enumerate(TOWNS)
        for turn in (0, 1)
    }


def town_judgements():
    """Return the grades: 2 for the document that answers, 0 for that of the next town."""
    return {
        f"q{2 * at + turn}": {
            f"d{at * len(TOPICS) + topic}": 2,
            f"d{(at + 1) % len(TOWNS) * len(TOPICS) + topic}": 0,
        }
        for at in range(len(TOWNS))
        for turn in (0, 1)
        for topic in [(at + 3 * turn) % len(TOPICS)]
    }


def write_towns(folder):
    """Write the small collection as a folder of BEIR, and return the folder."""
    (folder / "qrels").mkdir(parents=True)
    write_json_lines(
        folder / "corpus.jsonl",
        [{"_id": id_, "title": each[0], "text": each[1]} for id_, each in town_documents().items()],
    )
    write_json_lines(
        folder / "queries.jsonl",
        [{"_id": id_, "text": text} for id_, text in town_questions().items()],
    )
    write_text(
        folder / "qrels/test.tsv",
        "query-id\tcorpus-id\tscore\n" + _judgement_lines(town_judgements(), "{}\t{}\t{}\n"),
    )
    return folder


def write_beir(folder, collection, *, ending="", mark="", newline="\n"):
    """Write a collection as a folder of BEIR with a run, and return the folder and the run."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {"mark": mark, "newline": newline}
    for name, texts in (
        ("corpus.jsonl", collection.documents),
        ("queries.test.jsonl", collection.questions),
    ):
        rows = [{"_id": id_, "text": text} for id_, text in texts.items()]
        write_json_lines(folder / f"{name}{ending}", rows, **options)
    qrels = _judgement_lines(collection.judgements, "{}\t{}\t{}\n")
    if qrels:
        write_text(
            folder / f"qrels.test.tsv{ending}", f"query-id\tcorpus-id\tscore\n{qrels}", **options
        )
    run = folder / f"run.trec{ending}"
    write_text(run, run_lines(collection.candidates), **options)
    return folder, run


def write_trec(folder, collection, **options):
    """Write a collection as separate files, and return the arguments of `from_trec`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, texts in (("corpus", collection.documents), ("queries", collection.questions)):
        rows = [{"_id": id_, "text": text} for id_, text in texts.items()]
        write_json_lines(folder / f"{name}.jsonl", rows, **options)
    write_text(folder / "run.trec", run_lines(collection.candidates), **options)
    paths = {"corpus": "corpus.jsonl", "queries": "queries.jsonl", "run": "run.trec"}
    if qrels := _judgement_lines(collection.judgements, "{} 0 {} {}\n"):
        write_text(folder / "qrels.txt", qrels, **options)
        paths["qrels"] = "qrels.txt"
    return {name: folder / path for name, path in paths.items()}


def write_jsonl(file, collection, **options):
    """Write the candidates of a collection to one file, and return the file."""
    rows = []
    for question, ids in collection.candidates.items():
        candidates = []
        for id_ in ids:
            candidate = {"id": id_, "text": collection.documents[id_]}
            grade = collection.judgements.get(question, {}).get(id_)
            candidates.append(candidate if grade is None else candidate | {"relevance": grade})
        rows.append(
            {"id": question, "query": collection.questions[question], "candidates": candidates}
        )
    write_json_lines(file, rows, **options)
    return file


def run_lines(candidates):
    """Return a run of TREC in which candidates share scores, in pairs."""
    return "".join(
        f"{question} Q0 {id_} {rank} {-(rank // 2)} tag\n"
        for question, ids in candidates.items()
        for rank, id_ in enumerate(ids)
    )


def write_json_lines(file, rows, **options):
    """Write one JSON object in each line."""
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    write_text(file, text, **options)


def write_text(file, text, *, mark="", newline="\n"):
    """Write a text in UTF-8, compressed if the name ends with `.gz`."""
    data = (mark + text.replace("\n", newline)).encode()
    file.write_bytes(gzip.compress(data) if file.name.endswith(".gz") else data)


def _judgement_lines(judgements, form):
    return "".join(
        form.format(question, document, grade)
        for question, grades in judgements.items()
        for document, grade in grades.items()
    )
