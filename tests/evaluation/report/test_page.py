"""The report: its parts, their order, and its texts."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from openrouter_rerank.evaluation.report.page.notebook import notebook_html
from openrouter_rerank.evaluation.report.page.page import report_html, style_sheet

from tests.evaluation.example_evaluations import CHECKED, FREE, example_evaluation

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</style></title></svg><h1>",
    "\x1b[31m\x00",
    "\N{RIGHT-TO-LEFT OVERRIDE}abc",
    "&lt;b&gt;",
)


class Structure(HTMLParser):
    """Reads the names of elements, the headings, and all texts outside of styles."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.headings, self.texts, self.attributes = [], [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Keep an element."""
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag != "meta":
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((tag, ""))

    def handle_endtag(self, tag):
        """Every element ends where it should."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Keep a text, and that of a heading."""
        if self.open and self.open[-1] != "style":
            self.texts.append(data)
        if self.headings and any(re.fullmatch("h[1-6]", tag) for tag in self.open):
            tag, text = self.headings.pop()
            self.headings.append((tag, text + data))


@pytest.fixture(scope="module")
def evaluation():
    """An evaluation with data for all parts."""
    return example_evaluation()


def test_the_parts_are_in_order(evaluation):
    """The verdict is first, then the plans, charts, thresholds, examples, help and command."""
    html = report_html(evaluation, command="openrouter-rerank evaluate data", date="1 May 2026")
    found = Structure(html)

    assert [text for tag, text in found.headings if tag in {"h1", "h2"}] == [
        "Is reranking worth it on scifact?",
        "✓Worth it",
        "The plans",
        "Quality, price and time",
        "A threshold for the score",
        "Examples",
        "How to read this report",
        "What was asked",
        "The command",
    ]
    assert [text for tag, text in found.headings if tag == "h3"] == [
        "Quality against price",
        "Quality against time",
        "Quality against depth",
        "Question by question",
        "Scores of rerank-pro-v2",
        "Scores of rerank-xl-8b",
        "Largest gains",
        "Largest losses",
    ]
    assert html.count("<dt>") == 5
    assert "1 May 2026" in html


def test_the_judge_has_a_part_of_its_own():
    """The page has the names, the number of documents, the price, and what the user found."""
    texts = Structure(report_html(example_evaluation(judging=CHECKED))).texts
    part = " ".join(texts[texts.index("The judge") : texts.index("Quality, price and time")])

    assert "2 chat models graded the documents that have no judgement" in part
    assert "acme/judge , confirmed by  lab/second" in part
    for shown in ("2,819", "$0.26", "34 of 40", "Cohen's kappa 0.62", "61 %", "42 % to 77 %"):
        assert shown in part.replace("\N{NO-BREAK SPACE}", " ")


def test_an_unchecked_judge_is_called_so():
    """If the user has checked nothing, the page says how to do it."""
    unchecked = replace(CHECKED, judges=("acme/judge",), agreement=None, cost=None)
    texts = Structure(report_html(example_evaluation(judging=unchecked))).texts
    part = " ".join(texts[texts.index("The judge") : texts.index("Quality, price and time")])

    assert "1 chat model graded" in part
    assert "You have not checked these grades: --check lets you grade some documents" in part
    assert "not checked" in part
    assert "unknown" in part


def test_the_heading_and_the_sentence_do_not_say_the_same(evaluation):
    """The word of the heading is not in the sentence, also if it names a judge first."""
    sentence = f"According to acme/judge, unchecked: {evaluation.verdict.sentence}"
    html = report_html(replace(evaluation, verdict=replace(evaluation.verdict, sentence=sentence)))

    assert sentence.count("Worth it: ") == 1
    assert "Worth it: " not in html
    assert "According to acme/judge, unchecked: lab/rerank-pro-v2 @20 lifts" in html


def test_the_report_has_no_script_and_no_address(evaluation):
    """The file has no script, no handler, no link and no address, and its policy forbids them."""
    html = report_html(evaluation)
    found = Structure(html)

    assert {"script", "link", "a", "img", "iframe", "object", "form", "base"}.isdisjoint(found.tags)
    assert not [name for name in found.attributes if name.startswith("on")]
    assert {"href", "src", "xlink:href", "srcset"}.isdisjoint(found.attributes)
    assert 'content="default-src &#x27;none&#x27;; style-src &#x27;unsafe-inline&#x27;"' in html
    assert "://" not in html
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_texts_are_shown_as_text(hostile):
    """Names, ids, questions and documents with markup add no element and no attribute."""
    plain = example_evaluation()
    evaluation = example_evaluation(rename=lambda text: f"{text}{hostile}")
    sentence = f"{plain.verdict.sentence}{hostile}"
    evaluation = replace(
        evaluation,
        verdict=replace(evaluation.verdict, sentence=sentence),
        notes=(hostile, hostile * 2),
    )
    expected, found = (
        Structure(report_html(each, command=f"evaluate {name}"))
        for each, name in ((plain, ""), (evaluation, hostile))
    )

    assert set(found.tags) == set(expected.tags)
    assert set(found.attributes) == set(expected.attributes)
    html = report_html(evaluation, command=hostile)
    assert "\x1b" not in html
    assert "\x00" not in html
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in html


def test_half_of_a_surrogate_pair_can_be_written():
    """Bytes of the command line that are no UTF-8 become such halves; the report is UTF-8."""
    html = report_html(example_evaluation(notes=("note \ud800",)), command="evaluate \udcff")

    assert "note �" in html
    assert html.encode("utf-8")


@pytest.mark.parametrize(
    ("kind", "heading"),
    [("yes", "✓Worth it"), ("no", "✕Not worth it"), ("unsure", "?Not sure")],
)
def test_the_verdict_is_a_word_and_a_sign(kind, heading):
    """The verdict does not depend on its colour, and is the second heading."""
    found = Structure(report_html(example_evaluation(kind=kind)))

    assert found.headings[1] == ("h2", heading)


def test_the_word_of_the_verdict_is_not_repeated():
    """The sentence of the verdict begins after the words that the heading has already."""
    html = report_html(example_evaluation(kind="no"))

    assert html.count("Not worth it") == 1
    assert ">No model is better than" in html


def test_parts_without_data_are_left_out():
    """Without plans there are no tables, charts, thresholds and examples, and no error."""
    evaluation = example_evaluation(
        kind="no",
        plans=(),
        best=None,
        recommended=None,
        frontier=(),
        ceiling={},
        thresholds={},
        uses=(),
        held_out=None,
        is_complete=False,
        cost=None,
    )
    found = Structure(report_html(evaluation))

    assert [text for tag, text in found.headings if tag == "h2"] == [
        "✕Not worth it",
        "How to read this report",
    ]
    assert "svg" not in found.tags
    assert any("incomplete" in text for text in found.texts)


def test_a_time_that_was_not_measured_is_said():
    """Without probes, the report says that the time was not measured, and explains no times."""
    models = {model: (noise, price, None) for model, (noise, price, _) in FREE.items()}
    texts = Structure(report_html(example_evaluation(models=models, two_step=False))).texts

    assert "not measured" in texts
    assert "free" in texts
    assert not [text for text in texts if text.startswith("The times are")]


def test_a_threshold_that_separates_nothing_says_why():
    """A model without a threshold has the reason in the table."""
    evaluation = example_evaluation()
    thresholds = {
        model: replace(each, score=None, reason="only 3 relevant candidates")
        for model, each in evaluation.thresholds.items()
    }
    texts = Structure(report_html(replace(evaluation, thresholds=thresholds))).texts

    assert texts.count("only 3 relevant candidates") >= len(thresholds)


def test_numbers_that_are_not_finite_are_dashes():
    """A metric, an interval and a p that are not finite do not stop the report."""
    nan = float("nan")
    evaluation = example_evaluation()
    plans = tuple(replace(each, interval=(nan, nan), p=nan) for each in evaluation.plans)

    assert "nan" not in " ".join(Structure(report_html(replace(evaluation, plans=plans))).texts)


def colours(css):
    """Return the colours of each block of the style sheet that defines `--page`."""
    blocks = re.findall(r"{([^{}]*--page:[^{}]*)}", css)
    return [dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in blocks]


def contrast(one, other):
    """Return the contrast of two colours as WCAG defines it."""

    def luminance(colour):
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_all_texts_have_contrast():
    """Light and dark, each colour of text has a contrast of 4.5 on what is behind it."""
    light, dark, *_ = colours(style_sheet("page.css"))
    for scheme in (light, dark):
        for text in ("text", "muted", "gain", "loss", *(f"c{index}" for index in range(6))):
            assert contrast(scheme[text], scheme["card"]) >= 4.5, text
        for kind in ("gain", "loss", "unsure"):
            assert contrast(scheme[kind], scheme[f"{kind}-card"]) >= 4.5, kind
        for behind in ("page", "gain-card", "mark"):
            assert contrast(scheme["text"], scheme[behind]) >= 7, behind
        assert contrast(scheme["muted"], scheme["page"]) >= 4.5


def test_what_is_missing_is_near_the_heading(evaluation):
    """Notes about missing data are between the verdict and the numbers, and not repeated."""
    warning = "7 candidates are not among the documents."
    found = replace(evaluation, warnings=(warning,), notes=(warning, *evaluation.notes))
    texts = Structure(report_html(found)).texts

    assert texts.count(warning) == 1
    assert warning in Structure(notebook_html(found)).texts
    assert texts.index("Worth it") < texts.index(warning) < texts.index("The plans")
    assert all(note in " ".join(texts).replace("\N{NO-BREAK SPACE}", " ") for note in found.notes)


def test_a_local_scorer_is_named_in_the_heading(evaluation):
    """If a local scorer has answered, the page and the notebook say so before the numbers."""
    use = replace(
        evaluation.uses[0],
        served_models=("local/lexical",),
        providers=("local scorer (not OpenRouter)",),
    )
    found = replace(evaluation, uses=(use,))
    expected = "answered by local/lexical, local scorer (not OpenRouter)"

    texts = Structure(report_html(found)).texts
    assert texts.index(expected) < texts.index("Worth it")
    assert expected in Structure(notebook_html(found)).texts
    assert "answered by" not in report_html(evaluation)


@pytest.mark.parametrize(
    ("replays", "is_checked", "is_estimate", "shown"),
    [
        (True, True, False, "computed from the largest, equal in probes"),
        (True, False, False, "computed from the largest, not checked by probes"),
        (False, True, False, "asked"),
        (False, False, True, "estimated from the largest"),
    ],
)
def test_the_page_says_where_smaller_depths_come_from(
    evaluation, replays, is_checked, is_estimate, shown
):
    """They were computed and checked, computed without a check, asked, or estimated."""
    use = replace(evaluation.uses[0], replays=replays, is_checked=is_checked)
    plans = tuple(replace(each, is_estimate=is_estimate) for each in evaluation.plans)
    texts = Structure(report_html(replace(evaluation, uses=(use,), plans=plans))).texts

    assert shown in texts
    assert ("estimate" in texts) == is_estimate


def test_the_page_explains_p(evaluation):
    """The part for readers says what p is."""
    assert "p is the probability that chance alone" in report_html(evaluation)


@pytest.mark.parametrize("kind", ["no", "unsure"])
def test_no_plan_is_called_recommended_unless_reranking_is_worth_it(evaluation, kind):
    """The tiles call it the best so far, and no row, point or badge is marked."""
    found = replace(evaluation, verdict=replace(evaluation.verdict, kind=kind))
    texts = Structure(report_html(found)).texts

    assert "nDCG@10: first stage → best so far" in texts
    assert "recommended" not in texts
    assert "recommended" in Structure(report_html(evaluation)).texts


def test_without_a_question_there_are_no_numbers(evaluation):
    """Zeros would look like a result, so the page has only the verdict, notes and models."""
    found = replace(evaluation, questions=())

    headings = [text for tag, text in Structure(report_html(found)).headings]
    assert headings[2:] == ["How to read this report", "What was asked"]
    assert "<table" not in notebook_html(found)
    assert "<table" in notebook_html(evaluation)


@pytest.mark.parametrize(("share", "is_said"), [(1.0, False), (0.75, True)])
def test_questions_that_reranking_cannot_help_are_named_only_if_there_are_any(
    evaluation, share, is_said
):
    """If each question has a relevant candidate, there are no others."""
    page = report_html(replace(evaluation, found=share))

    assert ("Reranking cannot help the others." in page) is is_said


@pytest.mark.parametrize("is_everything", [True, False])
def test_a_ceiling_of_given_candidates_alone_is_said(evaluation, is_everything):
    """If all relevant documents are candidates, the perfect order may cover only these."""
    collection = evaluation.collection
    judgements = {
        question: {collection.candidates[question][3]: 1} for question in collection.questions
    }
    if not is_everything:
        judgements[evaluation.questions[5]] = {"elsewhere": 1}
    found = replace(evaluation, collection=replace(collection, judgements=judgements))

    text = "the perfect order covers only the given candidates"
    assert (text in report_html(found)) is is_everything
