"""Takes the pictures of docs/images: `python tests/take_screenshots.py [FOLDER]`.

The whole application over the samples, in a real Chromium: each page wide and on a phone, light and dark.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path

from browser import TESTS, find_chromium, served
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

WIDTHS = {"wide": (1400, 900), "phone": (420, 900)}
SAMPLES = TESTS.parent / "samples"
DOCUMENTS = [path for path in sorted(SAMPLES.iterdir()) if path.suffix in (".pdf", ".docx")]
IMAGES = TESTS.parent / "docs" / "images"
# Few colours are enough for a page, and a picture then takes a fifth of the room.
COLOURS = 128


def answer(page: Page) -> None:
    ask(page, "What does fault E07 mean on the HP-60?")
    page.locator("[class*=st-key-chip-] button:visible").first.click()
    expect(page.locator(".st-key-document-pane img")).to_be_visible()


def why(page: Page) -> None:
    ask(page, "What does fault E07 mean on the HP-60?")
    page.locator("[class*=st-key-why-] button:visible").first.click()
    expect(page.locator(".ranking")).to_be_visible()


def ask(page: Page, question: str) -> None:
    page.get_by_test_id("stChatInput").locator("textarea").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("[class*=st-key-chip-] button:visible").first).to_be_visible()


def nothing(page: Page) -> None:
    """The page as it opens."""


STEPS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "chat": ("", nothing),
    "answer": ("", answer),
    "why": ("", why),
    "library": ("library", nothing),
    "grid": ("grid", nothing),
    "workbench": ("workbench", nothing),
    "evaluation": ("evaluation", nothing),
    "models": ("models", nothing),
}
"""Each picture: the page's address and what is done there first."""


def settle(page: Page) -> None:
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_timeout(800)  # colours and heights change by way of others


def save(picture: bytes, path: Path) -> None:
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        arguments = [str(TESTS / "serve_real.py"), str(Path(scratch) / "home"), *map(str, DOCUMENTS)]
        with served(arguments, Path(scratch) / "log") as address:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
            for (name, (path, steps)), (width, size), scheme in product(
                STEPS.items(), WIDTHS.items(), ("light", "dark")
            ):
                page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
                page.goto(f"{address}/{path}")
                settle(page)
                steps(page)
                settle(page)
                save(page.screenshot(), folder / f"{name}-{width}-{scheme}.png")
                page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
