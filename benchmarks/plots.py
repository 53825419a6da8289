"""The plots of docs/explain/benchmarks.md."""

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

from . import cases
from .cases import Case
from .catalog import AIOHTTP, ALL_CLIENTS, BASELINE, OURS, PEERS
from .processes import ROOT
from .results import Results

IMAGES = ROOT / "docs/images"
_SCALED = (*OURS, *PEERS, BASELINE, AIOHTTP)
Figure = Callable[[Case, str], float | None]


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
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    documents = [case.workload.documents for case in cases.BY_DOCUMENTS]
    _lines(left, documents, cases.BY_DOCUMENTS, cpu)
    _lines(right, documents, cases.BY_DOCUMENTS, peak)
    left.set(title="CPU per call, ms", xlabel="documents of 1,000 characters", yscale="log")
    right.set(
        title="increase of peak memory, MB", xlabel="documents of 1,000 characters", yscale="log"
    )
    _save(figure, left, "benchmarks-documents.svg")

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    in_flight = [case.in_flight for case in cases.BY_IN_FLIGHT]
    _lines(axes, in_flight, cases.BY_IN_FLIGHT, rate)
    axes.set(title="calls per second, service takes 50 ms", xlabel="calls in flight", yscale="log")
    _save(figure, axes, "benchmarks-in-flight.svg")


def draw_peers(results: Results, wanted: Sequence[Case]) -> None:
    """Plot the CPU ratios of all clients in some cases, with our packages in blue."""
    plt = _pyplot()
    names = [client.name for client in ALL_CLIENTS]
    figure, all_axes = plt.subplots(
        1, len(wanted), figsize=(11, 6), sharey=True, layout="constrained"
    )
    for axes, case in zip(all_axes, wanted, strict=True):
        found = [results.comparison(name, case.name) for name in names]
        bars = axes.barh(
            names,
            [each.cpu if each else float("nan") for each in found],
            color=["tab:blue" if client.is_ours else "lightgray" for client in ALL_CLIENTS],
        )
        axes.bar_label(bars, [f"{each.cpu:.2f}" if each else "" for each in found], padding=2)
        axes.axvline(1, color="black", linewidth=0.8, linestyle=":")
        axes.set(title=case.name, xlabel="CPU, httpx = 1", xscale="log")
        axes.set_xlim(0.05, 60)
    all_axes[0].invert_yaxis()
    figure.savefig(IMAGES / "benchmarks-peers.svg", metadata={"Date": None})


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


def _save(figure: Any, axes: Any, name: str) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(IMAGES / name, metadata={"Date": None})
