"""The tables of docs/explain/benchmarks.md, for invented figures."""

import re

import pytest

from benchmarks import cases, page, plots
from benchmarks.catalog import ALL_CLIENTS, OURS, PEERS
from benchmarks.comparison import Comparison
from benchmarks.imports import ImportCost
from benchmarks.page import replaced
from benchmarks.peer_table import better_peers, cpu, peer_table
from benchmarks.results import PeakMemory, Results
from benchmarks.target_table import target_table, unmet
from benchmarks.targets import TARGETS

TEN = cases.TEN.name


def comparison(client, ratio, case=TEN, baseline="httpx"):
    """Return a comparison with one ratio for CPU and for wall time."""
    return Comparison(
        client=client,
        case=case,
        baseline=baseline,
        cpu=ratio,
        wall=ratio,
        milliseconds=ratio,
        rate=1 / ratio,
        failed=0,
        calls=100,
        connections=0,
    )


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (0.7, "**0.70** aim met (≤ 0.9, aim 0.75)"),
        (0.8, "**0.80** met (≤ 0.9, aim 0.75)"),
        (0.95, "**0.95** not met (≤ 0.9, aim 0.75)"),
    ],
)
def test_a_target_is_shown_with_the_measured_figure(ratio, verdict):
    """Each measured figure has its required figure, its aim, and whether they are met."""
    results = Results(comparisons=[comparison("openrouter-rerank", ratio)])

    (row,) = [line for line in target_table(results).splitlines() if line.startswith(f"| {TEN}")]
    assert row == f"| {TEN}: CPU | {verdict} | not measured | not measured |"


def test_throughput_must_be_at_least_its_target():
    """Half the wall time is twice the throughput, and higher is better."""
    results = Results(
        comparisons=[comparison("openrouter-rerank", 0.5, case=cases.IN_FLIGHT_32.name)]
    )

    assert "**2.00** met (≥ 1.8, aim 2.2)" in target_table(results)
    assert unmet(results) == []


def test_a_target_of_one_package_has_empty_cells_for_the_others():
    """The local service belongs to the core, so the other packages have no figure for it."""
    results = Results(local_service=2.5)

    row = target_table(results).splitlines()[-1]
    assert row.startswith("| openrouter-rerank serve: ")
    assert row.endswith(" | **2.50** not met (≤ 2, aim 1.5) | - | - |")
    assert [line.partition(":")[0] for line in unmet(results)] == ["openrouter-rerank"]


def test_unmet_targets_are_listed():
    """A measured target that is not met is listed. One that was not measured is not."""
    results = Results(
        imports=[
            ImportCost(client=name, total=900, beyond_base=31, loads_httpx=True)
            for name in ("openrouter-rerank", "llamaindex-openrouter-rerank")
        ]
    )

    assert [line.partition(":")[0] for line in unmet(results)] == [
        "openrouter-rerank",
        "llamaindex-openrouter-rerank",
    ]


def test_every_target_reads_what_the_plans_measure():
    """If each case is measured, no cell of the table is empty."""
    comparisons = [comparison(ours.name, 1, case.name) for ours in OURS for case in cases.ALL]
    comparisons += [
        comparison(ours.name, 1, case.name, baseline)
        for ours in OURS
        for case, baseline in [
            (cases.IN_FLIGHT_32, "raw socket"),
            (cases.IN_FLIGHT_128, "aiohttp"),
            (cases.IN_FLIGHT_512, ours.name),
        ]
    ]
    results = Results(
        comparisons=comparisons,
        peaks=[
            PeakMemory(client=ours.name, case=cases.IMAGES.name, bytes=1, body=1) for ours in OURS
        ],
        imports=[
            ImportCost(client=ours.name, total=1, beyond_base=1, loads_httpx=False) for ours in OURS
        ],
        local_service=1.2,
    )

    assert "not measured" not in target_table(results)
    assert len(target_table(results).splitlines()) == len(TARGETS) + 2


def test_the_best_of_each_family_is_bold():
    """The best client of a family is bold, whether it is ours or a peer."""
    results = Results(
        comparisons=[
            comparison("openrouter-rerank", 2),
            comparison("litellm", 1.5),
            comparison("langchain-openrouter-rerank", 1),
            comparison("langchain-cohere", 3),
        ]
    )

    lines = peer_table(results, [cpu(cases.TEN)]).splitlines()[2:]
    assert lines == [
        "| *plain Python* | |",
        "| openrouter-rerank | 2.00 |",
        "| litellm | **1.50** |",
        "| *LangChain* | |",
        "| langchain-openrouter-rerank | **1.00** |",
        "| langchain-cohere | 3.00 |",
    ]


def test_the_figures_of_each_scaling_plot_are_in_a_table():
    """Tables have the CPU, the memory of 100 documents or more, and the throughput of the plots."""
    scaled = [*cases.BY_DOCUMENTS, *cases.BY_IN_FLIGHT]
    results = Results(
        comparisons=[comparison("litellm", 0.5, case.name) for case in scaled],
        peaks=[
            PeakMemory(client="litellm", case=case.name, bytes=3, body=2)
            for case in cases.BY_DOCUMENTS
        ],
    )

    lines = [line.strip() for line in page.scaling(results).splitlines()]
    rows = [line for line in lines if line.startswith("| litellm")]
    assert rows == [
        "| litellm | **0.50** | **0.50** | **0.50** | **0.50** |",
        "| litellm | **1.50** | **1.50** | **1.50** |",
        f"| litellm |{' **2** |' * len(cases.BY_IN_FLIGHT)}",
    ]


def test_a_better_peer_is_listed():
    """The page lists each figure in which a peer of a family is better than our package."""
    results = Results(comparisons=[comparison("openrouter-rerank", 2), comparison("litellm", 1.5)])

    assert better_peers(results, [cpu(cases.TEN)]) == [
        f"{TEN}: litellm 1.50, openrouter-rerank 2.00"
    ]


def test_results_are_read_from_their_file(tmp_path):
    """The results that are read from a file are equal to those that were saved."""
    results = Results(
        machine="2 cores",
        comparisons=[comparison("litellm", 1.5)],
        peaks=[PeakMemory(client="litellm", case=TEN, bytes=1, body=2)],
        imports=[ImportCost(client="litellm", total=1, beyond_base=1, loads_httpx=True)],
        local_service=1.2,
        failures=["litellm: no"],
    )
    results.save(tmp_path / "results.json")

    assert Results.load(tmp_path / "results.json") == results


@pytest.mark.parametrize("old", ["", "\nold\n\n"])
def test_only_the_text_between_the_marks_is_replaced(old):
    """A section is replaced between its marks, also an empty one. All other text stays."""
    before, after = "a\n<!-- generated: x -->\n", "<!-- end -->\nb\n<!-- generated: y -->\n"
    text = f"{before}{old}{after}<!-- end -->\n"

    assert replaced(text, "x", r"\1") == f"{before}\n\\1\n\n{after}<!-- end -->\n"
    with pytest.raises(LookupError):
        replaced(text, "z", "new")


def test_the_page_has_the_marks_of_every_section():
    """The committed page has the marks of all generated sections."""
    text = page.PAGE.read_text("utf-8")

    for section in ("summary", "targets", "peers", "scaling"):
        assert replaced(text, section, "new") != text


def test_the_chart_has_the_figures_of_the_page():
    """The bars of the chart are the figures of the table of peers, with 10 documents."""
    text = page.PAGE.read_text("utf-8").partition("generated: targets")[2]
    row = re.compile(r"^ +\| ([\w() -]+) \| \**([\d.]+)\** \| \**[\d.]+\** \|$", re.MULTILINE)
    table = dict(row.findall(text))
    names = [each.name for each in (*OURS, *PEERS)]

    chart = plots.cpu_chart({name: float(table[name]) for name in names if name in table})

    assert (plots.IMAGES / plots.CHART).read_text("utf-8") == chart


def test_a_plot_has_the_colors_of_both_schemes():
    """White and black of a plot follow the scheme of the reader, and the plot has a name."""
    plot = '<svg width="1"><style>*{}</style><path style="fill: #ffffff; stroke: #000000"/></svg>'

    drawn = plots.with_both_schemes(plot, "A plot")

    assert 'style="fill: var(--paper); stroke: var(--ink)"' in drawn
    assert "prefers-color-scheme: dark" in drawn
    assert '<svg role="img" aria-label="A plot" width="1">' in drawn


def test_names_of_clients_and_cases_are_unique():
    """The results are found by the names of client and case, so no two are equal."""
    clients = [client.name for client in ALL_CLIENTS]
    all_cases = [case.name for case in (*cases.ALL, *cases.BY_DOCUMENTS, *cases.BY_IN_FLIGHT)]

    assert len(set(clients)) == len(clients)
    assert len(set(all_cases)) == len(all_cases)
