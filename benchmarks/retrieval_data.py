"""
Read test collections for retrieval, in the format of BEIR.

A collection is a folder with `corpus.jsonl`, `queries.test.jsonl` and `qrels.test.tsv`. XQuAD, the
collection in several languages, has one such folder for each language. Folders may be packed:
`xquad.tar.gz` is read like `xquad/`.

The collections are not part of the project. `--data`, or the environment variable
`RETRIEVAL_DATA`, names the folder that has them.
"""

import csv
import json
import os
import tarfile
from argparse import ArgumentParser
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

VARIABLE = "RETRIEVAL_DATA"


class Document(NamedTuple):
    """A document of a collection. In XQuAD, paragraphs of one article have the same title."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents by id, queries by id, and which documents answer which query."""

    documents: dict[str, Document]
    queries: dict[str, str]
    relevant: dict[str, set[str]]
    """The ids of relevant documents by the id of a query."""


def add_data_argument(parser: ArgumentParser) -> None:
    """Add the option that names the folder of the collections."""
    default = os.environ.get(VARIABLE)
    parser.add_argument("--data", type=Path, default=default, help=f"default: ${VARIABLE}")


def required(folder: Path | None, *names: str) -> Path:
    """Return `folder`. If it lacks one of the collections, say so and end the program with 0."""
    if folder is None:
        print(f"Nothing measured: pass the folder of the collections as --data, or set {VARIABLE}.")
        raise SystemExit(0)
    missing = [name for name in names if not (_archive(folder, name) or (folder / name).is_dir())]
    if missing:
        print(f"Nothing measured: {folder} does not contain {', '.join(missing)}.")
        raise SystemExit(0)
    return folder


def read_collection(folder: Path, name: str) -> Collection:
    """
    Read a collection.

    Args:
        folder: The folder of all collections.
        name: For example `"scifact-mini"`, or `"xquad/de"`.
    """
    documents = [*map(json.loads, _lines(folder, f"{name}/corpus.jsonl"))]
    queries = [*map(json.loads, _lines(folder, f"{name}/queries.test.jsonl"))]
    relevant: defaultdict[str, set[str]] = defaultdict(set)
    for query, document, score in csv.reader(
        _lines(folder, f"{name}/qrels.test.tsv")[1:], delimiter="\t"
    ):
        if int(score) > 0:
            relevant[query].add(document)
    return Collection(
        {
            document["_id"]: Document(document.get("title", ""), document["text"])
            for document in documents
        },
        {query["_id"]: query["text"] for query in queries},
        dict(relevant),
    )


def languages(folder: Path, name: str) -> list[str]:
    """Return the names of the collections of a collection in several languages."""
    archive = _archive(folder, name)
    if archive is None:
        found = {f"{name}/{path.parent.name}" for path in (folder / name).glob("*/corpus.jsonl")}
    else:
        with tarfile.open(archive) as tar:
            found = {
                str(Path(member).parent)
                for member in tar.getnames()
                if member.endswith("/corpus.jsonl")
            }
    return sorted(found)


def _archive(folder: Path, name: str) -> Path | None:
    archive = folder / f"{name.partition('/')[0]}.tar.gz"
    return archive if archive.is_file() else None


def _lines(folder: Path, path: str) -> list[str]:
    archive = _archive(folder, path)
    if archive is None:
        return (folder / path).read_text(encoding="utf-8").strip().split("\n")
    with tarfile.open(archive) as tar:
        member = tar.extractfile(path)
        if member is None:
            raise FileNotFoundError(f"{archive} has no file {path}")
        return member.read().decode().strip().split("\n")
