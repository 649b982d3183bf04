"""What the tests of the pages share: a page without a browser, and what a reader finds on it."""

from __future__ import annotations

import time
from typing import Any

from fake_assistant import FakeAssistant
from streamlit.testing.v1 import AppTest

from rag_app.assistant import Assistant


def page(assistant: FakeAssistant | Assistant, name: str = "chat", *, visitor: str = "", **address: str) -> AppTest:
    """The page of that name after its first run; `address` are the parameters behind its "?".

    The visitor has no cookies unless it has a name.
    """

    def script(assistant: object, visitor: str) -> None:
        from ui import history
        from ui.app import main

        history.visitor = lambda: visitor  # AppTest sends no cookies
        main(lambda: assistant)

    arguments = {"assistant": assistant, "visitor": visitor}
    app = AppTest.from_function(script, kwargs=arguments, default_timeout=20)
    app.query_params.update(address)
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
    while assistant.library.jobs.busy:
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
