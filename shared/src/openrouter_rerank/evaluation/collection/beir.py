"""
Reads a folder in the format of BEIR.
"""

import re
from pathlib import Path

from .contents import NO_CANDIDATES, Contents
from .corpus import NO_DOCUMENTS, read_documents, read_questions
from .errors import CollectionError, shown_ids, shown_path
from .lines import checked_path, unreadable
from .trec import Judgements, folder_name, read_judgements, read_run, run_name

_SPLIT = re.compile(r"[^/\\\0]+")
_QRELS_FILE = re.compile(r"qrels[./](.+)\.tsv(?:\.gz)?")
_QUERIES_FILE = re.compile(r"queries\.(.+)\.jsonl(?:\.gz)?")


def beir_contents(
    path: object,
    *,
    split: object = "test",
    qrels: object = None,
    run: object = None,
    with_documents: bool = True,
) -> Contents:
    """
    Read a folder with `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.

    Raises:
        CollectionError: If a file is missing or cannot be used.
    """
    folder = checked_path("path", path)
    if not isinstance(split, str) or not _SPLIT.fullmatch(split):
        raise CollectionError("split must be a name without a slash, such as 'test'")
    files = _files(folder)
    corpus_file = _needed(folder, files, split, "corpus.jsonl") if with_documents else None
    queries_file = _queries_file(folder, files, split)
    if qrels is None:
        qrels_file = _qrels_file(folder, files, split)
    else:
        qrels_file = checked_path("qrels", qrels)
    run_file = None if run is None else checked_path("run", run)

    questions = read_questions(queries_file)
    judgements = {} if qrels_file is None else read_judgements(qrels_file)
    notes: tuple[str, ...] = ()
    if qrels is None and queries_file.name.startswith("queries.jsonl"):
        questions, notes = _of_split(questions, judgements, split)
    corpus = NO_DOCUMENTS if corpus_file is None else read_documents(corpus_file)
    return Contents(
        name=folder_name(folder),
        questions=questions,
        documents=corpus.documents,
        judgements=judgements,
        candidates={} if run_file is None else read_run(run_file),
        first_stage=NO_CANDIDATES if run_file is None else run_name(run_file),
        notes=(*notes, *corpus.notes),
    )


def _files(folder: Path) -> set[str]:
    """Return the names of the files in the folder, and of those in `qrels` in it."""
    try:
        names = {file.name for file in folder.iterdir()}
    except NotADirectoryError as error:
        raise CollectionError(
            f"{shown_path(folder)}: this is a file, and BEIR is a folder; a file with "
            "candidates must end in .jsonl (in Python, Collection.from_jsonl reads it)"
        ) from error
    except (OSError, ValueError) as error:
        raise unreadable(folder, error) from error
    qrels = folder / "qrels"
    try:
        names.update(f"qrels/{file.name}" for file in qrels.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        pass  # The judgements may be in a file next to the others
    except OSError as error:
        raise unreadable(qrels, error) from error
    return names


def _queries_file(folder: Path, files: set[str], split: str) -> Path:
    found = _found(folder, files, f"queries.{split}.jsonl", "queries.jsonl")
    others = _splits(files, _QUERIES_FILE)
    if found is None and others:
        raise CollectionError(
            f"{shown_path(folder)}: no queries.{shown_ids([split])}.jsonl; choose a split that is "
            f"there: {shown_ids(others)}"
        )
    return found or _needed(folder, files, split, "queries.jsonl")


def _splits(files: set[str], pattern: re.Pattern[str]) -> list[str]:
    return sorted({match[1] for file in files if (match := pattern.fullmatch(file))})


def _needed(folder: Path, files: set[str], split: str, name: str) -> Path:
    if (found := _found(folder, files, name)) is None:
        raise CollectionError(
            f"{shown_path(folder)}: no {name}; a BEIR folder has corpus.jsonl, queries.jsonl "
            f"and qrels/{shown_ids([split])}.tsv"
        )
    return found


def _found(folder: Path, files: set[str], *names: str) -> Path | None:
    each = [file for name in names for file in (name, f"{name}.gz") if file in files]
    return folder / each[0] if each else None


def _qrels_file(folder: Path, files: set[str], split: str) -> Path | None:
    """Return the file with the judgements. `None` if the folder has no judgements at all."""
    found = _found(folder, files, f"qrels/{split}.tsv", f"qrels.{split}.tsv")
    others = _splits(files, _QRELS_FILE)
    if found is None and others:
        raise CollectionError(
            f"{shown_path(folder)}: no qrels/{shown_ids([split])}.tsv; choose a split that is "
            f"there: {shown_ids(others)}"
        )
    return found


def _of_split(
    questions: dict[str, str], judgements: Judgements, split: str
) -> tuple[dict[str, str], tuple[str, ...]]:
    """
    Return the questions of a split, and a note on the others.

    `queries.jsonl` of BEIR has the questions of all splits. To ask those of the others costs money
    and changes no number.
    """
    judged = {id_: text for id_, text in questions.items() if id_ in judgements}
    left_out = len(questions) - len(judged)
    if not judged or not left_out:
        return questions, ()
    note = (
        f"Questions without judgements in the split {shown_ids([split])}: {left_out:,} of "
        f"{len(questions):,}. They were left out."
    )
    return judged, (note,)
