"""Full numbers of clauses: one form for many ways of printing, and items below the clause they belong to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clauses import ClauseTree, caption_number, chinese_value, normal_number, roman_value
from ingest.numbering import clause_number


@pytest.mark.parametrize(
    ("printed", "number"),
    [
        ("Section 12.3 (b)", "12.3(b)"),
        ("12.3(b)(ii)", "12.3(b)(ii)"),
        ("ARTICLE IV", "4"),
        ("Article 4", "4"),
        ("Sec. 4.1", "4.1"),
        ("§ 5", "5"),
        ("4.0", "4"),
        ("2.10", "2.10"),
        ("8.A", "8(A)"),
        ("Part III", "Part 3"),
        ("第十二条", "12"),
        ("第 12 条", "12"),
        ("第一百零五条", "105"),
        ("第八条第二款第（三）项", "8(三)"),
        ("第5.2节", "5.2"),
        ("第3章", "3"),
        ("第三章", "第3章"),
        ("三", "3"),
        ("EXHIBIT b", "Exhibit B"),
        ("Schedule II", "Schedule II"),
        ("附件一", "附件1"),
        ("附录 B", "附录B"),
    ],
)
def test_a_number_has_one_form_however_it_is_printed(printed: str, number: str) -> None:
    assert normal_number(printed) == number


@pytest.mark.parametrize(("number", "value"), [("十", 10), ("二十", 20), ("一百二十三", 123), ("二〇", 20), ("12", 12)])
def test_chinese_numbers_have_their_value(number: str, value: int) -> None:
    assert chinese_value(number) == value


@pytest.mark.parametrize(("letters", "value"), [("iv", 4), ("xix", 19), ("xl", 40), ("", 0), ("iiii", 0), ("c", 0)])
def test_roman_numbers_have_their_value(letters: str, value: int) -> None:
    assert roman_value(letters) == value


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("Table 4: Torques", "Table 4"),
        ("Table 4-1 Torques", "Table 4-1"),
        ("TABLE 12", "Table 12"),
        ("Fig. 3a. The pump", "Figure 3a"),
        ("表4-1 参数", "Table 4-1"),
        ("图2 系统", "Figure 2"),
        ("Table 4 shows the torques.", None),
        ("图2所示的系统", None),
        ("see Table 4", None),
    ],
)
def test_a_caption_has_the_number_of_its_table_or_figure(line: str, number: str | None) -> None:
    assert caption_number(line) == number


def numbers_of(*paragraphs: str) -> list[list[str]]:
    tree = ClauseTree()
    return [tree.paragraph(paragraph) for paragraph in paragraphs]


def test_items_have_the_number_of_the_clause_above_them() -> None:
    assert numbers_of("12.3 The Supplier:", "(a) delivers", "(b) and", "(i) insures", "(ii) packs", "(c) pays") == [
        ["12.3"],
        ["12.3(a)"],
        ["12.3(b)"],
        ["12.3(b)(i)"],
        ["12.3(b)(ii)"],
        ["12.3(c)"],
    ]


def test_a_clause_that_is_printed_whole_is_followed_by_its_next_item() -> None:
    assert numbers_of("12.3(b) The Supplier", "(c) The Buyer") == [["12.3(b)"], ["12.3(c)"]]


def test_the_ninth_letter_is_no_roman_one() -> None:
    letters = [f"({letter}) more" for letter in "abcdefghij"]

    assert numbers_of("4 Duties", "4.1 The Seller", *letters)[-2:] == [["4.1(i)"], ["4.1(j)"]]


def test_a_list_that_begins_anew_takes_the_place_of_the_one_before() -> None:
    assert numbers_of("1.1 A", "(a) x", "(i) y", "1.2 B", "(i) z", "(ii) w")[3:] == [["1.2"], ["1.2(i)"], ["1.2(ii)"]]


def test_plain_numbers_are_clauses_and_within_a_clause_a_list() -> None:
    assert numbers_of("2. Price", "2.1 Details:", "1. net", "2. gross", "3. Term") == [
        ["2"],
        ["2.1"],
        ["2.1(1)"],
        ["2.1(2)"],
        ["2.1(3)"],
    ]
    assert numbers_of("2. Price", "2.1 Details", "3. Term") == [["2"], ["2.1"], ["3"]]


def test_a_paragraph_without_number_goes_on_with_the_clause_above() -> None:
    assert numbers_of("4.2 The Seller", "Without delay.") == [["4.2"], ["4.2"]]
    assert numbers_of("Without a clause.", "(b) an item of nothing") == [[], []]


def test_items_within_a_sentence_are_found_and_do_not_go_on() -> None:
    assert numbers_of("7. The Seller shall: (a) deliver; and (b) insure.", "Promptly.") == [
        ["7", "7(a)", "7(b)"],
        ["7"],
    ]


def test_a_sentence_about_a_clause_begins_none() -> None:
    assert numbers_of("4.1 The Seller", "Section 5 shall survive.", "Exhibit B sets forth the prices.") == [
        ["4.1"],
        ["4.1"],
        ["4.1"],
    ]


def test_headings_number_what_stands_below_them() -> None:
    tree = ClauseTree()

    assert tree.heading("ARTICLE IV WARRANTY", 1) == ["4"]
    assert tree.paragraph("The Seller warrants") == ["4"]
    assert tree.heading("4.1 Scope", 2) == ["4.1"]
    assert tree.heading("(b) PAYMENT TERMS", 1) == ["4.1(b)"]
    assert tree.heading("Remarks", 2) == []
    assert tree.paragraph("Nothing else.") == ["4"]
    assert tree.heading("5 Delivery", 1) == ["5"]
    assert tree.heading("EXHIBIT B", 1) == ["Exhibit B"]
    assert tree.paragraph("1. Prices") == ["1"]
    assert tree.heading("Attachment C - Prices", 1) == ["Attachment C"]
    assert tree.heading("Index", 1) == []
    assert tree.paragraph("(a) alone") == []


def test_chinese_clauses_and_their_items() -> None:
    tree = ClauseTree()

    assert tree.heading("第十二条 违约责任", 4) == ["12"]
    assert tree.paragraph("（一）甲方应当付款。") == ["12(一)"]
    assert tree.paragraph("（二）乙方应当交货。") == ["12(二)"]
    assert tree.heading("三、付款方式", 2) == ["3"]
    assert tree.paragraph("1、首付款") == ["3(1)"]
    assert tree.paragraph("附件一：产品清单") == ["附件1"]


def test_roman_paragraphs_count_on() -> None:
    assert numbers_of("I. Purpose", "II. Duties", "V. Smith is a person.") == [["1"], ["2"], ["2"]]


def test_clauses_within_a_paragraph_are_found_where_they_count_on() -> None:
    tree = ClauseTree()
    text = "2.1 Price. The price is 3.5 Euro. 2.2 Term. The term is a year; see Section 9.9. 3. Notices. By post."

    assert [text[start : start + 6] for start in tree.inner_starts(text)] == ["2.2 Te", "3. Not"]
    assert tree.inner_starts("The price is final. 2.2 Term.") == []


def test_chinese_clauses_within_a_paragraph_are_found() -> None:
    tree = ClauseTree()
    text = "第八条 交货。甲方应当依照第九条规定验收。第九条 验收。按照本合同。第十条规定的除外。"

    assert [text[start : start + 3] for start in tree.inner_starts(text)] == ["第九条"]


MARKS = "(a)|(i)|(ii)|b)|C.|IV.|1.|2.|12.3|第十条|（二）|三、|Section 2.1|The|;"
LINES = st.text(max_size=60) | st.lists(st.sampled_from(MARKS.split("|")), max_size=6).map(" ".join)


@given(st.lists(st.tuples(st.booleans(), LINES), max_size=12))
def test_any_document_can_be_followed(lines: list[tuple[bool, str]]) -> None:
    tree = ClauseTree()
    for is_heading, line in lines:
        starts = tree.inner_starts(line)
        numbers = tree.heading(line, 1) if is_heading else tree.paragraph(line)

        assert starts == sorted(set(starts))
        assert all(0 < start < len(line) for start in starts)
        assert all(numbers)


def test_marks_without_end_take_no_time() -> None:
    tree = ClauseTree()
    tree.heading("4 Duties", 1)

    assert len(tree.heading("(a)" * 300_000, 1)) < 10


@given(st.text(max_size=80))
def test_any_number_that_is_read_has_a_form(line: str) -> None:
    printed = clause_number(line)

    assert printed is None or normal_number(printed)
