"""Which text layers a person could not read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.loaders.text_quality import rubbish

GOOD = "The pump delivers oil to the manifold block; 4.2 l/min at 275 bar (see Section 12.3)."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        GOOD,
        "第十二条 违约责任：甲方逾期付款的，每逾期一日应支付违约金。",
        "تحسين الإنتاجية وحل المشكلات، من خلال البرمجة",
        "Oil level .................................. 12\nFilter .............................. 13",
        "Name: ____________________  Date: ____________",
        "****************:*********** .*****",
        "\uf0b7 Fill up the oil.\n\uf0b7 Bleed the pump.\n\uf0b7 Start it.",
        "x = {'a': [1, 2], 'b': (3, 4)}",
    ],
)
def test_what_can_be_read_is_kept(text: str) -> None:
    assert rubbish(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "(cid:12)(cid:34)(cid:5) (cid:7)(cid:8)",
        "\ufffd\ufffd\ufffd oil \ufffd\ufffd",
        "\ue001\ue002\ue003 \ue004\ue005",
        "7KH\x03SXPS\x03GHOLYHUV\x03RLO\x03WR\x03D\x03EORFN",  # glyph numbers 29 below the letters
        '"7+%-',
    ],
    ids=["cid marks", "unmapped", "private use", "control characters", "signs only"],
)
def test_rubbish_is_named_with_its_share(text: str) -> None:
    assert "%" in rubbish(text)


@given(st.text())
def test_any_text_is_judged_in_a_sentence(text: str) -> None:
    assert rubbish(text) == "" or rubbish(text).endswith(".")


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=1))
def test_letters_and_digits_are_never_rubbish(text: str) -> None:
    assert rubbish(text) == ""
