"""Which contract an amendment names."""

from __future__ import annotations

import pytest

from rag_app.openings import Opening, is_named

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
