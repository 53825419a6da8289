"""
Evaluations of invented models, for the tests of what is written and shown.

Each question has one relevant document, so that its nDCG@10 is a simple formula.
"""

from math import log2, sqrt
from random import Random
from statistics import mean, pstdev, quantiles

from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.evaluation import Evaluation
from openrouter_rerank.evaluation.result import (
    Agreement,
    HeldOut,
    Judging,
    ModelUse,
    Plan,
    PlanResult,
    Share,
    Step,
    Threshold,
    Verdict,
)
from openrouter_rerank.evaluation.settings import Settings

# For each model: its noise, dollars for 1,000 questions, and seconds, the latter two at depth 100.
MODELS = {
    "acme/rerank-lite": (0.62, 0.22, 0.19),
    "acme/rerank-fast": (0.36, 0.84, 0.34),
    "lab/rerank-pro-v2": (0.28, 2.1, 0.52),
    "lab/rerank-xl-8b": (0.2, 8.28, 1.42),
}
SHARE = Share(value=0.61, low=0.42, high=0.77)
CHECKED = Judging(
    judges=("acme/judge", "lab/second"),
    documents=2_819,
    questions=60,
    cost=0.26,
    agreement=Agreement(checked=40, agreed=34, precision=SHARE, missed=None, kappa=0.62),
)
FREE = {"local/lexical": (0.6, 0.0, 0.15), "local/minilm": (0.45, 0.0, 0.78)}
DEPTHS = (10, 20, 50, 100)
TOPICS = (
    *("refunds for broken parcels", "methionine in the diet of mice", "the tides of the Baltic"),
    *("how bees find flowers", "pensions of teachers", "steel bridges", "the price of copper"),
    *("sleep of infants", "sourdough bread", "court rulings on rent", "satellites near Mars"),
)
SENTENCES = (
    "The report of the committee covers {topic} and names what is still open.",
    "Most people who ask about {topic} want a short answer first.",
    "A study of 412 households found no link between {topic} and the weather.",
    "This page explains {topic} in plain words, with examples from three countries.",
    "Nothing here is about the question, but the words look similar at first.",
)


def example_evaluation(
    *,
    models=MODELS,
    depths=DEPTHS,
    questions=60,
    seed=3,
    kind="yes",
    two_step=True,
    rename=lambda text: text,
    **changes,
):
    """
    Return an evaluation of invented models.

    Args:
        models: Noise, price and seconds of each model.
        depths: The depths of the plans.
        questions: The number of questions.
        seed: The start of the random numbers.
        kind: The kind of the verdict.
        two_step: Whether there are plans of two steps.
        rename: Changes each id, question, document and model name.
        changes: Fields of the evaluation that have other values.
    """
    random = Random(seed)
    collection = _collection(random, questions, max(depths), rename)
    orders = {question: list(found) for question, found in collection.candidates.items()}
    scores = {
        rename(model): {
            question: {
                document: _score(random, collection, question, document, noise)
                for document in documents
            }
            for question, documents in orders.items()
        }
        for model, (noise, _, _) in models.items()
    }
    first = _result(collection, Plan(), orders)
    plans = []
    for model, (_, dollars, seconds) in models.items():
        for depth in depths:
            step = Step(model=rename(model), depth=depth)
            price = None if dollars is None else dollars * depth / max(depths)
            time = None if seconds is None else seconds * (0.3 + 0.7 * depth / max(depths))
            plan = Plan(steps=(step,))
            plans.append(
                _result(
                    collection,
                    plan,
                    _ordered(orders, step, scores),
                    first=first,
                    price=price,
                    seconds=time,
                )
            )
    if two_step and len(models) > 1:
        cheap, *_, strong = models
        for depth in depths[:2]:
            plan = Plan(
                steps=(
                    Step(model=rename(cheap), depth=max(depths)),
                    Step(model=rename(strong), depth=depth),
                )
            )
            found = orders
            for step in plan.steps:
                found = _ordered(found, step, scores)
            price = models[cheap][1] + models[strong][1] * depth / max(depths)
            plans.append(_result(collection, plan, found, first=first, price=price))
    single = [each for each in plans if len(each.plan.steps) == 1]
    best = max(single, key=lambda each: each.value)
    enough = [each for each in single if each.change >= 0.9 * best.change]
    recommended = min(enough, key=lambda each: (each.price_per_1000 or 0, each.plan.steps[0].depth))
    fields = {
        "collection": collection,
        "settings": Settings(models=tuple(map(rename, models)), depths=depths, two_step=two_step),
        "depths": depths,
        "questions": tuple(collection.questions),
        "first_stage": first,
        "plans": tuple(plans),
        "verdict": _verdict(kind, first, recommended),
        "recommended": recommended if kind == "yes" else None,
        "best": best,
        "frontier": _frontier(plans),
        "ceiling": {depth: _ceiling(collection, depth) for depth in depths},
        "found": 0.93,
        "held_out": HeldOut(mean=0.194, low=0.153, high=0.243, share_positive=1.0),
        "visible_change": 0.065,
        "questions_needed": 132,
        "thresholds": {
            model: _threshold(model, found, collection) for model, found in scores.items()
        },
        "uses": tuple(
            ModelUse(
                model=rename(model),
                questions=questions,
                failed=0,
                cost=None if dollars is None else dollars * questions / 1000,
                served_models=(rename(model),),
                providers=("Acme",),
                replays=True,
            )
            for model, (_, dollars, _) in models.items()
        ),
        "cost": 0.71,
        "notes": (
            "3 questions without a relevant document are left out of the averages.",
            "Of the first ten documents, 91 % have no judgement.",
        ),
        "is_complete": True,
    }
    return Evaluation(**fields | changes)


def _collection(random, questions, depth, rename):
    documents, topics = {}, {}
    for number in range(questions * 4 + depth):
        topic = topics[rename(f"d{number}")] = random.choice(TOPICS)
        text = " ".join(random.sample(SENTENCES, 4)).format(topic=topic)
        documents[rename(f"d{number}")] = rename(text)
    names = [*documents]
    texts, judgements, candidates = {}, {}, {}
    for number in range(questions):
        name = rename(f"q{number}")
        order = random.sample(names, depth)
        if random.random() < 0.93:
            relevant = order[min(depth - 1, int(random.expovariate(0.16)))]
            judgements[name] = {relevant: 1, order[depth // 2]: 0} | {relevant: 1}
        else:
            relevant = names[number]
            judgements[name] = {relevant: 1}
        texts[name] = rename(f"What is known about {topics[relevant]}?")
        candidates[name] = tuple(order)
    return Collection(
        name=rename("scifact"),
        questions=texts,
        documents=documents,
        judgements=judgements,
        candidates=candidates,
        first_stage="BM25",
    )


def _score(random, collection, question, document, noise):
    grade = collection.judgements[question].get(document, 0)
    raw = (0.75 if grade > 0 else 0.12) + random.gauss(0, noise * 0.55)
    return min(0.999, max(0.001, raw))


def _ordered(orders, step, scores):
    return {
        question: sorted(
            order[: step.depth], key=lambda document: -scores[step.model][question][document]
        )
        + order[step.depth :]
        for question, order in orders.items()
    }


def _result(collection, plan, orders, *, first=None, price=None, seconds=None):
    metric = {question: _ndcg(collection, question, order) for question, order in orders.items()}
    changes = (
        [value - first.per_question[question] for question, value in metric.items()]
        if first
        else [0.0]
    )
    change, error = mean(changes), pstdev(changes) / sqrt(len(changes))
    value = mean(metric.values())
    return PlanResult(
        plan=plan,
        value=value,
        change=change,
        interval=(change - 2.7 * error, change + 2.7 * error),
        p=min(1.0, 0.0001 + max(0.0, 0.5 - change * 5)),
        won=sum(each > 0 for each in changes),
        same=sum(each == 0 for each in changes),
        lost=sum(each < 0 for each in changes),
        measures={
            "nDCG@10": value,
            "MRR@10": value * 0.97,
            "R@10": min(1.0, value * 1.08),
            "Success@1": value * 0.8,
            "Judged@10": 0.09,
        },
        price_per_1000=price,
        seconds_p50=seconds,
        seconds_p95=None if seconds is None else seconds * 1.6,
        probes=0 if seconds is None else 20,
        per_question=metric,
        orders={question: tuple(order) for question, order in orders.items()},
    )


def _ndcg(collection, question, order):
    grades = collection.judgements[question]
    return sum(
        1 / log2(place + 1)
        for place, document in enumerate(order[:10], 1)
        if grades.get(document, 0) > 0
    )


def _ceiling(collection, depth):
    return mean(
        any(collection.judgements[question].get(document, 0) > 0 for document in order[:depth])
        for question, order in collection.candidates.items()
    )


def _frontier(plans):
    found, best = [], -1.0
    for each in sorted(plans, key=lambda each: (each.price_per_1000 or 0.0, -each.value)):
        if each.price_per_1000 is not None and each.value > best:
            found.append(each)
            best = each.value
    return tuple(found)


def _threshold(model, scores, collection):
    pairs = [
        (score, collection.judgements[question].get(document, 0) > 0)
        for question, found in scores.items()
        for document, score in found.items()
    ]
    relevant = tuple(score for score, is_relevant in pairs if is_relevant)
    others = tuple(score for score, is_relevant in pairs if not is_relevant)
    score = quantiles(relevant, n=20)[0] if len(relevant) > 1 else 0.5
    removed = sum(each < score for each in others) / len(others)
    return Threshold(
        model=model,
        depth=100,
        score=score,
        low=score * 0.8,
        high=score * 1.15,
        recall=0.95,
        recall_low=0.91,
        removed=removed,
        mean_left=(1 - removed) * 100,
        empty_questions=2,
        separates=removed > 0.5,
        reason=None if removed > 0.5 else "no clean separation",
        relevant_scores=relevant,
        other_scores=others,
    )


def _verdict(kind, first, recommended):
    before, after, name = f"{first.value:.3f}", f"{recommended.value:.3f}", recommended.plan.name
    gain = f"{name} lifts nDCG@10 from {before} to {after}"
    sentence = {
        "yes": f"Worth it: {gain} for $4.23 per 1,000 questions, and takes 0.59 s a question.",
        "no": f"Not worth it: no model is better than the first stage, whose nDCG@10 is {before}.",
        "unsure": f"Not sure: {gain}, but about 132 questions are needed to be sure.",
    }[kind]
    chosen = "chosen on one half, measured on the other: +0.194, above 0 in 100 % of 200 halves."
    return Verdict(
        kind=kind,
        sentence=sentence,
        small_print=f"95 % interval +0.148 to +0.247, p 0.0001, for all 18 plans; {chosen}",
    )
