"""An evaluation as a picture: quality against time, a point a strategy."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Literal

from ingest.errors import UsageError
from rag_app.evaluation import Report

POINT = "#1f5fa8"
# Offset in points and alignment, in turn from the quickest strategy on, so that neighbours do not cover each other.
LABEL_PLACES: tuple[tuple[tuple[int, int], Literal["left", "right"], Literal["top", "center", "bottom"]], ...] = (
    ((-10, 0), "right", "center"),
    ((5, -8), "left", "top"),
    ((5, 8), "left", "bottom"),
    ((10, 0), "left", "center"),
)


def plot_report(report: Report, path: Path) -> None:
    """Writes a PNG with nDCG@5 over milliseconds a question (logarithmic), up and to the left is better.

    Raises `UsageError` where the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    figure = Figure(figsize=(7, 4.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    rows = {name: result.as_dict() for name, result in report.strategies.items()}
    quickest_first = sorted(rows, key=lambda name: rows[name]["ms_per_query"])
    for name, (offset, side, edge) in zip(quickest_first, cycle(LABEL_PLACES), strict=False):
        milliseconds, quality = rows[name]["ms_per_query"], rows[name]["ndcg@5"]
        axes.scatter(milliseconds, quality, s=70, color=POINT, edgecolors="white", zorder=3)
        axes.annotate(
            f"{name}  {quality:.3f}",
            (milliseconds, quality),
            xytext=offset,
            textcoords="offset points",
            ha=side,
            va=edge,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.35, y=0.25)
    axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("milliseconds a question")
    axes.set_ylabel("nDCG@5")
    # A folder's name is no formula: a dollar sign in it is printed.
    axes.set_title(f"{report.dataset}, {report.queries} questions", loc="left", parse_math=False)
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise UsageError(f"The plot cannot be written to {path}: {error.strerror}.") from error
