"""
Questions, documents, judgements and candidates: what an evaluation works on.
"""

import os
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from . import checks as data_checks
from .contents import NO_CANDIDATES, Contents
from .errors import CollectionError, shown_ids

__all__ = ["Collection", "CollectionError", "FilePath"]

FilePath: TypeAlias = str | os.PathLike[str]


class _Count(str):
    """A note that the constructor made. A copy with other data makes its own."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Collection:
    """
    A test collection, complete in memory. Use `from_beir`, `from_jsonl` or `from_trec` for files.

    All keys are ids, which are strings. `questions` keeps its order.

    Judgements and candidates of questions that are not in `questions` are left out, and so are
    candidates that are not in `documents`; `notes` says how many.

    Raises:
        CollectionError: If an argument has a wrong type or value, a question is blank, a list of
            candidates has a document twice, or ids do not match. Ids do not match if none of the
            judged questions is in `questions`, or none of the documents is in `documents`.
    """

    name: str
    """The name in reports, such as that of the folder."""
    questions: Mapping[str, str]
    """The text of each question."""
    documents: Mapping[str, str]
    """The text of each document, as it is sent to a model."""
    judgements: Mapping[str, Mapping[str, int]] = field(
        default_factory=dict[str, Mapping[str, int]]
    )
    """The grade of a document for a question; above 0 is relevant. By question, then document."""
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The documents of the first stage for each question, best first."""
    first_stage: str = NO_CANDIDATES
    """What made the candidates, for the report."""
    notes: tuple[str, ...] = ()
    """Sentences about the data for the report, such as questions without judgements."""

    def __post_init__(self) -> None:
        questions = data_checks.checked_questions(self.questions)
        documents = data_checks.checked_documents(self.documents)
        judgements, unknown = data_checks.checked_judgements(self.judgements, questions, documents)
        candidates, left_out = data_checks.checked_candidates(self.candidates, questions, documents)
        _fill(
            self,
            name=data_checks.checked_name("name", self.name),
            questions=questions,
            documents=documents,
            judgements=judgements,
            candidates=candidates,
            first_stage=data_checks.checked_name("first_stage", self.first_stage),
            notes=(*data_checks.checked_notes(self.notes), *unknown, *left_out),
        )

    @classmethod
    def from_beir(
        cls,
        path: FilePath,
        *,
        split: str = "test",
        qrels: FilePath | None = None,
        run: FilePath | None = None,
        with_documents: bool = True,
    ) -> Self:
        """
        Read a folder with `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.

        `queries.SPLIT.jsonl` and `qrels.SPLIT.tsv` are found too, and each file may have `.gz` at
        its end. A folder without judgements is read too. The text of a document is its title, a
        newline, and its text.

        Args:
            path: The folder.
            split: The part of the collection. Questions of other parts are left out.
            qrels: A file with judgements that is used instead of that of the split: of 3 columns as
                in BEIR, or of 4 as in TREC. Then no question is left out.
            run: A run of TREC with the candidates.
            with_documents: `False` does not read `corpus.jsonl`, which may be missing: for an
                evaluation with a retriever, which returns the texts itself.

        Raises:
            CollectionError: If a file is missing or cannot be used.
        """
        from .beir import beir_contents

        return cls._of(
            beir_contents(path, split=split, qrels=qrels, run=run, with_documents=with_documents)
        )

    @classmethod
    def from_jsonl(cls, path: FilePath) -> Self:
        """
        Read a file with one question in each line, and its candidates, best first.

        A line is `{"id"?, "query", "candidates": [...]}`. A candidate is a text, or
        `{"id"?, "text", "relevance"?, "score"?}`. Without an id, the text is the id.

        Raises:
            CollectionError: If the file cannot be used.
        """
        from .jsonl import jsonl_contents

        return cls._of(jsonl_contents(path))

    @classmethod
    def from_trec(
        cls,
        *,
        corpus: FilePath,
        queries: FilePath,
        run: FilePath | None = None,
        qrels: FilePath | None = None,
    ) -> Self:
        """
        Read documents, questions, a run and judgements from separate files.

        Args:
            corpus: Documents as in BEIR, or a `.tsv` file with an id and a text in each line.
            queries: Questions in the same formats.
            run: Candidates: 6 columns, ordered by score; documents with the same score keep the
                order of the file.
            qrels: Judgements of 4 columns, or of 3 as in BEIR.

        Raises:
            CollectionError: If a file cannot be used.
        """
        from .trec import trec_contents

        return cls._of(trec_contents(corpus=corpus, queries=queries, run=run, qrels=qrels))

    def only(self, questions: Iterable[str]) -> Self:
        """
        Return the collection with some of its questions, in its own order, and all documents.

        Raises:
            CollectionError: If none of the ids is that of a question.
        """
        kept = {*self.questions}.intersection(questions)
        if not kept:
            raise CollectionError(
                f"questions must have the id of a question: {shown_ids(self.questions)}"
            )
        # The constructor is not called, because it may refuse a part of a collection as
        # inconsistent.
        part = copy(self)
        _fill(
            part,
            questions={id_: text for id_, text in self.questions.items() if id_ in kept},
            judgements={id_: each for id_, each in self.judgements.items() if id_ in kept},
            candidates={id_: each for id_, each in self.candidates.items() if id_ in kept},
            notes=self.notes,
        )
        return part

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(name={self.name!r}, {len(self.questions):,} questions, "
            f"{len(self.documents):,} documents, first_stage={self.first_stage!r})"
        )

    @classmethod
    def _of(cls, contents: Contents) -> Self:
        return cls(
            name=contents.name,
            questions=contents.questions,
            documents=contents.documents,
            judgements=contents.judgements,
            candidates=contents.candidates,
            first_stage=contents.first_stage,
            notes=contents.notes,
        )


def _fill(collection: Collection, *, notes: tuple[str, ...], **values: object) -> None:
    """Set attributes, and count again what the notes must say."""
    for name, value in values.items():
        object.__setattr__(collection, name, value)
    counts = data_checks.counts(
        collection.questions, collection.documents, collection.judgements, collection.candidates
    )
    given = [note for note in notes if not isinstance(note, _Count)]
    object.__setattr__(collection, "notes", tuple(dict.fromkeys([*given, *map(_Count, counts)])))
