"""Which clauses of another document a text changes, in the words of real amendments."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.amending import WHOLE, amended, amendings, is_of_amendment, runs_on


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Clause 9.1 of the Agreement is deleted and replaced by the following: “9.1 See clause 6.2.”", ["9.1"]),
        ("In clause 4.2 of the Agreement, “15 Business Days” is replaced by “20 Business Days”.", ["4.2"]),
        ("Section 5 of the Agreement is hereby deleted in its entirety and replaced with the following:", ["5"]),
        ("Section 2.13(d) of the Credit Agreement is hereby amended and restated as follows:", ["2.13(d)"]),
        ("1.1 Clause 2.1 of the Original Agreement is hereby deleted in its entirety.", ["2.1"]),
        ("Section 7 (Audits and Records) of the DPA is hereby deleted and replaced.", ["7"]),
        ('Section 7.2 is amended by deleting "Net 30" and substituting "Net 45".', ["7.2"]),
        ("Sections 3.1 and 3.2 of the Lease shall be deleted.", ["3.1", "3.2"]),
        ("Section 3.2 to 3.4 of the Lease are hereby deleted.", ["3.2", "3.3", "3.4"]),
        ("Sections 3 through 6 are deleted.", ["3", "4", "5", "6"]),
        ("Clauses 4.9 – 4.12 and 7 are deleted.", ["4.9", "4.10", "4.11", "4.12", "7"]),
        ("Section 3.2 to Section 4.1 are deleted.", ["3.2", "4.1"]),
        ("原合同第五条至第八条删除。", ["5", "6", "7", "8"]),
        ("The following language shall replace Section 3(e): Equity.", ["3(e)"]),
        ("The Agreement is hereby amended by deleting Section 5.2 and inserting new words.", ["5.2"]),
        ("The Parties agree to amend Section 8 as follows.", ["8"]),
        ("Exhibit B to the Agreement is hereby replaced by Exhibit B-1 attached hereto.", ["Exhibit B"]),
        ("The first paragraph of Section 4 of the Agreement is hereby deleted in its entirety", ["4"]),
        ("Section 14.5 is deleted; Section 15 is amended to read as follows:", ["14.5", "15"]),
        ("Section 5 of that certain Services Agreement dated as of March 1, 2023, is hereby deleted.", ["5"]),
        ('Pipes of 2" are used.\nSection 5 of the Agreement is hereby deleted.', ["5"]),
        ('Section 5 is replaced by "Pipes of 19" are used, as ever." Section 7 is deleted.', ["5", "7"]),
        ("Clause 4.1 shall henceforth read as follows: “4.1 New.”", ["4.1"]),
        (
            "The Agreement is amended by:\n(a) deleting Section 5;\n(b) replacing Section 6 with the following:",
            ["5", "6"],
        ),
        ("Delete clause 4.1 and insert the following:", ["4.1"]),
        ("The Term set forth in Section 3 is hereby extended to 31 December 2028.", ["3"]),
        ("The Expiration Date in Section 1.4 of the Lease is hereby changed to March 31, 2029.", ["1.4"]),
        ("Section 5 (as amended by Section 2 of the First Amendment) is hereby deleted.", ["5"]),
        ("In accordance with Section 12 (Amendments), Section 5 of the Agreement is hereby amended:", ["5"]),
        ("Pursuant to Section 2 of this Amendment, Section 5 of the Agreement is hereby deleted.", ["5"]),
        ("Section 5 is deleted and Section 6 is replaced by the following:", ["5", "6"]),
        ("Section 3 of Amendment No. 1 is hereby amended and restated as follows:", ["3"]),
        ("Section 7.2 shall be and hereby is amended to read in full as follows:", ["7.2"]),
        ("This letter confirms that clause 7.2 of the Agreement is varied so that the fee is EUR 10.", ["7.2"]),
        ("Section 2.1 Section 1.01 of the Credit Agreement is hereby amended and restated:", ["1.01"]),
        ("Article 9 of the Credit Agreement is hereby amended by deleting the words “Managing Agent”.", ["9"]),
        ("第一条 原合同第五条修改为：“五”", ["5"]),
        ("第五条 付款方式修改为：“五”", ["5"]),
        (
            "(a) Upon the satisfaction of the conditions in Section 3(b) of this First Amendment, Section 1.01 of the "
            "Credit Agreement is hereby amended by adding the following defined terms:",
            ["1.01"],
        ),
        ("原合同第四条修改为：“第四条 交货期为 30 日，见第九条。”", ["4"]),
        ("《采购合同》第五条修改为：“五”", ["5"]),
        ("双方同意将《采购合同》第3.2条替换为以下内容：", ["3.2"]),
        ("根据《采购合同》第十二条的约定，双方将第五条修改如下：", ["5"]),
        ("根据本补充协议第一条，原合同第五条变更为：“五”", ["5"]),
        ("第八条中的“30日”改为“45日”。", ["8"]),
        ("原合同第四条的交货日期延长至2027年3月1日。", ["4"]),
        ("以本协议附件一替换原合同附件一。", ["附件1"]),
    ],
)
def test_the_changed_clauses_are_named(text: str, clauses: list[str]) -> None:
    assert amended(text) == clauses


@pytest.mark.parametrize(
    "text",
    [
        "This Agreement may be amended only in writing, see Section 18.3.",
        "The Seller shall deliver within the period of clause 4.1.",
        "Liquidated damages under clause 4.4 of the Agreement are counted from the new Delivery Date only.",
        "A new Section 14.5 is hereby added to the Agreement as follows:",
        "Parts that are replaced under clause 9.1 carry a warranty of 12 months.",
        "The invalid provision shall be replaced by a valid one.",
        "Section 14 is amended by inserting a new Section 14.5.",
        "Article V of the Credit Agreement is hereby amended by inserting the following as a new Section 5.21:",
        "(b) In the event that the buyer gives notice, Section 5 shall be deleted.",
        "Following the date of such notice, the restrictions in Section 8.2(a) shall no longer apply to the buyer.",
        "The license granted under section 3 shall be revoked.",
        "The Proxy Statement and Schedule 13 will be true at any time it is amended.",
        "第十五条 网络服务提供者接到权利人的通知书后，应当立即删除涉嫌侵权的作品。",
        "主合同解除后，担保人对债务人承担的责任见第三条。",
        "No amendment of Section 5 shall be effective unless in writing.",
        "The Agreement, as amended from time to time, including Section 5, governs.",
        "Section 5 shall be amended only by a written agreement of both parties.",
        "If the index ceases to exist, Section 5 shall be amended accordingly.",
        "Any provision of Section 5 that is amended shall be notified.",
        "Section 5 of the Bankruptcy Code is amended by the Act of 2019.",
        "Except as otherwise provided, Section 5 shall not be amended.",
        "Notwithstanding Section 5 of the Agreement, the Buyer may pay in 60 days.",
        "If the Agreement is terminated, Section 5 survives.",
        "Either party may terminate the Agreement under Section 9.",
        "The Agreement is hereby amended as follows:",
        "Except as amended hereby, the Agreement remains in full force and effect.",
        "This Agreement supersedes all prior agreements between the parties.",
        "未经双方书面同意，不得修改第五条。",
        "本合同的任何修改须采用书面形式，见第五条。",
        "《民法典》第五百条修改为新的内容。",
        "如双方解除原合同，第五条仍然有效。",
        "原合同其他条款不变，继续有效。",
        "本补充协议自双方签字之日起生效。",
    ],
)
def test_what_only_speaks_of_a_clause_changes_none(text: str) -> None:
    assert amended(text) == []


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("Section 5 of the Agreement is hereby deleted in its entirety.", ["5"]),
        ("Section 5 (“Payment”) is hereby deleted.", ["5"]),
        ("Sections 5 and 6, as amended by Section 3 of the First Amendment, are hereby deleted.", ["5", "6"]),
        ("Section 5 shall be of no further force or effect.", ["5"]),
        ("Section 5 is hereby deleted and Section 6 is hereby amended to read as follows:", ["5"]),
        ("Clause 9.1 is deleted and the following inserted in lieu thereof: “9.1 New.”", []),
        ("Section 5 is deleted. In its place the following is inserted: “5. New.”", []),
        ("Exhibit B is deleted and a new Exhibit B is substituted therefor.", []),
        ("The second sentence of Section 4 is hereby deleted.", []),
        ('In clause 4.2, the words "ten" are deleted.', []),
        ("The Agreement is hereby terminated effective as of 1 March 2026.", [WHOLE]),
        ("The Parties hereby agree to terminate the Supply Agreement with effect from 1 March 2026.", [WHOLE]),
        ("第五条删除。", ["5"]),
        ("删除第五条。", ["5"]),
        ("原合同第五条、第六条同时废止。", ["5", "6"]),
        ("第七条不再适用。", ["7"]),
        ("第五条第二款第一句删除。", []),
        ("删除第五条，替换为：“第五条 新。”", []),
        ("原合同自2026年3月1日起终止。", [WHOLE]),
        ("双方同意解除《采购合同》。", [WHOLE]),
    ],
)
def test_a_clause_ends_where_nothing_takes_its_place(text: str, ended: list[str]) -> None:
    assert [change.target for change in amendings(text) if change.ends] == ended
    assert amendings(text)


@pytest.mark.parametrize(
    "text",
    [
        "This Agreement amends and restates in its entirety the Supply Agreement dated 3 March 2023.",
        "The Original Agreement is hereby amended and restated in its entirety as set forth in Exhibit A.",
    ],
)
def test_a_restated_agreement_changes_the_whole_one(text: str) -> None:
    assert [(change.target, change.ends) for change in amendings(text)] == [(WHOLE, False)]


@pytest.mark.parametrize(
    ("text", "of_amendment"),
    [
        ("Section 1.1 of the First Amendment is hereby deleted.", True),
        ("Section 3 of Amendment No. 1 is hereby amended as follows:", True),
        ("第一次补充协议第二条修改为：“二”", True),
        ("《采购合同》补充协议第二条删除。", True),
        ("Section 5 of the Agreement is hereby deleted.", False),
        ("原合同第五条删除。", False),
    ],
)
def test_whose_clause_it_is_stands_beside_its_number(text: str, of_amendment: bool) -> None:
    (change,) = amendings(text)

    assert is_of_amendment(change.document) is of_amendment


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("This Agreement supersedes the Confidentiality Agreement between the parties.", "Confidentiality Agreement"),
        ("The Supply Agreement is hereby terminated.", "Supply Agreement"),
        ("双方同意解除《采购合同》。", "《采购合同》"),
        ("原合同自2026年3月1日起终止。", "原合同"),
    ],
)
def test_what_ends_a_whole_document_names_it(text: str, document: str) -> None:
    assert [(change.target, change.document) for change in amendings(text)] == [(WHOLE, document)]


def test_new_wording_may_hold_quotation_marks_itself() -> None:
    text = "Clause 4.1 is replaced by: “4.1 By 28 November (the “Delivery Date”), see clause 6.2.” Clause 5 is deleted."

    assert amended(text) == ["4.1", "5"]


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        ("Clause 9.1 is replaced by the following:", True),
        ("Clause 9.1 is replaced by: “9.1 The Seller warrants", True),
        ("Clause 9.1 is replaced by: “9.1 The Seller warrants.”", False),
        ('Clause 9.1 is replaced by: "9.1 The Seller warrants', True),
        ('Clause 9.1 is replaced by: "9.1 The Seller warrants 30"', False),
        ('Pipes of 2" are used. Clause 9.1 is replaced by: "9.1 New."', False),
    ],
)
def test_wording_that_is_cut_goes_on_behind(text: str, goes_on: bool) -> None:
    assert runs_on(text) is goes_on


@given(st.text(alphabet='Section 4.1(a) is hereby deleted“”".:\n第四条删除'))
def test_any_text_is_read(text: str) -> None:
    assert all(amended(text))


@pytest.mark.parametrize("unit", ["Section 4 of the A is amended ", "“", '"', "of the A ", "第四条", "is hereby "])
def test_no_text_takes_long(unit: str) -> None:
    started = time.perf_counter()
    amended(unit * (20_000 // len(unit)))
    assert time.perf_counter() - started < 2
