"""
The sentences of the report that say what its numbers mean.
"""

from openrouter_rerank.evaluation.analysis import number_formats as people
from openrouter_rerank.evaluation.analysis.findings import Findings

from .markup import Markup, element


def how_to_read(findings: Findings) -> Markup:
    """Return the notes that are not at the start of the report, and what its numbers mean."""
    sentences = [
        *(note for note in findings.notes if note not in findings.warnings),
        *(_explanations(findings) if findings.questions else []),
    ]
    items = [element("li", people.unbroken(each), dir="auto") for each in sentences]
    return element("ul", *items)


def _explanations(findings: Findings) -> list[str]:
    settings, held_out = findings.settings, findings.held_out
    found, keep = people.percent(findings.found), people.percent(settings.keep)
    cannot_help = " Reranking cannot help the others." if findings.found < 1 else ""
    luckiest = "a plan that is only the luckiest of many does not count as better."
    p = (
        "p is the probability that chance alone makes the change of the best of all plans so "
        "large. Under 0.05, chance does not explain it, and 0 is not in the interval."
    )
    sentences = [
        f"{found} of the questions have a relevant document among their candidates.{cannot_help}",
        p,
        f"The intervals and p hold for {_all_plans(findings)} together: {luckiest}",
    ]
    if _names_only_candidates(findings):
        sentences.append(
            "All relevant documents are among the candidates. If the data name no others, as in a "
            ".jsonl file with candidates, the perfect order covers only the given candidates, and "
            "not what the retriever has missed."
        )
    if held_out is not None:
        low, high = people.change(held_out.low), people.change(held_out.high)
        sentences.append(
            "If the plan is chosen on one half of the questions and measured on the other, the "
            f"gain is {people.change(held_out.mean)} on average, and from {low} to {high} in 90 % "
            "of the halves. Expect this gain, not the one of the table."
        )
    if findings.visible_change is not None:
        smallest = people.quality(findings.visible_change)
        number = people.count(len(findings.questions), "question")
        sentences.append(
            f"With {number}, a change of {smallest} or more is noticed in at least 80 % of the "
            "cases, and smaller ones are often missed."
        )
    sentences.append(
        f"The recommended plan is the cheapest plan of one model with at least {keep} of the "
        f"largest gain, and with a gain of {settings.worth:g} if any plan has it. It is marked "
        'only if the verdict is "worth it". Otherwise the plan chosen in this way is called "best '
        f'so far". A gain under {settings.worth:g} counts as not worth it.'
    )
    sentences.append(
        "Documents without a judgement count as not relevant. A model that finds good documents "
        "without a judgement looks worse than it is."
    )
    probes = max((each.probes for each in findings.plans), default=0)
    if probes:
        sentences.append(
            f"The times are those of {people.count(probes, 'question')} at most, asked one at a "
            "time, from this computer at that hour. Their p95 is one of the slowest of them."
        )
    return sentences


def _names_only_candidates(findings: Findings) -> bool:
    collection = findings.collection
    return all(
        grade <= 0 or document in collection.candidates.get(question, ())
        for question in findings.questions
        for document, grade in collection.judgements.get(question, {}).items()
    )


def _all_plans(findings: Findings) -> str:
    number = len(findings.plans)
    return f"all {number:,} plans" if number > 1 else "all plans"
