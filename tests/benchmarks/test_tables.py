"""The tables of docs/benchmarks.md, for made-up measurements."""

import pytest

from benchmarks import cases, page
from benchmarks.catalog import EVERYBODY, OURS
from benchmarks.imports import ImportCost
from benchmarks.page import replaced
from benchmarks.pairing import Comparison
from benchmarks.peer_table import ahead, cpu, peer_table
from benchmarks.results import PeakMemory, Results
from benchmarks.target_table import target_table, unmet
from benchmarks.targets import TARGETS

TEN = cases.TEN.name


def comparison(client, ratio, case=TEN, yardstick="httpx"):
    """What a client has reached in a case, in CPU and in time."""
    return Comparison(
        client=client,
        case=case,
        yardstick=yardstick,
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
def test_targets_are_shown_beside_what_was_reached(ratio, verdict):
    """Each must and aim stands beside the figure that was reached, with met or not met."""
    results = Results(comparisons=[comparison("openrouter-rerank", ratio)])

    (row,) = [line for line in target_table(results).splitlines() if line.startswith(f"| {TEN}")]
    assert row == f"| {TEN}: CPU | {verdict} | not measured | not measured |"


def test_throughput_must_be_at_least_its_target():
    """For throughput more is better: half the time is twice the throughput."""
    results = Results(comparisons=[comparison("openrouter-rerank", 0.5, case=cases.FLIGHT_32.name)])

    assert "**2.00** met (≥ 1.8, aim 2.2)" in target_table(results)
    assert unmet(results) == []


def test_unmet_targets_are_named():
    """What must be reached and is not is named; what was not measured is not."""
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
    """No row of the table stays empty once each case is measured."""
    comparisons = [comparison(ours.name, 1, case.name) for ours in OURS for case in cases.ALL]
    comparisons += [
        comparison(ours.name, 1, case.name, yardstick)
        for ours in OURS
        for case, yardstick in [
            (cases.FLIGHT_32, "raw socket"),
            (cases.FLIGHT_128, "aiohttp"),
            (cases.FLIGHT_512, ours.name),
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
    )

    assert "not measured" not in target_table(results)
    assert len(target_table(results).splitlines()) == len(TARGETS) + 2


def test_the_best_of_each_family_is_bold():
    """Our packages and their peers are marked alike: whoever is best of its family."""
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


def test_each_picture_of_the_scaling_law_stands_beside_its_figures():
    """CPU, memory and throughput are told in numbers too, for each size that tells something."""
    grown = [*cases.BY_DOCUMENTS, *cases.BY_IN_FLIGHT]
    results = Results(
        comparisons=[comparison("litellm", 0.5, case.name) for case in grown],
        peaks=[
            PeakMemory(client="litellm", case=case.name, bytes=3, body=2)
            for case in cases.BY_DOCUMENTS
        ],
    )

    rows = [line for line in page.scaling(results).splitlines() if line.startswith("| litellm")]
    assert rows == [
        "| litellm | **0.50** | **0.50** | **0.50** | **0.50** |",
        "| litellm | **1.50** | **1.50** | **1.50** |",
        f"| litellm |{' **2** |' * len(cases.BY_IN_FLIGHT)}",
    ]


def test_a_peer_that_is_ahead_is_named():
    """Where a peer of its family is better than our package, the page says so."""
    results = Results(comparisons=[comparison("openrouter-rerank", 2), comparison("litellm", 1.5)])

    assert ahead(results, [cpu(cases.TEN)]) == [
        f"{TEN}: litellm is ahead of openrouter-rerank, 1.50 against 2.00"
    ]


def test_results_survive_their_file(tmp_path):
    """What was measured is read from its file as it was written."""
    results = Results(
        machine="2 cores",
        comparisons=[comparison("litellm", 1.5)],
        peaks=[PeakMemory(client="litellm", case=TEN, bytes=1, body=2)],
        imports=[ImportCost(client="litellm", total=1, beyond_base=1, loads_httpx=True)],
        refused=["litellm: no"],
    )
    results.save(tmp_path / "results.json")

    assert Results.load(tmp_path / "results.json") == results


@pytest.mark.parametrize("old", ["", "\nold\n\n"])
def test_only_what_is_between_the_marks_is_replaced(old):
    """A section is rewritten between its marks, also an empty one; all other words stay."""
    before, after = "a\n<!-- generated: x -->\n", "<!-- end -->\nb\n<!-- generated: y -->\n"
    text = f"{before}{old}{after}<!-- end -->\n"

    assert replaced(text, "x", r"\1") == f"{before}\n\\1\n\n{after}<!-- end -->\n"
    with pytest.raises(LookupError):
        replaced(text, "z", "new")


def test_the_page_has_a_place_for_every_section():
    """The committed page has the marks of all sections that are generated."""
    text = page.PAGE.read_text("utf-8")

    for section in ("targets", "peers", "scaling"):
        assert replaced(text, section, "new") != text


def test_no_two_clients_and_no_two_cases_share_a_name():
    """Measurements are kept by the names of client and case."""
    clients = [client.name for client in EVERYBODY]
    all_cases = [case.name for case in (*cases.ALL, *cases.BY_DOCUMENTS, *cases.BY_IN_FLIGHT)]

    assert len(set(clients)) == len(clients)
    assert len(set(all_cases)) == len(all_cases)
