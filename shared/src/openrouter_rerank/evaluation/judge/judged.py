"""An evaluation whose judgements are those of judges: what counts, and what is said of them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.analysis.number_formats import count, percent, price
from openrouter_rerank.evaluation.asking.total_cost import total_cost
from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.collection.errors import shown_ids
from openrouter_rerank.evaluation.result import Agreement, Judging, Share, Verdict
from openrouter_rerank.evaluation.settings import Settings

from .agreement import agreement
from .grades import Key
from .grading import Grading, gain

LEAST_PRECISION = 0.5
"""If less of what a judge calls relevant is relevant, its grades decide nothing."""
_LISTED = 50


def with_judges(found: Findings, grading: Grading, of_user: Mapping[Key, int]) -> Findings:
    """
    Return an evaluation with what its reader must know of the judges.

    Args:
        found: The evaluation of `judged_collection`.
        grading: The grades of the judges.
        of_user: Grades of the user, to check the judges.
    """
    if grading.grades and not grading.pairs:
        note = f"{_name(grading)} graded nothing: all that a plan shows first has a judgement."
        return replace(found, notes=(note, *found.notes), judging=_judging(grading, None))
    checked = agreement(grading.by_key(), of_user)
    return replace(
        found,
        verdict=_verdict(found, grading, checked),
        notes=(*_notes(found, grading, checked), *found.notes),
        cost=total_cost((found.cost, grading.cost)),
        is_complete=found.is_complete and not grading.unfinished,
        judging=_judging(grading, checked),
    )


def _judging(grading: Grading, checked: Agreement | None) -> Judging:
    return Judging(
        judges=grading.judges,
        documents=sum(map(len, grading.grades.values())),
        questions=len(grading.grades),
        cost=grading.cost,
        agreement=checked,
    )


def judged_collection(collection: Collection, grading: Grading) -> Collection:
    """Return the collection with the grades. Questions that are not judged have no judgements."""
    return replace(
        collection,
        judgements={
            question: {
                **{document: gain(grade) for document, grade in grades.items()},
                **collection.judgements.get(question, {}),
            }
            for question, grades in grading.grades.items()
        },
    )


def family_warnings(settings: Settings) -> list[str]:
    """Return a sentence for each judge that has the same maker as a model."""
    return [
        f"{judge} judges {', '.join(models)} of the same maker: judges may favour models like"
        " themselves. Choose a judge of another maker."
        for judge in settings.judge
        if (models := [model for model in settings.models if _maker(model) == _maker(judge)])
    ]


def _maker(slug: str) -> str:
    return slug.removeprefix("~").partition("/")[0].casefold()


def _name(grading: Grading) -> str:
    return " and ".join(grading.judges)


def _verdict(found: Findings, grading: Grading, checked: Agreement | None) -> Verdict:
    name, verdict = _name(grading), found.verdict
    how = "unchecked"
    if checked is not None:
        how = f"which agreed with you on {checked.agreed:,} of {checked.checked:,}"
    kind, sentence = verdict.kind, verdict.sentence
    if not found.questions:
        kind, sentence = "unsure", f"Not sure: {_nothing(grading)}"
    if checked is not None and checked.precision and checked.precision.value < LEAST_PRECISION:
        kind = "unsure"
        calls, cure = "they call", "stronger judges"
        if not grading.judges[1:]:
            calls, cure = "it calls", "a stronger judge, or a second one that confirms it"
        sentence = (
            f"Not sure: of what {calls} relevant, only {percent(checked.precision.value)} is"
            f" relevant to you. Use {cure}."
        )
    return replace(verdict, kind=kind, sentence=f"According to {name}, {how}: {sentence}")


def _nothing(grading: Grading) -> str:
    if grading.grades:
        return "no question that it has judged has a relevant document."
    return "no question is judged. Run the command again."


def _notes(found: Findings, grading: Grading, checked: Agreement | None) -> Iterator[str]:
    name = _name(grading)
    documents = sum(map(len, grading.grades.values()))
    cost = "an unknown price" if grading.cost is None else price(grading.cost)
    yield (
        f"{name} graded {count(documents, 'document')} of {count(len(grading.grades), 'question')}"
        f" ({cost}): all that a plan shows among its first 10 and that have no judgement."
    )
    if len(grading.judges) == 1:
        yield (
            "A single judge calls many documents relevant that are not, so a gain can look smaller"
            " than it is. A second --judge confirms what the first calls relevant."
        )
    yield from family_warnings(found.settings)
    yield from _about_agreement(grading, checked)
    if nothing := _without_relevant(found.collection, grading):
        yield (
            f"{name} found no relevant document for {count(len(nothing), 'question')}, which"
            f" do not count: {_listed(nothing)}."
        )
    if grading.unfinished:
        yield (
            f"{count(len(grading.unfinished), 'question')} could not be judged completely and"
            f" do not count: {_listed(sorted(grading.unfinished))}."
        )
    if grading.ungraded:
        yield (
            f"The replies about {count(grading.ungraded, 'document')} had no grade. They count as"
            " not relevant."
        )
    for judge, (failed, message) in grading.failures.items():
        yield f"{judge} failed for {count(failed, 'document')}: {message}"


def _about_agreement(grading: Grading, checked: Agreement | None) -> Iterator[str]:
    name = _name(grading)
    if checked is None:
        yield f"You have not checked {name}. Grade some documents yourself with --check."
        return
    kappa = "" if checked.kappa is None else f" (Cohen's kappa {checked.kappa:.2f})"
    sentence = (
        f"You graded {count(checked.checked, 'document')}, and {name} agreed with you on"
        f" {checked.agreed:,} whether they are relevant{kappa}."
    )
    calls, misses = ("they call", "They miss") if grading.judges[1:] else ("it calls", "It misses")
    if checked.precision is not None:
        sentence += f" Of what {calls} relevant, {_share(checked.precision)} is."
    if checked.missed is not None:
        sentence += f" {misses} {_share(checked.missed)} of what is relevant."
    yield sentence


def _share(share: Share) -> str:
    interval = f"{percent(share.low)} to {percent(share.high)}"
    return f"{percent(share.value)} (95 % interval {interval})"


def _without_relevant(collection: Collection, grading: Grading) -> list[str]:
    """Return the judged questions without a relevant document."""
    return [
        question
        for question in grading.grades
        if not any(each > 0 for each in collection.judgements.get(question, {}).values())
    ]


def _listed(ids: list[str]) -> str:
    found = ", ".join(shown_ids([each]) for each in ids[:_LISTED])
    return found if len(ids) <= _LISTED else f"{found}, and {len(ids) - _LISTED:,} more"
