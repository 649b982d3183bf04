"""The design itself: imports point left, start-up is light, every dependency has its reason."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("ingest", "retrievers", "rag_app", "ui")
HEAVY = ("torch", "openvino", "transformers", "chromadb", "llama_index", "streamlit", "langchain_core")
MODULES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def imported_packages(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_folder_imports_only_folders_to_its_left(path: Path) -> None:
    own = FOLDERS.index(path.relative_to(ROOT).parts[0])

    assert not imported_packages(path) & set(FOLDERS[own + 1 :])


@pytest.mark.parametrize("path", sorted((ROOT / "bench").glob("*.py")), ids=lambda path: path.name)
def test_a_benchmark_finds_the_packages_beside_its_folder(path: Path) -> None:
    """bench/ingest.py would hide the package of that name."""
    insert = "sys.path.insert(0, str(Path(__file__).resolve().parent.parent))"
    before, _, after = path.read_text(encoding="utf-8").partition(insert)

    assert after
    assert not re.search(rf"^from ({'|'.join(FOLDERS)})\b", before, re.MULTILINE)


@pytest.mark.parametrize("package", ["chromadb", "openvino", "tantivy"])
def test_only_one_module_imports_it(package: str) -> None:
    users = [path.name for path in MODULES if package in imported_packages(path)]

    assert len(users) == 1


@pytest.mark.parametrize(
    "program",
    ["import sys; sys.argv = ['rag-app', '--help']; import rag_app.cli; rag_app.cli.main()", "import retrievers"],
    ids=["rag-app --help", "import retrievers"],
)
def test_starting_loads_no_heavy_package(program: str) -> None:
    """Both answer within a second only because of this."""
    watch = (
        "import atexit, sys\n"
        f"heavy = {HEAVY!r}\n"
        "atexit.register(lambda: print('LOADED', [name for name in heavy if name in sys.modules]))\n"
    )
    done = subprocess.run([sys.executable, "-c", watch + program], capture_output=True, text=True, cwd=ROOT, check=True)

    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"].values()
    requirements = [*project["dependencies"], *(requirement for extra in optional for requirement in extra)]
    text = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    names = [re.split(r"[\[<>=~! ]", requirement)[0] for requirement in requirements]

    assert [name for name in names if f"`{name}" not in text and f"| {name}" not in text] == []


def test_every_setting_is_documented_with_its_default() -> None:
    from rag_app.settings import Settings

    text = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` .*$", text, re.MULTILINE)}

    assert set(rows) == set(Settings.model_fields)
    assert f"`{Settings.model_fields['gate'].default}`" in rows["gate"]
    assert f"`{Settings.model_fields['chunk_tokens'].default}`" in rows["chunk_tokens"]


def test_versions_are_pinned_without_urls() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]

    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", pin) for pin in pins)
    assert "torch==2.13.0" in pins
