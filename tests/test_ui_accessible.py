"""Every page in a real browser: readable for a screen reader and at every width, light and dark, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import TESTS, served
from playwright.sync_api import Browser, Page, expect

from ui.app import SCREENS
from ui.text import catalogue

WIDTHS = {"wide": 1400, "phone": 420}
SAMPLES = TESTS.parent / "samples"
FILES = ("hp-40-service-manual.pdf", "purchase-agreement.docx")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole application over a manual and a contract."""
    folder = tmp_path_factory.mktemp("samples")
    arguments = [str(TESTS / "serve_real.py"), str(folder / "home"), *(str(SAMPLES / name) for name in FILES)]
    with served(arguments, folder / "log") as address:
        yield address


@pytest.fixture(params=list(product(WIDTHS, ("light", "dark"))), ids="-".join)
def reader(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A page at each width, light and dark; between them both languages meet both widths and both schemes."""
    width, scheme = request.param
    locale = "en-US" if (width, scheme) in (("wide", "light"), ("phone", "dark")) else "zh-CN"
    page = chromium.new_page(viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme, locale=locale)
    yield page
    page.close()


def violations(page: Page) -> list[str]:
    """What axe finds that keeps people from reading or using the page."""
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:160]} {node.get('failureSummary', '')}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def has_settled(page: Page) -> None:
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)


def test_no_page_keeps_anybody_out(samples: str, reader: Page) -> None:
    language = "zh" if reader.evaluate("navigator.language") == "zh-CN" else "en"
    for screen in SCREENS:
        reader.goto(f"{samples}/{screen.name}")
        expect(reader).to_have_title(re.compile(re.escape(catalogue()[f"app.{screen.name}"][language])))
        has_settled(reader)

        assert violations(reader) == [], screen.name
        assert reader.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), screen.name


def test_an_answer_with_its_page_keeps_nobody_out(samples: str, reader: Page) -> None:
    reader.goto(samples)
    box = reader.locator("textarea").last
    box.fill("To what torque are the cylinder head bolts tightened?")
    box.press("Enter")
    reader.locator("[class*=st-key-chip-] button:visible").first.click()
    expect(reader.locator(".st-key-document-pane img")).to_be_visible()
    has_settled(reader)

    assert violations(reader) == []
