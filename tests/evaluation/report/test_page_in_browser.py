"""The report and the notebook in Chromium, wide and narrow, light and dark, and on paper."""

from contextlib import contextmanager
from dataclasses import replace
from functools import cache

import pytest
from openrouter_rerank.evaluation.report.page.notebook import notebook_html
from openrouter_rerank.evaluation.report.page.page import report_html

from tests.evaluation.example_evaluations import CHECKED, FREE, MODELS, example_evaluation

DESKTOP, PHONE = 1280, 390
# The width of A4 paper without its margins.
A4 = 688
SCRIPT = "<script>alert(1)</script>"
LONG = "".join("nvidia/llama-nemotron-rerank-vl-1b-v2:free-" for _ in range(4))
EVALUATIONS = {
    "complete": example_evaluation,
    "free": lambda: example_evaluation(models=FREE, kind="unsure", two_step=False),
    "worse": lambda: example_evaluation(
        models={**FREE, **MODELS}, kind="no", is_complete=False, judging=CHECKED
    ),
    "hostile": lambda: example_evaluation(
        models={f"{model}{LONG}": each for model, each in MODELS.items()},
        rename=lambda text: f"{text}{SCRIPT}" + "x" * 200,
        questions=20,
    ),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Returns the file of a report, given the name of an evaluation."""

    @cache
    def report(name):
        file = tmp_path_factory.mktemp("report") / "report.html"
        command = f"openrouter-rerank evaluate data --model {LONG}"
        file.write_text(report_html(EVALUATIONS[name](), command=command), encoding="utf-8")
        return file

    return report


@contextmanager
def opened(browser, file, *, width=DESKTOP, scheme="light"):
    """A page with the file, which requests nothing else and writes no message."""
    with browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        requests, messages = [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("dialog", lambda dialog: (messages.append(dialog.message), dialog.dismiss()))
        page.goto(file.as_uri())
        yield page
        assert requests == [file.as_uri()]
        assert messages == []


def open_all(page):
    """Open all parts that a click opens."""
    page.locator("details:not([open]) > summary").evaluate_all(
        "summaries => summaries.forEach(each => each.parentElement.open = true)"
    )


def misplaced(page):
    """Return the cells of tables that are not below the heading of their column."""
    return page.evaluate(
        """() => [...document.querySelectorAll("table")].flatMap(table => {
            const right = cell => Math.round(cell.getBoundingClientRect().right);
            const cells = row => [...row.children].filter(cell => cell.offsetWidth);
            const [head, ...rows] = [...table.rows].map(cells);
            return rows.flatMap(row => row.filter(
                (cell, column) => !head[column] || right(cell) !== right(head[column])
            )).map(cell => cell.textContent);
        })"""
    )


def serious(results):
    """Return what axe found that hinders readers."""
    return [
        (violation["id"], node["target"], node["failureSummary"])
        for violation in results.response["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("complete", DESKTOP, "light"),
        ("complete", DESKTOP, "dark"),
        ("complete", PHONE, "light"),
        ("complete", PHONE, "dark"),
        ("free", DESKTOP, "light"),
        ("free", PHONE, "dark"),
        ("worse", DESKTOP, "dark"),
        ("worse", PHONE, "light"),
    ],
)
def test_the_report_can_be_read_by_everyone(browser, report, name, width, scheme):
    """No text is too pale, no table without headings, no chart without a description."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with opened(browser, report(name), width=width, scheme=scheme) as page:
        open_all(page)

        results = axe.Axe().run(page)

        assert serious(results) == []
        assert len(results.response["passes"]) > 15


@pytest.mark.parametrize("name", ["complete", "hostile"])
def test_the_report_never_scrolls_sideways(browser, report, name):
    """The page is as wide as the window, on a desktop and on a phone, with any names."""
    with opened(browser, report(name)) as page:
        open_all(page)
        for width in (DESKTOP, 1024, 800, PHONE, 320):
            page.set_viewport_size({"width": width, "height": 900})

            assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_plan_has_its_price_and_time_in_a_small_window(browser, report):
    """In a window of a tablet, the short table is seen without scrolling, and all of a phone."""
    with opened(browser, report("complete")) as page:
        for width in (1100, 1000, 900, 800, 761, PHONE):
            page.set_viewport_size({"width": width, "height": 900})
            frame = page.locator(".scroll").first

            assert frame.evaluate("each => each.scrollWidth - each.clientWidth") == 0
            assert frame.locator("tr.recommended td").last.is_visible()


def test_markup_of_documents_is_shown_as_text(browser, report):
    """A reader sees the script of a document as text, and it does not run."""
    with opened(browser, report("hostile")) as page:
        open_all(page)

        assert page.get_by_text(SCRIPT).first.is_visible()
        assert page.locator("script").count() == 0


@pytest.mark.parametrize("name", ["complete", "free", "worse"])
def test_the_verdict_is_seen_first(browser, report, name):
    """On a phone, the verdict and its sentence are in the window without scrolling."""
    with opened(browser, report(name), width=PHONE) as page:
        for part in (".verdict h2", ".verdict .sentence"):
            box = page.locator(part).bounding_box()
            assert box["y"] + box["height"] < 600


def test_rows_are_cards_on_a_phone(browser, report):
    """On a phone, the numbers of a plan are below its name, each with its heading."""
    with opened(browser, report("complete"), width=PHONE) as page:
        row = page.locator("tr.recommended").first
        name = row.locator("th").bounding_box()
        cells = row.locator("td:visible").all()
        boxes = [cell.bounding_box() for cell in cells]

        assert [box["x"] for box in boxes] == [boxes[0]["x"]] * len(boxes)
        assert name["y"] + name["height"] <= boxes[0]["y"] + 1
        heading = "getComputedStyle(cell, '::before').content"
        assert cells[0].evaluate(f"cell => {heading}") == '"nDCG@10"'


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_is_white_and_shows_everything(browser, report, scheme):
    """In print, the page is light, and what a click opens on a screen is there."""
    with opened(browser, report("complete"), scheme=scheme) as page:
        page.emulate_media(media="print")
        body = page.evaluate("getComputedStyle(document.body).backgroundColor")
        closed = page.locator("details:not([open]) p").first

        page.set_viewport_size({"width": A4, "height": 1000})
        assert page.evaluate("document.documentElement.scrollWidth") == A4
        assert page.locator("thead:visible").count() > 3
        assert misplaced(page) == []
        assert body == "rgb(255, 255, 255)"
        assert closed.bounding_box()["height"] > 0
        assert len(page.pdf()) > 10_000


@pytest.mark.parametrize("name", ["complete", "free", "worse"])
def test_texts_of_charts_do_not_cover_each_other(browser, report, name):
    """With the font of the browser, no label of a chart is on another one."""
    with opened(browser, report(name)) as page:
        found = page.evaluate(
            """() => [...document.querySelectorAll("svg")].flatMap(svg => {
                const boxes = [...svg.querySelectorAll("text")].map(text => {
                    const box = text.getBoundingClientRect();
                    return [text.textContent, box.left, box.top + 3, box.right, box.bottom - 3];
                });
                return boxes.flatMap((a, index) => boxes.slice(index + 1).filter(b =>
                    a[1] < b[3] && b[1] < a[3] && a[2] < b[4] && b[2] < a[4]
                ).map(b => [a[0], b[0]]));
            })"""
        )

        assert found == []


@pytest.mark.parametrize(("back", "text"), [("#ffffff", "#111111"), ("#111111", "#eeeeee")])
def test_a_notebook_is_readable_and_keeps_its_style(browser, tmp_path, back, text):
    """In a light and in a dark notebook, texts have contrast, and other elements do not change."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    file = tmp_path / "notebook.html"
    page_of = (
        "<!doctype html><html lang='en'><title>Notebook</title>"
        f"<body style='background:{back};color:{text}'><main><h1>Notebook</h1>{{}}"
        "<table id='other'><tr class='recommended'><td>1</td></tr></table>"
        "<p class='verdict'>Text</p></main></body></html>"
    )
    style = """selector => [...document.querySelectorAll(selector)].map(each => {
        const style = getComputedStyle(each);
        return [...style].map(name => name + ": " + style.getPropertyValue(name));
    })"""
    styles = []
    for part in ("", notebook_html(example_evaluation())):
        file.write_text(page_of.format(part), encoding="utf-8")
        with opened(browser, file) as page:
            styles.append(page.evaluate(style, "#other td, main > p.verdict"))
            if part:
                assert misplaced(page) == []
                assert serious(axe.Axe().run(page)) == []

    without, with_notebook = styles
    assert len(without) == 2
    assert without == with_notebook


@pytest.mark.parametrize("width", [900, 700])
def test_a_notebook_cuts_no_column(browser, tmp_path, width):
    """In a cell of a notebook with a sidebar, the whole table is seen without scrolling."""
    file = tmp_path / "notebook.html"
    html = notebook_html(example_evaluation())
    # The rule is one of JupyterLab, for all tables in outputs.
    style = "<style>.jp table { table-layout: fixed; margin: 1em }</style>"
    file.write_text(
        f"<!doctype html>{style}<body class='jp' style='margin: 0'>{html}", encoding="utf-8"
    )
    with opened(browser, file, width=width) as page:
        frame = page.locator(".scroll")

        assert frame.evaluate("each => each.scrollWidth - each.clientWidth") == 0
        assert (
            page.locator("thead th").evaluate_all(
                "each => each.filter(cell => cell.scrollWidth > cell.clientWidth).length"
            )
            == 0
        )


def test_a_report_without_data_is_a_page(browser, tmp_path):
    """A report without plans has a verdict, and nothing is missing on the page."""
    evaluation = replace(
        example_evaluation(kind="no"), plans=(), best=None, recommended=None, thresholds={}
    )
    file = tmp_path / "report.html"
    file.write_text(report_html(evaluation), encoding="utf-8")
    with opened(browser, file, width=PHONE) as page:
        assert page.locator("svg").count() == 0
        assert page.locator(".verdict .sentence").is_visible()
