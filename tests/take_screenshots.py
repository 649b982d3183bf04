"""Takes the pictures of docs/images: `python tests/take_screenshots.py [FOLDER]`.

The whole application over the samples, in a real Chromium: each page wide and on a phone, light and dark.
"""

from __future__ import annotations

import io
import json
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
COLOURS = 64


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


def document(page: Page) -> None:
    page.get_by_role("button", name="Hydraulic press HP-60").first.click()
    expect(page.locator(".st-key-document-pane img")).to_be_visible()


def cells(page: Page) -> None:
    page.get_by_label("Questions, one a line").fill("Which law governs?\nHow long does the warranty last?")
    page.get_by_role("button", name="Ask all of them").click()
    expect(page.locator("[class*=st-key-grid-download]").first).to_be_visible(timeout=60_000)
    page.locator("[class*=st-key-grid-cell-quoted] button:visible").nth(2).click()
    expect(page.locator(".st-key-document-pane")).to_be_visible()


def ranking(page: Page) -> None:
    page.get_by_label("Query").fill("How tight are the anchor bolts?")
    page.get_by_role("textbox", name="Texts, one a line").fill("\n".join(TEXTS))
    page.get_by_text("Compare two rankings side by side").click()
    page.get_by_role("button", name="Rank", exact=True).click()
    page.locator(".ranked").first.scroll_into_view_if_needed()


def nothing(page: Page) -> None:
    """The page as it opens."""


TEXTS = (
    "Tighten the anchor bolts of the press to 480 Nm, crosswise.",
    "The anchor rods of the frame are painted grey.",
    "Bolts of the oil pan: 25 Nm.",
    "Close the door before the press starts.",
)
QUESTION_SET = {
    "corpus.jsonl": (
        {"id": "e07", "title": "E07", "text": "The cooling water flow is too low. Open the shut-off valve."},
        {"id": "e09", "title": "E09", "text": "The door is open. Close it and acknowledge the fault."},
        {"id": "e12", "title": "E12", "text": "The oil is too warm. Check the cooler and the oil level."},
        {"id": "e15", "title": "E15", "text": "The light curtain was interrupted. Free the field and restart."},
    ),
    "queries.jsonl": (
        {"id": "q1", "text": "Why does the press report that water is missing?"},
        {"id": "q2", "text": "What is wrong when somebody reaches into the danger zone?"},
        {"id": "q3", "text": "The hydraulic fluid overheats, what is to be done?"},
    ),
}
QRELS = "q1\te07\t1\nq2\te15\t1\nq3\te12\t1\n"

STEPS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "chat": ("", nothing),
    "answer": ("", answer),
    "why": ("", why),
    "library": ("library", document),
    "grid": ("grid", cells),
    "workbench": ("workbench", ranking),
    "evaluation": ("evaluation", nothing),
    "models": ("models", nothing),
}
"""Each picture: the page's address and what is done there first."""


def evaluate(page: Page) -> None:
    """Runs an evaluation, which its page shows from then on."""
    files = {name: "\n".join(map(json.dumps, lines)) for name, lines in QUESTION_SET.items()} | {"qrels.tsv": QRELS}
    page.get_by_text("Add a question set").click()
    page.get_by_label("Its name").fill("faults")
    page.locator("input[type=file]").first.set_input_files(
        [{"name": name, "mimeType": "text/plain", "buffer": text.encode()} for name, text in files.items()]
    )
    page.locator(".st-key-evaluation-add-set button").click()
    page.locator(".st-key-evaluation-go button").click()
    expect(page.get_by_text("nDCG@5").first).to_be_visible(timeout=120_000)


def settle(page: Page) -> None:
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.locator("[data-testid*=keleton]")).to_have_count(0)
    page.wait_for_timeout(800)  # colours and heights change by way of others


def save(picture: bytes, path: Path) -> None:
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        arguments = [str(TESTS / "serve_real.py"), str(Path(scratch) / "home"), *map(str, DOCUMENTS)]
        with served(arguments, Path(scratch) / "log") as address:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
            visitor = browser.new_page()
            visitor.goto(f"{address}/evaluation")
            evaluate(visitor)
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
