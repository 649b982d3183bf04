"""From when an amendment holds, in the words of real amendments, and whether that day has come."""

from __future__ import annotations

from datetime import date

import pytest

from rag_app.answer import Standing
from rag_app.dates import dates
from rag_app.effective import effective_day, since, standing

CHANGE = "Section 5 is hereby deleted."
CONTRACT = dates("made on 1 February 2023")
TODAY = date(2026, 3, 1)


def day(text: str, sentence: str = CHANGE) -> str:
    return effective_day(sentence, text, text, CONTRACT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This Amendment shall become effective on 1 January 2027.", "1 January 2027"),
        ("It is effective 1 July 2024 and is signed twice.", "1 July 2024"),
        ("The amendments to the Agreement are effective 1 May 2027.", "1 May 2027"),
        ("The amendments take effect on the first day of January 2027.", "January 2027"),
        ("Effective Date: 1 January 2027", "1 January 2027"),
        ("This Amendment is made as of 5 May 2026 (the “Amendment Effective Date”).", "5 May 2026"),
        ("This Amendment holds from the Effective Date. “Effective Date” means 1 January 2027.", "1 January 2027"),
        (
            "WHEREAS the parties entered into that Supply Agreement effective 1 March 2020; "
            "This Second Amendment is effective as of October 1, 2025.",
            "October 1, 2025",
        ),
        (
            "THIS AMENDMENT TO CREDIT AGREEMENT, dated as of March 7, 2016 but effective as of February 29, 2016.",
            "February 29, 2016",
        ),
        ("This Amendment takes effect on 1 January 2027.", "1 January 2027"),
        ("The Amendment takes effect on 1 January 2027.", "1 January 2027"),
        ("This Amendment will take effect on Monday, 4 January 2027.", "4 January 2027"),
        ("The changes in this Amendment apply from 1 January 2027.", "1 January 2027"),
        ("This Agreement takes effect on 1 January 2027.", "1 January 2027"),
        ("This Amendment, effective 1 January 2027, is made between A and B.", "1 January 2027"),
        ("This First Amendment effective as of January 1, 2027 amends the Lease.", "January 1, 2027"),
        (
            "This Second Amendment to Lease Agreement (this “Amendment”), effective as of January 1, 2027, is made.",
            "January 1, 2027",
        ),
        ("This Amendment shall not take effect before 1 January 2027.", "1 January 2027"),
        ("This Amendment is not effective until 1 January 2027.", "1 January 2027"),
        ("These amendments will not take effect until 1 January 2027.", "1 January 2027"),
        ("This Amendment becomes effective no earlier than 1 January 2027.", "1 January 2027"),
        ("This Amendment is effective upon execution by both parties, as of 1 January 2027.", "1 January 2027"),
        ("This Amendment is effective for all purposes as of 1 January 2027.", "1 January 2027"),
        ("This Amendment is effective as of 1\u00a0January\u00a02027, and is not assignable.", "1 January 2027"),
        ("本补充协议自２０２７年１月１日起生效，有效期至２０２８年止。", "2027年1月1日"),
        ("本补充协议自2027年1月1日起生效。", "2027年1月1日"),
        ("本补充协议于2027年1月1日生效。", "2027年1月1日"),
        ("本补充协议从2027年1月1日起生效。", "2027年1月1日"),
        ("本协议自2027年1月1日生效。", "2027年1月1日"),
        ("本补充协议2027年1月1日起正式生效。", "2027年1月1日"),
        ("本补充协议在2027年1月1日之前不生效。", "2027年1月1日"),
        ("双方签订的原合同自2020年1月1日起生效。\n生效日期：2026年12月1日", "2026年12月1日"),
    ],
)
def test_an_amendment_says_from_when_it_holds(text: str, expected: str) -> None:
    assert day(text) == expected


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        (
            "This Amendment shall become effective only upon the closing of the Merger.",
            "upon the closing of the Merger",
        ),
        (
            "This Amendment is effective as of the date of satisfaction of the conditions below.",
            "as of the date of satisfaction of the conditions below",
        ),
        ("This Amendment becomes effective ninety days after 1 February 2026.", "ninety days after 1 February 2026"),
        ("This Amendment is effective thirty (30) days after its signature.", "thirty (30) days after its signature"),
        ("This Amendment is effective on or before 1 January 2027.", "on or before 1 January 2027"),
        ("This Amendment is effective not later than 1 January 2027.", "not later than 1 January 2027"),
        ("This Amendment shall not take effect until the board approves it.", "not until the board approves it"),
        (
            "This Amendment is effective on the later of 1 May 2025 and the date of approval.",
            "on the later of 1 May 2025 and the date of approval",
        ),
        ("This Amendment shall not be effective in Germany.", "not in Germany"),
        (
            "This Amendment takes effect upon approval by the board, and the fee rises on 1 May 2027.",
            "upon approval by the board",
        ),
        ("本补充协议自甲方股东会批准之日起生效。", "甲方股东会批准之日"),
        ("本补充协议自2026年1月1日后三十日起生效。", "2026年1月1日后三十日"),
        ("本补充协议不迟于2026年1月1日生效。", "不迟于2026年1月1日"),
    ],
)
def test_a_condition_stands_for_a_day_that_is_not_known(text: str, condition: str) -> None:
    assert day(text) == condition
    assert standing(condition, "3 June 2024", TODAY) == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "the Supply Agreement, effective as of 1 March 2020 (the “Agreement”).",
        "This Amendment changes the First Amendment, effective 1 March 2020.",
        "This Amendment to the Supply Agreement effective 1 March 2020 is made.",
        "The Agreement shall remain in force. It is effective from 1 February 2023.",
        "All other terms remain in full force and effect until 31 December 2030.",
        "The Agreement shall continue in force until 31 December 2027.",
        "Clause 4.1 is replaced by: “4.1 The price rise takes effect on 1 March 2030.”",
        "This Amendment is effective upon execution by both parties.",
        "This Amendment is effective as of the date first written above.",
        "Notices under this Amendment are effective upon receipt.",
        "本补充协议自双方签字盖章之日起生效。",
    ],
)
def test_other_days_and_signing_are_not_taken_for_it(text: str) -> None:
    assert day(text) == ""


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("With effect from 01.01.2027, Section 5 is deleted.", "01.01.2027"),
        ("Effective January 1, 2027, Section 5 is amended as follows: …", "January 1, 2027"),
        (
            "(a) Upon the satisfaction of the conditions in Section 3(b), Section 1.01 is hereby amended.",
            "Upon the satisfaction of the conditions in Section 3(b)",
        ),
        ("自2027年1月1日起，原合同第五条修改为：…", "2027年1月1日"),
    ],
)
def test_the_sentence_of_the_change_comes_first(sentence: str, expected: str) -> None:
    assert day("This Amendment is effective 1 May 2026.", sentence) == expected


def test_a_term_that_the_change_counts_from_is_no_beginning() -> None:
    text = "本补充协议自2027年1月1日起生效。"

    assert day(text, "原合同第五条的付款期由自合同签订之日起三十日改为六十日。") == "2027年1月1日"


@pytest.mark.parametrize(
    ("effective", "dated", "expected"),
    [
        ("1 March 2026", "", "in force"),
        ("2 March 2026", "1 January 2020", "to come"),
        ("March 2026", "", "in force"),
        ("April 2026", "", "to come"),
        ("2026年3月2日", "", "to come"),
        ("", "2 May 2025", "in force"),
        ("", "2 May 2027", "to come"),
        ("", "", "unknown"),
        ("01/03/2026", "", "in force"),
        ("02/03/2026", "", "unknown"),  # 2 March or 3 February
    ],
)
def test_a_day_is_compared_with_that_of_the_question(effective: str, dated: str, expected: Standing) -> None:
    assert standing(effective, dated, TODAY) == expected


def test_the_later_made_follows_among_equal_days_and_none_is_first() -> None:
    ordered = [("", ""), ("", "2 May 2024"), ("1 July 2024", "3 June 2024"), ("1 July 2024", "5 June 2024")]

    keys = [since(*one) for one in ordered]

    assert keys == sorted(set(keys))
