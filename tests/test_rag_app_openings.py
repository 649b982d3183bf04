"""Which contract an amendment names."""

from __future__ import annotations

import pytest

from rag_app.openings import Opening, is_meant, is_named, is_same_work, ordinal, signed

AMENDMENT = Opening(
    "Amendment No. 1",
    "This amendment to the Supply Agreement dated 3 March 2023 is made on 4 April 2024 between Alder Peak Systems Ltd "
    "and Highfield Logistics Group Ltd.",
)
PARTIES = "between Alder Peak Systems Ltd and Highfield Logistics Group Ltd"


@pytest.mark.parametrize(
    ("title", "text", "named"),
    [
        pytest.param("Supply Agreement", f"Made on 3 March 2023 {PARTIES}.", True, id="title, date, parties"),
        pytest.param("signed-final-v2", f"Made on 3 March 2023 {PARTIES}.", True, id="a title that says nothing"),
        pytest.param("Supply Agreement", f"Made {PARTIES}.", True, id="no date of its own"),
        pytest.param("Supply Agreement", f"Made on 9 July 2021 {PARTIES}.", False, id="another date"),
        pytest.param("Supply Agreement SA-77", f"No. SA-77 of 3 March 2023 {PARTIES}.", False, id="another number"),
        pytest.param("Supply Agreement", "Made between Cedar Holdings and Dune Foods Ltd.", False, id="other parties"),
        pytest.param("Press manual HP-40", "Clean the filter.", False, id="no contract"),
    ],
)
def test_two_signs_must_agree_and_none_disagree(title: str, text: str, named: bool) -> None:
    assert is_named(Opening(title, text), AMENDMENT) is named


def test_a_number_and_a_title_are_enough() -> None:
    contract = Opening("Supply Agreement No. SA-77", "The parties agree as follows.")

    assert is_named(contract, Opening("Change", "It changes the supply agreement SA-77."))


@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("Amendment No. 2 to the Supply Agreement", 2),
        ("Second Amendment to First Lease", 2),
        ("Amendment to the Supply Agreement", 0),
        ("设备采购合同第三次补充协议", 3),
        ("设备采购合同补充协议二", 2),
        ("补充协议（2）", 2),
        ("Second Master Services Agreement", 0),
    ],
)
def test_amendments_are_counted(title: str, number: int) -> None:
    assert ordinal(title) == number


@pytest.mark.parametrize(
    ("document", "title", "by", "meant"),
    [
        ("of the Agreement", "Supply Agreement", "Second Amendment to Supply Agreement", True),
        ("of the Agreement", "First Amendment to Supply Agreement", "Second Amendment to Supply Agreement", False),
        ("of the First Amendment", "Supply Agreement", "Second Amendment to Supply Agreement", False),
        ("of the First Amendment", "First Amendment to Supply Agreement", "Second Amendment", True),
        ("of the First Amendment", "Amendment to Supply Agreement", "Second Amendment", True),
        ("of the First Amendment", "Third Amendment to Supply Agreement", "Second Amendment", False),
        ("", "Supply Agreement", "Second Amendment to Supply Agreement", True),
        ("", "First Amendment to Supply Agreement", "Second Amendment to Supply Agreement", False),
        ("", "First Amendment to Supply Agreement", "Second Amendment to the First Amendment", True),
        ("", "Food Supplements Supply Agreement", "Amendment No. 1", True),
        ("", "Supply Agreement", "Maintenance of the hose", False),
        ("of the Confidentiality Agreement", "Supply Agreement", "Amendment No. 1", False),
        ("Letter", "Supply Agreement", "Amendment No. 1", False),
        ("Privacy Agreement", "Supply Agreement", "Data Processing Agreement", False),
        ("of the said Original Agreement", "Master Supply Agreement No. 7", "Amendment No. 1", True),
        ("the Supply Agreement", "Master Supply Agreement No. 7", "Amendment No. 1", True),
        ("of the MSA", "Master Services Agreement No. 7", "Amendment No. 1", True),
        ("《采购合同》", "设备采购合同", "补充协议", True),
        ("《保密协议》", "设备采购合同", "补充协议", False),
        ("原合同", "设备采购合同", "补充协议", True),
    ],
)
def test_a_clause_is_that_of_the_document_that_is_named(document: str, title: str, by: str, meant: bool) -> None:
    assert is_meant(Opening(title, ""), Opening(by, ""), document) is meant


def test_a_document_may_be_called_as_it_or_its_amendment_defines() -> None:
    contract = Opening("Tenancy Agreement", "Between A and B (the “Letting Contract”).")
    by = Opening("Amendment No. 1", "It amends the Tenancy Agreement of 1 May 2020 (the “Lease”).")

    assert is_meant(contract, by, "of the Lease")
    assert is_meant(contract, by, "of the Letting Contract")
    assert not is_meant(contract, by, "of the Licence")


def test_a_document_may_be_called_as_it_calls_itself() -> None:
    contract = Opening("signed-final", f"{'Acme ' * 40}\nTHIS FLEET LEASE AND SERVICE AGREEMENT is made by Acme.")
    order = Opening("Order", f"{'Acme ' * 40}\nThis Order is one under the Fleet Agreement.")
    by = Opening("Amendment No. 1", "")

    assert is_meant(contract, by, "of the Fleet Lease")
    assert not is_meant(order, by, "of the Fleet Agreement")


def test_a_restated_agreement_is_not_amended_by_what_came_before_it() -> None:
    restated = Opening(
        "Amended and Restated Supply Agreement",
        f"Made on 5 May 2025 {PARTIES}, it restates the Supply Agreement of 3 March 2023.",
    )

    assert not is_named(restated, AMENDMENT)
    assert is_same_work(restated, Opening("Supply Agreement", f"Made on 3 March 2023 {PARTIES}."))


def test_an_amendment_has_a_date_of_its_own() -> None:
    contract = Opening("Supply Agreement", f"Made on 3 March 2023 {PARTIES}.")

    assert AMENDMENT.dated(contract) == "4 April 2024"
    assert Opening("Amendment", "Delivery by 28 November 2027 under that of 3 March 2023.").dated(contract) == ""
    assert Opening("Amendment", "Clause 4 reads: “4 On 28 November 2027.”").dated(contract) == ""


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("四、其他\n甲方（盖章）：\n签订日期：2024年6月1日", "2024年6月1日"),
        ("Signed for the Buyer\nDate: 5 January 2026", "5 January 2026"),
        ("Made on 5 January 2026.", ""),
    ],
)
def test_the_day_of_signing_may_stand_at_the_end(text: str, day: str) -> None:
    assert signed(text) == day
