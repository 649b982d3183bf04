from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from fake_assistant import GATE, HOSTILE, QUOTE, RANKING, TABLE, TEXT
from hypothesis import given
from hypothesis import strategies as st

from rag_app.answer import Statement
from ui.markup import (
    bar_lengths,
    escape_label,
    gate_html,
    passage_html,
    place,
    quoted_html,
    ranking_html,
    reranked_html,
    shorten,
    timings_html,
    written_html,
)
from ui.text import catalogue

OURS = {"div", "p", "br", "table", "thead", "tbody", "tr", "td", "th", "mark", "sup", "b", "i", "span"}
FROM_MARKDOWN = {
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "strong",
    "em",
    "code",
    "pre",
    "blockquote",
    "hr",
}


class Tags(HTMLParser):
    """The elements of some HTML, its attributes and its text, as a browser would read them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


hostile_text = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from(
            [HOSTILE, TABLE, "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "[1]", "|", "\n\n", "`"]
        ),
    ),
    max_size=8,
).map("".join)


@given(hostile_text)
def test_a_quoted_answer_holds_no_element_but_ours(text: str) -> None:
    tags = Tags(quoted_html(text, {1}))

    assert tags.names <= OURS
    assert tags.attributes <= {"class"}
    assert not tags.open


@given(hostile_text)
def test_a_written_answer_holds_no_element_that_loads_or_links(text: str) -> None:
    tags = Tags(written_html(text, {1}))

    assert tags.names <= OURS | FROM_MARKDOWN
    assert tags.attributes <= {"class", "start", "style"}
    assert not tags.open


@given(hostile_text, st.lists(hostile_text, max_size=3))
def test_a_passage_holds_no_element_but_ours_and_all_its_elements_are_closed(text: str, quotes: list[str]) -> None:
    tags = Tags(passage_html(text, [*quotes, text[2:9]]))

    assert tags.names <= OURS
    assert not tags.open


def test_hostile_text_is_shown_as_it_stands_in_the_document() -> None:
    assert HOSTILE in Tags(passage_html(TEXT)).text
    assert HOSTILE in Tags(quoted_html(f"“{HOSTILE}” [1]", {1})).text
    assert HOSTILE in Tags(ranking_html(RANKING, ())).text
    assert HOSTILE in Tags(reranked_html(RANKING, dict.fromkeys((one.chunk_id for one in RANKING), 1))).text


def test_marks_become_badges_only_where_a_passage_has_the_number() -> None:
    html = quoted_html("It is 45 Nm [1], see [7].", {1, 2})

    assert '<sup class="mark">1</sup>' in html
    assert "[7]" in html


def test_a_written_answer_keeps_its_lists_and_emphasis_and_its_code_keeps_brackets() -> None:
    html = written_html("The **bolt** [1]:\n\n- `a[1]`\n", {1})

    assert "<strong>bolt</strong>" in html
    assert "<li>" in html
    assert "<code>a[1]</code>" in html


@pytest.mark.parametrize("text", ["![x](http://198.51.100.1/x.png)", "[x](http://198.51.100.1)", "<b>x</b>", "&lt;"])
def test_a_written_answer_shows_images_links_and_html_as_text(text: str) -> None:
    assert text in Tags(written_html(text, ())).text


def test_a_quote_is_highlighted_across_line_breaks() -> None:
    html = passage_html("Tighten the head\nbolts to 45 Nm. Then rest.", ["Tighten the head bolts to 45 Nm."])

    assert "<mark>Tighten the head</mark><br><mark>bolts to 45 Nm.</mark> Then rest." in html


def test_a_quoted_table_row_is_highlighted_cell_by_cell() -> None:
    html = passage_html(TABLE, ["| E07 | Oil pressure too low |"])

    assert "<tr><th>Code</th><th>Meaning</th></tr>" in html
    assert "<td><mark> E07 </mark></td><td><mark> Oil pressure too low </mark></td>" in html
    assert "<td>E08</td>" in html


def test_a_quote_that_is_not_in_the_passage_highlights_nothing() -> None:
    assert "<mark>" not in passage_html(TEXT, ["Loosen the head bolts."])


def test_overlapping_quotes_are_highlighted_as_one() -> None:
    assert passage_html(QUOTE, ["Tighten the head", "head bolts"]).count("<mark>") == 1


@given(st.lists(st.floats(-100, 100)))
def test_bars_are_shares_of_the_highest_score_and_keep_the_order(scores: list[float]) -> None:
    lengths = bar_lengths(scores)

    assert all(0 <= length <= 1 for length in lengths)
    assert sorted(range(len(scores)), key=lambda index: scores[index]) == sorted(
        range(len(scores)), key=lambda index: (lengths[index], scores[index])
    )


def test_a_passage_without_a_score_shows_no_number_and_no_bar() -> None:
    html = ranking_html([RANKING[0], replace(RANKING[1], score=None)], ())

    assert Tags(html).text.count("not scored") == 1
    assert html.count("class='rerank'") == 1
    assert "None" not in html
    assert bar_lengths([None, 0.5, None]) == [0.0, 1.0, 0.0]
    assert bar_lengths([None]) == [0.0]


def test_the_ranking_shows_the_place_before_and_after() -> None:
    text = Tags(ranking_html([*RANKING, replace(RANKING[0], rank=7, retrieval_rank=7)], ())).text

    assert "6 → 1▲ 5" in text
    assert "7 → 7as before" in text
    assert "1 → 6▼ 5" in text


def test_a_passage_that_the_answer_was_made_from_is_set_off() -> None:
    assert ranking_html(RANKING, {"chunk-2"}).count('<tr class="given">') == 1


def test_the_gate_shows_its_threshold_and_the_features_that_it_read() -> None:
    html = gate_html(GATE)

    assert "81%" in Tags(html).text
    assert 'title="55%"' in html
    assert "best match with the question1.10× 1.36" in Tags(html).text
    assert "missing" not in Tags(html).text


def test_timings_are_shown_in_order_with_their_sum() -> None:
    shown = Tags(timings_html({"dense": 14.0, "answer": 1486.0})).text

    assert shown == "search by meaning14 msanswer1.5 stotal1.5 s"


def test_a_label_is_one_line_in_which_all_punctuation_is_escaped() -> None:
    assert escape_label("a\n# b [x](y) :smile:") == "a \\# b \\[x\\]\\(y\\) \\:\u2060smile\\:\u2060"


@given(st.text(), st.integers(4, 40))
def test_a_shortened_name_keeps_both_ends(text: str, limit: int) -> None:
    short = shorten(text, limit)

    assert len(short) <= max(limit, 0)
    assert short == text or (short[0] == text[0] and short[-1] == text[-1])


def test_a_place_shows_the_printed_label_and_nothing_without_pages() -> None:
    assert place(7, "", has_pages=True) == "p. 7"
    assert place(3, "iii", has_pages=True) == "p. iii"
    assert place(1, "", has_pages=False) == ""


def test_statements_in_doubt_carry_a_sign_with_its_meaning() -> None:
    text = "It is **so.** [1]\n\n| a | b |\n|---|---|\n| c | d |\n\nEnd <b>.\ue003"
    table = text.index("|")
    statements = [
        Statement(0, 17, (1,), "weak"),
        Statement(table, text.index("\n\nEnd"), (), "unsupported"),
        Statement(text.index("End"), len(text) - 1, (), "verified"),
    ]
    html = written_html(text, {1}, statements)

    assert "<strong>so.</strong>" in html
    assert html.count('<span class="doubt weak" title="the cited passage agrees only in part, compare it">') == 1
    assert html.count('<span class="doubt unsupported"') == 1
    assert "<td>d</td></tr>" in html.replace("\n", "")
    assert "&lt;b&gt;" in html


@given(hostile_text, st.data())
def test_signs_add_nothing_but_themselves(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    ends = sorted({data.draw(st.integers(0, len(text))) for _ in range(3)})
    statements = [Statement(a, b, (), "unsupported") for a, b in pairwise([0, *ends])]

    assert Tags(written_html(text, {1}, statements)).names <= OURS | FROM_MARKDOWN


@pytest.mark.parametrize(
    "stage", ["standalone", "dense", "keyword", "fuse", "rerank", "long", "gate", "closure", "answer"]
)
def test_every_stage_has_words_in_both_languages(stage: str) -> None:
    assert set(catalogue()[f"markup.stage-{stage}"]) == {"en", "zh"}
