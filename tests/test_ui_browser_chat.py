"""Kept chats, the page of a quote and the panel behind an answer, in a real Chromium."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pdfplumber
import pytest
import test_ui_browser
from browser import TESTS, served
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from test_ui_browser import PHONE, WIDE, ask, write_manual

real_address = test_ui_browser.real_address  # a fixture

pytestmark = pytest.mark.browser

QUESTION = "To what torque are the cylinder head bolts tightened?"
QUOTED_LINE = "Tighten the cylinder head bolts to 45 Nm in two steps, crosswise."


def picture(image: Locator) -> Image.Image:
    """The picture as the browser got it."""
    data = image.evaluate(
        """async image => {
            const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
            return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
        }"""
    )
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def highlighted(page_image: Image.Image) -> tuple[float, float, float, float]:
    """The box of all that is yellow, in pixels."""
    red, green, blue = (np.asarray(page_image)[..., channel].astype(int) for channel in range(3))
    rows, columns = np.nonzero((red > 200) & (green - blue > 50))
    return float(columns.min()), float(rows.min()), float(columns.max()), float(rows.max())


def answered(page: Page, question: str = QUESTION) -> None:
    """Asks and waits until the answer has ended. The one before it keeps its button until then, so each has its own."""
    place = page.locator("[class*=st-key-actions-]").count()
    ask(page, question)
    expect(page.locator(f".st-key-again-{place}").get_by_role("button", name="Ask again")).to_be_visible()


def test_the_box_stands_at_the_words_of_the_quote_at_every_size(real_address: str, visit: Page, tmp_path: Path) -> None:
    write_manual(tmp_path / "same.pdf")
    with pdfplumber.open(tmp_path / "same.pdf") as pdf:
        page = pdf.pages[1]
        words = [word for word in page.extract_words() if word["text"] in QUOTED_LINE.split() and word["top"] > 90]
        width = float(page.width)
    expected = (words[0]["x0"], min(word["top"] for word in words), words[-1]["x1"], max(w["bottom"] for w in words))

    visit.goto(real_address)
    answered(visit)
    visit.get_by_role("button", name="1 · press-manual p. 2").first.click()
    image = visit.get_by_alt_text("Page 2 of press-manual.pdf")
    for name, pixels in (("Fit", 1000), ("150%", 1500), ("200%", 2000)):
        visit.get_by_role("radio", name=name).click()
        expect(image).to_have_js_property("naturalWidth", pixels)
        box = [value * width / pixels for value in highlighted(picture(image))]
        # The box is drawn two pixels wider than the line, whose height reaches beyond the letters.
        assert box == pytest.approx(expected, abs=4.0), name


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_an_enlarged_page_is_wider_than_the_pane_and_is_moved_within_it(
    real_address: str, visit: Page, size: tuple[int, int]
) -> None:
    visit.set_viewport_size({"width": size[0], "height": size[1]})
    visit.goto(real_address)
    answered(visit)
    visit.get_by_role("button", name="1 · press-manual p. 2").first.click()
    visit.get_by_role("radio", name="200%").click()
    pane = visit.locator(".st-key-page-200")
    expect(pane).to_be_visible()
    image = pane.get_by_role("img")
    expect(image).to_have_js_property("naturalWidth", 2000)

    assert image.bounding_box()["width"] == pytest.approx(2 * pane.bounding_box()["width"], rel=0.02)
    assert pane.evaluate("pane => pane.scrollWidth > 1.5 * pane.clientWidth")
    assert visit.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_original_opens_in_a_page_of_its_own(real_address: str, visit: Page) -> None:
    visit.goto(real_address)
    answered(visit)
    visit.get_by_role("button", name="1 · press-manual p. 2").first.click()
    link = visit.get_by_role("link", name="Open original")
    target = link.get_attribute("href")
    assert target.endswith("#page=2")
    response = visit.request.get(f"{real_address}{target.removeprefix(real_address)}")
    assert response.headers["content-type"] == "application/pdf"
    assert response.body().startswith(b"%PDF")

    answered(visit, "What does the label on the control cabinet read?")
    visit.get_by_role("button", name="1 · label-note").first.click()
    expect(visit.locator(".st-key-pane-head")).to_contain_text("label-note.txt")
    with visit.context.expect_page() as opened:
        visit.get_by_role("link", name="Open original").click()
    expect(opened.value.locator("body")).to_contain_text("<script>alert(1)</script>")
    opened.value.close()


def test_a_chat_outlives_a_reload_and_the_server(chromium: Browser, tmp_path: Path) -> None:
    manual = tmp_path / "press-manual.pdf"
    write_manual(manual)
    arguments = [str(TESTS / "serve_real.py"), str(tmp_path / "home"), str(manual)]
    context = chromium.new_context()
    page = context.new_page()
    with served(arguments, tmp_path / "log") as before:
        page.goto(before)
        answered(page)
        page.reload()
        expect(page.locator(".answer")).to_contain_text("45 Nm")
        path = page.url.removeprefix(before)
    with served(arguments, tmp_path / "log") as after:
        page.goto(f"{after}{path}")
        expect(page.locator(".answer")).to_contain_text("45 Nm")
        expect(page.get_by_role("button", name="To what torque")).to_be_visible()

        stranger = chromium.new_context().new_page()
        stranger.goto(f"{after}{path}")
        expect(stranger.get_by_text("There is no such chat here.")).to_be_visible()
        expect(stranger.get_by_text("What would you like to know?")).to_be_visible()
        stranger.context.close()
    context.close()


@pytest.mark.parametrize("address", ["quoted"], indirect=True)
def test_a_chat_is_renamed_exported_and_deleted(address: str, visit: Page) -> None:
    visit.goto(address)
    answered(visit, "How tight?")
    visit.get_by_role("button", name="Edit").click()
    name = visit.get_by_label("Name of this chat")
    name.fill("Torques / HP-40")
    name.press("Enter")
    expect(visit.get_by_role("button", name="Torques / HP-40")).to_be_visible()

    exported = {}
    for kind in ("Markdown", "JSON"):
        with visit.expect_download() as download:
            visit.get_by_role("button", name=f"Export as {kind}").click()
        exported[download.value.suggested_filename] = Path(download.value.path()).read_text(encoding="utf-8")
    assert set(exported) == {"Torques HP-40.md", "Torques HP-40.json"}
    assert exported["Torques HP-40.md"].startswith("# Torques / HP-40\n\n## How tight?\n\n“Tighten the head bolts")
    assert "Sources:\n[1] HP-40 Hydraulic Press: Service Manual, p. 7" in exported["Torques HP-40.md"]
    assert json.loads(exported["Torques HP-40.json"])[0]["answer"]["citations"][0]["page"] == 7

    visit.get_by_role("button", name="Delete chat").click()
    dialog = visit.get_by_role("dialog").filter(has_text="Delete this chat?")
    dialog.get_by_role("button", name="Delete chat").click()
    expect(visit.get_by_text("What would you like to know?")).to_be_visible()
    expect(visit.get_by_role("button", name="Torques / HP-40")).to_have_count(0)
    assert "chat=" not in visit.url


@pytest.mark.parametrize("address", ["slow"], indirect=True)
def test_an_answer_goes_on_over_a_reload_and_while_the_reader_is_elsewhere(address: str, visit: Page) -> None:
    visit.goto(address)
    ask(visit, "How tight are the head bolts?")
    expect(visit.locator(".answer")).to_contain_text("The bolts")

    visit.reload()
    expect(visit.locator(".answer")).to_contain_text("The bolts")
    expect(visit.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    visit.get_by_role("button", name="New chat").click()
    expect(visit.get_by_text("What would you like to know?")).to_be_visible()
    visit.get_by_role("button", name="How tight are the head bolts?").click()

    expect(visit.get_by_role("button", name="Why this answer")).to_be_visible(timeout=60_000)
    expect(visit.locator(".answer")).to_contain_text("45 Nm")


@pytest.mark.parametrize("address", ["slow"], indirect=True)
def test_a_question_that_is_typed_while_another_is_answered_is_answered_after_it_also_over_a_reload(
    address: str, visit: Page
) -> None:
    visit.goto(address)
    ask(visit, "How tight?")
    expect(visit.locator(".answer")).to_contain_text("The bolts")
    ask(visit, "And how often?")
    visit.wait_for_timeout(1000)  # nothing is shown of it before the answer above it is whole

    visit.reload()
    expect(visit.locator(".answer")).to_contain_text("The bolts")
    expect(visit.get_by_role("button", name="Why this answer")).to_have_count(2, timeout=60_000)


@pytest.mark.parametrize("address", ["quoted"], indirect=True)
def test_an_answer_is_copied_with_its_marks_and_sources(address: str, visit: Page) -> None:
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.goto(address)
    answered(visit, "How tight?")

    visit.get_by_role("button", name="Copy").click()
    expect(visit.get_by_role("button", name="Copied")).to_be_visible()

    copied = visit.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("“Tighten the head bolts to 45 Nm.” [1]")
    assert "\n[2] Purchase Agreement, 4 Delivery" in copied


def test_the_evidence_of_an_answer_is_a_pdf_with_the_page_of_its_quote(
    real_address: str, visit: Page, tmp_path: Path
) -> None:
    visit.goto(real_address)
    answered(visit)
    with visit.expect_download() as download:
        visit.get_by_role("button", name="Evidence").click()
    download.value.save_as(tmp_path / "pack.pdf")

    assert download.value.suggested_filename == f"{QUESTION.removesuffix('?')}.pdf"
    with pdfplumber.open(tmp_path / "pack.pdf") as pdf:
        assert QUOTED_LINE in " ".join(page.extract_text() for page in pdf.pages).replace("\n", " ")
        assert any(page.images for page in pdf.pages)


@pytest.mark.parametrize("address", ["instructed"], indirect=True)
def test_another_instruction_is_compared_side_by_side_by_keyboard(address: str, visit: Page) -> None:
    visit.goto(address)
    answered(visit, "How tight?")
    visit.get_by_role("button", name="Why this answer").focus()
    visit.keyboard.press("Enter")
    panel = visit.get_by_role("dialog").filter(has_text="Why this answer")
    expect(panel.locator(".ranking tbody tr")).to_have_count(6)
    expect(panel.locator(".gate")).to_contain_text("81%")

    panel.get_by_role("button", name="Rank again").focus()
    visit.keyboard.press("Enter")
    expect(panel.locator(".ranking.short")).to_have_count(2)
    before, after = (panel.locator(".ranking.short").nth(index) for index in range(2))
    expect(before.locator("tr").first).to_contain_text("Candidate 1")
    expect(after.locator("tr").first).to_contain_text("Candidate 6")
    assert before.bounding_box()["y"] == pytest.approx(after.bounding_box()["y"], abs=2)

    visit.keyboard.press("Escape")
    expect(panel).to_have_count(0)


@pytest.mark.parametrize("address", ["quoted"], indirect=True)
def test_a_thumb_down_asks_what_is_wrong_also_on_a_phone(address: str, visit: Page) -> None:
    visit.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    visit.goto(address)
    answered(visit, "How tight?")
    visit.get_by_role("radio", name="Thumbs down").click()
    visit.get_by_role("radio", name="Wrong passage").click()
    expect(visit.get_by_role("radio", name="Wrong passage")).to_be_checked()
    visit.wait_for_timeout(2000)  # checked at once, but kept by the run of the script that follows

    visit.reload()
    expect(visit.get_by_role("radio", name="Wrong passage")).to_be_checked()
    assert visit.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("address", ["quoted"], indirect=True)
def test_a_chinese_browser_finds_the_chat_in_chinese(address: str, chromium: Browser) -> None:
    context = chromium.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_text("您想了解什么？")).to_be_visible()
    box = page.get_by_placeholder("就您的文档提问")
    box.fill("缸盖螺栓的力矩是多少？")
    box.press("Enter")
    for name in ("重新回答", "为何如此回答", "复制", "新对话"):
        expect(page.get_by_role("button", name=name)).to_be_visible()
    context.close()


@pytest.mark.parametrize("address", ["quoted"], indirect=True)
def test_the_chosen_language_goes_along_to_every_page(address: str, visit: Page) -> None:
    visit.goto(address)
    visit.get_by_role("radio", name="中文").click()
    for name, heading in (("文档库", "添加文档"), ("条款对照表", "问题和文档"), ("问答", "您想了解什么")):
        visit.get_by_role("link", name=name).click()
        expect(visit.get_by_text(heading).first).to_be_visible()
        expect(visit.get_by_role("radio", name="中文")).to_be_checked()


@pytest.mark.parametrize("address", ["slow"], indirect=True)
def test_a_click_elsewhere_does_not_stop_an_answer(address: str, visit: Page) -> None:
    visit.goto(address)
    ask(visit, "How tight are the head bolts?")
    expect(visit.locator(".answer")).to_contain_text("The bolts")

    visit.get_by_role("radio", name="中文").click()

    expect(visit.get_by_role("button", name="为何如此回答")).to_be_visible(timeout=60_000)
    expect(visit.locator(".answer")).to_contain_text("45 Nm")
