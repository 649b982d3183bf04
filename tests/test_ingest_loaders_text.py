"""Markdown and plain text."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.loaders.text import load_markdown, load_text, markdown_blocks, text_blocks


def outline(text: str) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.text) for block in text_blocks(text)]


def test_paragraphs_headings_and_clauses_of_plain_text_are_told_apart() -> None:
    text = "SUPPLY AGREEMENT\n\n4 Delivery\n4.1 The Seller shall deliver\nthe goods in May.\n4.2 Late is a breach.\n"

    assert outline(text) == [
        ("heading", 1, "SUPPLY AGREEMENT"),
        ("heading", 1, "4 Delivery"),
        ("text", 0, "4.1 The Seller shall deliver\nthe goods in May."),
        ("text", 0, "4.2 Late is a breach."),
    ]


def test_a_question_alone_on_its_line_heads_its_answer() -> None:
    assert outline("\nHow do I drain the oil?\nOpen valve V8.\n") == [
        ("heading", 3, "How do I drain the oil?"),
        ("text", 0, "Open valve V8."),
    ]


@given(st.text(max_size=400))
def test_no_word_of_plain_text_is_lost(text: str) -> None:
    kept = "".join("".join(block.text.split()) for block in text_blocks(text))
    letters = [character for character in text if character.isalnum()]

    assert [character for character in kept if character.isalnum()] == letters


def test_markdown_keeps_headings_tables_code_and_the_words_of_links() -> None:
    table = "| Code | Cause |\n|---|---|\n| E07 | oil \\| heat |"
    text = f"# Press\n\nSee [the *manual*](http://x.y).\n\n{table}\n\n```\nreset --all\n```\n"

    blocks = [(block.kind, block.level, block.text) for block in markdown_blocks(text)]

    assert blocks == [
        ("heading", 1, "Press"),
        ("text", 0, "See the manual."),
        ("table", 0, "| Code | Cause |\n| E07 | oil / heat |"),
        ("text", 0, "reset --all"),
    ]


def test_items_of_numbered_lists_carry_their_number() -> None:
    """A contract in Markdown refers to "Section 4.2", which only a rendered page shows."""
    text = "4. Fees\n    1. Fees are due.\n    2. Taxes\n\n       are extra.\n\n- a bullet\n  1. a step\n"

    assert [block.text for block in markdown_blocks(text)] == [
        "4. Fees",
        "4.1. Fees are due.",
        "4.2. Taxes",
        "are extra.",
        "a bullet",
        "1. a step",
    ]


def test_titles_come_from_the_first_heading(tmp_path: Path) -> None:
    markdown, plain = tmp_path / "a.md", tmp_path / "plain.txt"
    markdown.write_text("## Press HP-40\n\nText.", encoding="utf-8")
    plain.write_text("Text.", encoding="utf-8")

    assert load_markdown(markdown).title == "Press HP-40"
    assert load_text(plain).title == ""
