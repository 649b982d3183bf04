"""What a passage defines and points to, in English and Chinese; and that no text takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.clauses import ClauseTree
from ingest.references import Reference, definitions, references, says_what_it_means


def targets(text: str) -> list[str]:
    return [reference.target for reference in references(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see Section 12.3", [Reference("clause", "12.3")]),
        ("pursuant to Article IV", [Reference("clause", "4")]),
        ("as defined in Section 1.", [Reference("clause", "1")]),
        ("refer to chapter 5.2", [Reference("clause", "5.2")]),
        ("under Part II", [Reference("clause", "Part 2")]),
        ("see Table 4-1 on page 17", [Reference("table", "Table 4-1"), Reference("page", "17")]),
        ("Fig. 3a", [Reference("figure", "Figure 3a")]),
        ("listed in Exhibit B hereto", [Reference("attachment", "Exhibit B")]),
        ("Schedule 2 and Annex A", [Reference("attachment", "Schedule 2"), Reference("attachment", "Annex A")]),
        ("见第八条", [Reference("clause", "8")]),
        ("按照本合同第十二条", [Reference("clause", "12")]),
        ("第八条第二款第（三）项", [Reference("clause", "8(三)")]),
        ("见附件一和表4", [Reference("attachment", "附件1"), Reference("table", "Table 4")]),
        (
            "参见第3章，第17页，图 2",
            [Reference("clause", "3"), Reference("page", "17"), Reference("figure", "Figure 2")],
        ),
    ],
)
def test_a_reference_has_a_kind_and_a_target(text: str, found: list[Reference]) -> None:
    assert references(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Sections 5, 6 and 7(a)", ["5", "6", "7(a)"]),
        ("Sections 4.1 through 4.5", ["4.1", "4.5"]),
        ("Section 5(a), (b) or (c)", ["5(a)", "5(b)", "5(c)"]),
        ("under Section 5, 30 days after", ["5"]),
        ("clause (h) of this Section 2", ["2(h)"]),
        ("Appendices A and B", ["Appendix A", "Appendix B"]),
        ("第十二条、第十三条及第二十条", ["12", "13", "20"]),
    ],
)
def test_several_numbers_after_one_word_are_several_references(text: str, found: list[str]) -> None:
    assert targets(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Section 5 of the Securities Act",
        "Section 409A of the Code",
        "Sections 3(1) and 3(2) of ERISA",
        "15 U.S.C. § 78",
        "Article 6(1) GDPR",
        "GDPR Article 6",
        "Section 2(h) of the Trust Agreement",
        "Section 4 of the Agreement and Plan of Merger",
        "Section 5 of the applicable data protection laws",
        "Section 7 thereof",
        "Section 1.1502-6 under the Treasury Regulations",
        "Table 4 of the Installation Guide",
        "《民法典》第五百条、第五百零一条",
        "《中华人民共和国公司法》（2018年修正）第三条",
        "依照公司法第二十条",
    ],
)
def test_places_in_laws_and_other_documents_are_left_out(text: str) -> None:
    assert targets(text) == []


@pytest.mark.parametrize("text", ["Section 5 of this Agreement", "Section 5 of the Agreement", "根据本法第五条"])
def test_places_in_this_document_are_not(text: str) -> None:
    assert targets(text) == ["5"]


@pytest.mark.parametrize(
    "text", ["Schedule a meeting", "see part 4", "two tables", "Page 3 of 10", "Page 17", "代表4名"]
)
def test_other_words_and_numbers_are_no_references(text: str) -> None:
    assert targets(text) == []


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ('"Affiliate" means any company', ["Affiliate"]),
        ("“Confidential Information” shall mean all", ["Confidential Information"]),
        ('"Affiliate" or "Affiliates" means', ["Affiliate", "Affiliates"]),
        ('"Change of Control", with respect to a party, means', ["Change of Control"]),
        ('"Term" has the meaning set forth in Section 3', ["Term"]),
        ("‘Goods’ means goods", ["Goods"]),
        ("1.1 Net Sales means the price", ["Net Sales"]),
        ('Acme Inc. (the "Supplier")', ["Supplier"]),
        ("(each a “Party” and, collectively, the “Parties”)", ["Party", "Parties"]),
        ('Acme Inc. (hereinafter "X")', ["X"]),
        ('hereinafter referred to as the "Buyer"', ["Buyer"]),
        ("“交付日”是指货物交付之日", ["交付日"]),
        ("“损失”指全部损失", ["损失"]),
        ("苏州公司（以下简称“甲方”）", ["甲方"]),
        ("苏州公司（以下简称甲方）", ["甲方"]),
        ("（“本合同”）", ["本合同"]),
    ],
)
def test_a_definition_names_its_term(text: str, terms: list[str]) -> None:
    assert definitions(text) == terms


@pytest.mark.parametrize("text", ['he said "no" (see "foo" below)', "This means that it ends.", "a means of transport"])
def test_quotation_marks_alone_define_nothing(text: str) -> None:
    assert definitions(text) == []


@given(st.lists(st.integers(1, 99), min_size=1, max_size=4), st.lists(st.sampled_from("abcdefgh"), max_size=2))
def test_a_reference_finds_the_clause_by_equality(levels: list[int], items: list[str]) -> None:
    """What the clauses of a document are called and what points to them is written in the same way."""
    number = ".".join(map(str, levels)) + "".join(f"({item})" for item in items)

    assert targets(f"as set out in Section {number}, below") == ClauseTree().paragraph(f"Section {number} Price")[:1]


PARTS = (
    'Section |Sections |12.3|(a)|, |and |or | of the |Act |IV|第|十|条|、|《|》|"|“|”|(|)|means |the |'
    "hereinafter |以下简称|表|4|.|-|\n| |A|XX|Table |Exhibit |是指|附件"
)
HOSTILE = st.lists(st.sampled_from(PARTS.split("|")), min_size=1, max_size=6).map("".join)


@settings(max_examples=60, deadline=None)
@given(HOSTILE)
def test_the_time_is_bounded_by_the_length(fragment: str) -> None:
    """Every repetition in a pattern has a limit; a text made of what they look for shows one that has none."""
    text = (fragment * 20_000)[:20_000]
    started = time.process_time()

    references(text)
    definitions(text)

    assert time.process_time() - started < 4.0


@given(st.text(max_size=300) | HOSTILE)
def test_any_text_can_be_read(text: str) -> None:
    assert all(reference.target for reference in references(text))
    assert all(0 < len(term) <= 200 for term in definitions(text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("“Goods” means the two presses.", True),
        ('The "Goods", of either party, shall mean the presses.', True),
        ("The Goods are sold. “Goods” has the meaning given in clause 9.1.", True),
        ("“Goods”是指两台压机。", True),
        ("Presswerk AB (the “Goods”) sells two presses.", False),
        ("No term is defined here.", False),
    ],
)
def test_a_term_is_told_or_only_given(text: str, says: bool) -> None:
    assert says_what_it_means("Goods", text) is says
