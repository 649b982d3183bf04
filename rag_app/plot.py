"""An evaluation as a picture: quality against time, a point a strategy."""

from __future__ import annotations

from pathlib import Path

from ingest.errors import UsageError
from rag_app.evaluation import Report


def plot_report(report: Report, path: Path) -> None:
    """Writes a PNG with nDCG@5 over milliseconds a question (logarithmic), up and to the left is better.

    Raises `UsageError` where the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    points = {name: result.as_dict() for name, result in report.strategies.items()}
    for name, values in points.items():
        axes.scatter(values["ms_per_query"], values["ndcg@5"], s=70, color="#1f5fa8", zorder=3)
        axes.annotate(
            f"{name}  {values['ndcg@5']:.3f}",
            (values["ms_per_query"], values["ndcg@5"]),
            xytext=(8, 6),
            textcoords="offset points",
        )
    axes.set_xscale("log")
    axes.margins(x=0.35, y=0.2)
    axes.grid(visible=True, which="both", color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("milliseconds a question")
    axes.set_ylabel("nDCG@5")
    axes.set_title(f"{report.dataset}, {report.queries} questions", loc="left")
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise UsageError(f"The plot cannot be written to {path}: {error.strerror}.") from error
