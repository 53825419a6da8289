"""The plots of docs/explain/benchmarks.md."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from io import StringIO
from typing import Any

from scripts.svg import WIDTH, figure, line, rectangle, text

from . import cases
from .cases import Case
from .catalog import AIOHTTP, BASELINE, OURS, PEERS
from .peer_table import FAMILIES
from .processes import ROOT
from .results import Results

IMAGES = ROOT / "docs/images"
CHART = "benchmarks-cpu.svg"
_SCALED = (*OURS, *PEERS, BASELINE, AIOHTTP)
Figure = Callable[[Case, str], float | None]
_DESCRIPTIONS = {
    "benchmarks-documents.svg": "CPU and peak memory of a call, by number of documents and client",
    "benchmarks-in-flight.svg": "Calls per second, by number of calls in flight and client",
}


def draw_scaling(results: Results) -> None:
    """Plot CPU and memory by number of documents, and throughput by number of calls in flight."""

    def cpu(case: Case, client: str) -> float | None:
        found = results.comparison(client, case.name)
        return found.milliseconds if found else None

    def peak(case: Case, client: str) -> float | None:
        found = results.peak(client, case.name)
        # Below 0.1 MB, the figure is mostly memory pages that were touched by chance.
        return max(found.bytes / 1e6, 0.1) if found else None

    def rate(case: Case, client: str) -> float | None:
        found = results.comparison(client, case.name)
        return found.rate if found else None

    plt = _pyplot()
    plot, (left, right) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    documents = [case.workload.documents for case in cases.BY_DOCUMENTS]
    _lines(left, documents, cases.BY_DOCUMENTS, cpu)
    _lines(right, documents, cases.BY_DOCUMENTS, peak)
    left.set(title="CPU per call, ms", xlabel="documents of 1,000 characters", yscale="log")
    right.set(
        title="increase of peak memory, MB", xlabel="documents of 1,000 characters", yscale="log"
    )
    _save(plot, left, "benchmarks-documents.svg")

    plot, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    in_flight = [case.in_flight for case in cases.BY_IN_FLIGHT]
    _lines(axes, in_flight, cases.BY_IN_FLIGHT, rate)
    axes.set(title="calls per second, service takes 50 ms", xlabel="calls in flight", yscale="log")
    _save(plot, axes, "benchmarks-in-flight.svg")


def cpu_chart(figures: Mapping[str, float]) -> str:
    """Return a bar chart of the CPU ratios of our packages and their peers, by family."""
    left, most = 8.0, max(figures.values(), default=1.0)
    unit = (WIDTH - left - 52) / most
    parts: list[str] = []
    y = 22.0
    for family, title in FAMILIES.items():
        members = [each for each in (*OURS, *PEERS) if each.family == family]
        known = [each for each in members if each.name in figures]
        if known:
            parts.append(text(left, y, title, "bold"))
            y += 20
        for client in known:
            ratio = figures[client.name]
            parts += [
                text(left, y, client.name),
                rectangle(left, y + 5, unit * ratio, 10, "ours" if client.is_ours else "bar"),
                text(left + unit * ratio + 6, y + 15, f"{ratio:.2f}"),
            ]
            y += 33
        y += 8 if known else 0
    baseline = left + unit
    # Behind the bars and the names.
    parts.insert(0, line([(baseline, 8), (baseline, y - 8)], "grid"))
    parts.append(text(baseline + 4, y + 6, "1 = httpx, without a rerank client", "soft"))
    spoken = ", ".join(f"{name} {ratio:.2f}" for name, ratio in figures.items())
    return figure(
        y + 18,
        f"CPU of a call with 10 documents, as a multiple of that of a bare httpx call: {spoken}.",
        parts,
    )


def draw_cpu(results: Results) -> None:
    """Draw the CPU of a call with 10 documents."""
    found = {each.name: results.comparison(each.name, cases.TEN.name) for each in (*OURS, *PEERS)}
    figures = {name: round(each.cpu, 2) for name, each in found.items() if each is not None}
    (IMAGES / CHART).write_text(cpu_chart(figures), "utf-8")


# Black and white in what matplotlib draws, by the names of the properties below.
_COLORS = {"#ffffff": "var(--paper)", "#000000": "var(--ink)"}
_SCHEMES = (
    "svg { --paper: #ffffff; --ink: #1f2328 } text { fill: var(--ink) } "
    "@media (prefers-color-scheme: dark) { svg { --paper: #1b1e26; --ink: #e6e9ef } }"
)


def with_both_schemes(svg: str, description: str) -> str:
    """Return a plot of matplotlib with the colours of both schemes, and a description."""
    for color, name in _COLORS.items():
        svg = svg.replace(f": {color}", f": {name}")
    svg = svg.replace("</style>", f"{_SCHEMES}</style>", 1)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{description}" ', 1)


def _pyplot() -> Any:
    mpl = import_module("matplotlib")
    # The labels stay text, and equal figures produce equal files.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "benchmarks", "font.size": 9})
    return import_module("matplotlib.pyplot")


def _lines(axes: Any, points: Sequence[int], wanted: Iterable[Case], read: Figure) -> None:
    wanted = list(wanted)
    for client, style in zip(_SCALED, _styles(), strict=False):
        values = [read(case, client.name) for case in wanted]
        if any(value is not None for value in values):
            axes.plot(
                points,
                [float("nan") if value is None else value for value in values],
                label=client.name,
                **style,
            )
    axes.set(xscale="log")
    axes.set_xticks(points, [f"{point:,}" for point in points], minor=False)
    axes.minorticks_off()
    axes.grid(alpha=0.3)


def _styles() -> list[dict[str, Any]]:
    ours: list[dict[str, Any]] = [
        {"color": color, "linewidth": 2.2} for color in ("tab:blue", "tab:green", "tab:red")
    ]
    peers: list[dict[str, Any]] = [
        {"color": color, "linestyle": dash}
        for color in ("gray", "tab:orange")
        for dash in ("-", "--", ":", "-.")
    ]
    http: list[dict[str, Any]] = [{"color": "black", "linestyle": dash} for dash in ("--", ":")]
    return [*ours, *peers, *http]


def _save(plot: Any, axes: Any, name: str) -> None:
    handles, labels = axes.get_legend_handles_labels()
    plot.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    drawn = StringIO()
    plot.savefig(drawn, format="svg", metadata={"Date": None})
    svg = with_both_schemes(drawn.getvalue(), _DESCRIPTIONS[name])
    (IMAGES / name).write_text(svg, "utf-8")
