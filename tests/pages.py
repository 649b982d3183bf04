"""What the tests of the pages share: a page without a browser, and what a reader finds on it."""

from __future__ import annotations

import time
from typing import Any

from fake_assistant import FakeAssistant
from streamlit.testing.v1 import AppTest

from rag_app.assistant import Assistant


def page(assistant: FakeAssistant | Assistant, name: str = "chat", **query: str) -> AppTest:
    """The page of that name after its first run; `query` stands in its address."""

    def script(assistant: object) -> None:
        from ui.app import main

        main(lambda: assistant)

    app = AppTest.from_function(script, kwargs={"assistant": assistant}, default_timeout=20)
    for key, value in query.items():
        app.query_params[key] = value
    return visit(app.run(), name)


def visit(app: AppTest, name: str) -> AppTest:
    """Another page of the same visit, after its first run."""
    # AppTest.switch_page knows pages that are files; ours are functions.
    [app._page_hash] = [
        key for key, registered in app._registered_pages.items() if registered.get("url_pathname") in (name, f"/{name}")
    ] or [""]
    return app.run()


def read_whole(assistant: Any) -> None:
    """Waits until everything that was handed in has been read."""
    deadline = time.monotonic() + 30
    while assistant.jobs.busy:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ask(app: AppTest, question: str = "How tight are the head bolts?") -> AppTest:
    return app.chat_input(key="question").set_value(question).run()


def html(app: AppTest) -> str:
    """The HTML of the main area, one element a line."""
    return "\n".join(element.proto.body for element in app.main.get("html"))


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def plain(label: str) -> str:
    """A label without what keeps it from being read as Markdown."""
    return label.replace("\\", "").replace("\u2060", "")


def chip(app: AppTest, number: int) -> Any:
    return next(button for button in app.button if plain(button.label).startswith(f"{number} · "))
