"""The catalogue of words: every key is used and known, in each language, with the same places for values."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
from fake_assistant import FakeAssistant
from pages import page

from ui.text import LANGUAGES, catalogue

UI = Path(__file__).parent.parent / "ui"


def keys_in_code() -> tuple[set[str], list[re.Pattern[str]]]:
    """The keys given to `say`: those written out, and the shapes of those made of parts, f"app.kind-{kind}"."""
    written: set[str] = set()
    shapes: list[re.Pattern[str]] = []
    for path in UI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="say"), args=[key, *_]):
                    for part in ast.walk(key):
                        if isinstance(part, ast.JoinedStr):
                            pattern = "".join(
                                re.escape(str(value.value)) if isinstance(value, ast.Constant) else r"[\w-]+"
                                for value in part.values
                            )
                            shapes.append(re.compile(pattern))
                        elif isinstance(part, ast.Constant) and re.fullmatch(
                            r"[a-z-]+\.[a-z0-9-]*[a-z0-9]", str(part.value)
                        ):
                            written.add(str(part.value))
    return written, shapes


def places(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name}


def test_every_key_that_the_pages_use_is_in_the_catalogue() -> None:
    written, shapes = keys_in_code()

    assert written - set(catalogue()) == set()
    assert [shape.pattern for shape in shapes if not any(map(shape.fullmatch, catalogue()))] == []


def test_the_catalogue_has_no_words_that_no_page_uses() -> None:
    written, shapes = keys_in_code()

    assert [key for key in catalogue() if key not in written and not any(one.fullmatch(key) for one in shapes)] == []


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_all_languages_have_the_words_and_the_same_places_for_values(key: str) -> None:
    words = catalogue()[key]

    assert set(words) - {"one"} == set(LANGUAGES)
    # The words for one thing may say "a page".
    assert places(words["zh"]) == places(words["en"]) >= places(words.get("one", ""))


def test_the_reader_chooses_the_language_of_the_interface() -> None:
    app = page(FakeAssistant())
    assert "answers quoted from the documents" in app.sidebar.caption[-1].value

    app.session_state["language"] = "zh"
    app.run()

    assert "直接引用文档原文回答" in app.sidebar.caption[-1].value
    assert not app.exception


def test_a_language_in_the_address_holds_from_the_first_word() -> None:
    app = page(FakeAssistant(), language="zh")

    assert "直接引用文档原文回答" in app.sidebar.caption[-1].value
    assert app.session_state["language"] == "zh"


def test_the_chosen_language_stands_in_the_address_unless_it_is_the_browsers() -> None:
    app = page(FakeAssistant(), language="zh")
    assert app.query_params["language"] == "zh"

    app.session_state["language"] = "en"
    app.run()
    assert "language" not in app.query_params
