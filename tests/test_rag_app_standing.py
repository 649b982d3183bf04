"""What governs on the day of the question: amendments and versions in force, to come, without a day, and what ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from assistants import assistant_with
from chat_server import ChatServer

from ingest.embedding import MiniLmEncoder
from rag_app.answer import Answer, Finished, Link
from rag_app.assistant import Assistant
from rag_app.llm import LanguageModel
from rag_app.settings import load_settings

AGREEMENT = """# Master Services Agreement No. MSA-2023-88

This agreement is made on 1 February 2023 between Alder Peak Systems Ltd (the "Supplier") and Highfield Logistics
Group Ltd (the "Customer") and governs the running of the warehouse software.

## 4. Termination

4.1 The Customer may terminate this agreement by giving ninety days' notice in writing to the Supplier at its office.

## 5. Support

5.1 The Supplier answers requests of the Customer by telephone within four hours on every working day of the year.
"""
HEAD = """# Amendment No. {number} to Master Services Agreement

This amendment is made {made}between Alder Peak Systems Ltd and Highfield Logistics Group Ltd and amends the
Master Services Agreement No. MSA-2023-88 of 1 February 2023. {effective}

## 1. Notice

"""
TERMS = """1.1 Clause 4.1 of the Agreement is hereby deleted and replaced by the following: "4.1 The Customer may
terminate this agreement by giving {notice} days' notice in writing to the Supplier at its office."
"""
NOTICE = "With how many days' notice may the Customer terminate the agreement MSA-2023-88?"
TODAY = date(2026, 3, 1)


def amendment(number: int, terms: str, made: str = "", effective: str = "") -> str:
    when = f"This amendment is effective {effective}." if effective else ""
    return HEAD.format(number=number, made=f"on {made} " if made else "", effective=when) + terms


def replacing(number: int, notice: str, made: str = "", effective: str = "") -> str:
    return amendment(number, TERMS.format(notice=notice), made, effective)


FIRST = replacing(1, "sixty", "3 June 2024", "1 July 2024")
SECOND = replacing(2, "thirty", "9 September 2025", "1 October 2025")
THIRD = replacing(3, "ten", "2 February 2026", "1 January 2027")


def opened(home: Path, encoder: MiniLmEncoder, model: LanguageModel | None = None, chunk_tokens: int = 40) -> Assistant:
    settings = load_settings(home=home, gate=0.0, chunk_tokens=chunk_tokens, top_k=2)
    return assistant_with(settings, encoder, model=model, create=True)


@pytest.fixture
def assistant(tmp_path: Path, encoder: MiniLmEncoder) -> Iterator[Assistant]:
    with closing(opened(tmp_path / "home", encoder)) as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "agreement.md").write_text(AGREEMENT, encoding="utf-8")
    return folder


def ask(assistant: Assistant, folder: Path, *added: str, question: str = NOTICE, today: date = TODAY) -> Answer:
    """The answer with these documents beside the agreement."""
    for number, text in enumerate(added):
        (folder / f"{number}.md").write_text(text, encoding="utf-8")
    assert not assistant.library.ingest([folder]).failed
    *_, last = assistant.ask(question, today=today)
    assert isinstance(last, Finished)
    return last.answer


def assert_said_in_order(answer: Answer, *words: str) -> None:
    places = [answer.text.find(one) for one in words]
    assert -1 not in places, answer.text
    assert places == sorted(places), answer.text


def governing(answer: Answer) -> list[Link]:
    return [link for passage in answer.passages for link in passage.links if link.relation in ("amends", "ends")]


def test_what_is_to_come_stands_behind_what_is_in_force(assistant: Assistant, folder: Path) -> None:
    answer = ask(assistant, folder, THIRD)

    assert_said_in_order(
        answer,
        "In force today, 1 March 2026:",
        "ninety days' notice",
        "Not in force yet: from 1 January 2027 on, clause 4.1 is amended:",
        "ten days' notice",
    )
    assert [(link.standing, link.effective) for link in governing(answer)] == [("to come", "1 January 2027")]


def test_the_same_amendment_governs_once_its_day_has_come(assistant: Assistant, folder: Path) -> None:
    answer = ask(assistant, folder, THIRD, today=date(2027, 1, 1))

    assert_said_in_order(
        answer, "ten days' notice", "effective 1 January 2027. Before, it read:", "ninety days' notice"
    )
    assert [link.standing for link in governing(answer)] == ["in force"]


def test_the_latest_in_force_governs_and_a_later_one_is_announced(assistant: Assistant, folder: Path) -> None:
    answer = ask(assistant, folder, THIRD, SECOND, FIRST)

    assert_said_in_order(
        answer,
        "In force today, 1 March 2026:",
        "thirty days' notice",
        "This amends clause 4.1, effective 1 October 2025. An earlier amendment of it, effective 1 July 2024:",
        "sixty days' notice",
        "Before, it read:",
        "ninety days' notice",
        "Not in force yet: from 1 January 2027 on, clause 4.1 is amended:",
        "ten days' notice",
    )


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_equal_days_that_made_later_governs(order: tuple[int, int], assistant: Assistant, folder: Path) -> None:
    both = (
        replacing(1, "sixty", "3 June 2024", "1 July 2024"),
        replacing(2, "thirty", "5 June 2024", "1 July 2024"),
    )

    answer = ask(assistant, folder, *(both[place] for place in order))

    assert_said_in_order(answer, "thirty days' notice", "An earlier amendment of it", "sixty days' notice")


def test_what_names_no_day_is_said_to_name_none(assistant: Assistant, folder: Path) -> None:
    answer = ask(assistant, folder, replacing(1, "sixty"))

    assert_said_in_order(
        answer,
        "sixty days' notice",
        "This amends clause 4.1 (from when on is not stated). Before, it read:",
        "ninety days' notice",
    )
    assert [link.standing for link in governing(answer)] == ["unknown"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_without_days_the_number_of_an_amendment_tells_the_later(
    order: tuple[int, int], assistant: Assistant, folder: Path
) -> None:
    both = replacing(1, "sixty"), replacing(2, "thirty")

    answer = ask(assistant, folder, *(both[place] for place in order))

    assert_said_in_order(
        answer, "thirty days' notice", "An earlier amendment of it (from when on is not stated):", "sixty days' notice"
    )


def test_an_unknown_order_is_said_to_be_unknown(assistant: Assistant, folder: Path) -> None:
    answer = ask(assistant, folder, SECOND, replacing(3, "sixty"))

    assert_said_in_order(
        answer,
        "thirty days' notice",
        "Another amendment of it (from when on is not stated); which of them is the later is not known:",
        "sixty days' notice",
        "Before, it read:",
    )


def test_an_amendment_that_was_made_later_but_holds_from_before_has_no_known_order(
    assistant: Assistant, folder: Path
) -> None:
    answer = ask(assistant, folder, SECOND, replacing(3, "sixty", "2 February 2026", "1 July 2025"))

    assert_said_in_order(
        answer,
        "thirty days' notice",
        "Another amendment of it, effective 1 July 2025; which of them is the later is not known:",
        "sixty days' notice",
    )


def test_a_condition_is_no_day(assistant: Assistant, folder: Path) -> None:
    answer = ask(
        assistant, folder, replacing(1, "sixty", "3 June 2024", "upon the closing of the merger of both parties")
    )

    assert "effective upon the closing of the merger of both parties" in answer.text
    assert_said_in_order(answer, "whether that has come is not known", "Until then, it reads:", "ninety days' notice")


def test_a_deleted_clause_is_not_shown_as_if_it_held(assistant: Assistant, folder: Path) -> None:
    answer = ask(
        assistant,
        folder,
        amendment(1, "1.1 Clause 4.1 of the Agreement is hereby deleted.", "3 June 2024", "1 July 2024"),
    )

    assert_said_in_order(
        answer,
        "Clause 4.1 of the Agreement is hereby deleted.",
        "This ends clause 4.1, effective 1 July 2024. Before, it read:",
        "ninety days' notice",
    )
    assert [(link.relation, link.target) for link in governing(answer)] == [("ends", "4.1")]


def test_a_clause_holds_until_it_is_deleted(assistant: Assistant, folder: Path) -> None:
    deleting = amendment(1, "1.1 Clause 4.1 of the Agreement is hereby deleted.", "3 June 2025", "1 July 2026")

    answer = ask(assistant, folder, deleting)

    assert_said_in_order(
        answer,
        "In force today, 1 March 2026:",
        "ninety days' notice",
        "Not in force yet: from 1 July 2026 on, clause 4.1 ends:",
        "Clause 4.1 of the Agreement is hereby deleted.",
    )


def test_no_clause_of_an_agreement_that_was_terminated_is_shown_as_if_it_held(
    assistant: Assistant, folder: Path
) -> None:
    ending = amendment(1, "1.1 The Agreement is hereby terminated with effect from 1 February 2026.", "5 January 2026")

    answer = ask(assistant, folder, ending)

    assert_said_in_order(
        answer,
        "The Agreement is hereby terminated",
        "This ends the whole document, effective 1 February 2026. Before, it read:",
        "ninety days' notice",
    )


ENTIRE = "\n## 9. Entire agreement\n\n9.1 This Agreement supersedes the Confidentiality Agreement of the parties.\n"
PROCESSING = """# Data Processing Agreement

This data processing agreement between Alder Peak Systems Ltd and Highfield Logistics Group Ltd belongs to the
Master Services Agreement No. MSA-2023-88 of 1 February 2023.

1.1 This Data Processing Agreement supersedes the Privacy Agreement between the parties.
"""
OTHER_CLAUSE = """1.1 Section 4.1 of the Confidentiality Agreement is hereby deleted in its entirety.
"""


@pytest.mark.parametrize(
    ("agreement", "other"),
    [
        pytest.param(AGREEMENT + ENTIRE, AGREEMENT.replace("ninety", "sixty") + ENTIRE, id="a version of the same"),
        pytest.param(AGREEMENT, PROCESSING, id="a sibling"),
        pytest.param(AGREEMENT, amendment(1, OTHER_CLAUSE, "3 June 2024"), id="a clause of another"),
    ],
)
def test_what_is_said_of_another_document_changes_none_of_this_one(
    agreement: str, other: str, assistant: Assistant, folder: Path
) -> None:
    (folder / "agreement.md").write_text(agreement, encoding="utf-8")

    assert not governing(ask(assistant, folder, other))


def test_the_clause_of_an_amendment_may_be_changed_itself(assistant: Assistant, folder: Path) -> None:
    changing = amendment(
        2,
        "1.1 Section 1.1 of the First Amendment is hereby deleted in its entirety.",
        "9 September 2025",
        "1 October 2025",
    )

    answer = ask(assistant, folder, FIRST, changing)

    assert_said_in_order(
        answer,
        "Section 1.1 of the First Amendment is hereby deleted",
        "This ends clause 1.1 of “Amendment No. 1 to Master Services Agreement”, effective 1 October 2025. Before,",
        "sixty days' notice",
        "ninety days' notice",
    )
    targets = {link.target: link.relation for link in governing(answer)}
    assert targets == {"4.1": "amends", "1.1": "ends"}


def test_an_amendment_that_says_its_day_last_is_read_to_its_end(assistant: Assistant, folder: Path) -> None:
    text = (
        replacing(1, "sixty", "3 June 2024")
        + """
## 2. General

2.1 All other terms of the Agreement remain in full force and effect until 31 December 2030 and are not touched here.

## 3. Date

3.1 This Amendment shall become effective on 1 July 2026 and not before that day.
"""
    )

    answer = ask(assistant, folder, text)

    assert_said_in_order(answer, "In force today", "ninety", "from 1 July 2026 on", "sixty")


def test_a_version_that_is_to_come_does_not_govern_yet(assistant: Assistant, folder: Path) -> None:
    later = AGREEMENT.replace("ninety", "thirty").replace(
        "and governs",
        "and is effective from 1 June 2026 in this wording. This Agreement is effective 1 June 2026 and governs",
    )
    os.utime(folder / "agreement.md", (1_700_000_000, 1_700_000_000))

    answer = ask(assistant, folder, later)

    assert_said_in_order(
        answer,
        "In force today, 1 March 2026:",
        "ninety days",
        "from 1 June 2026 on, a later version of the document has clause 4.1 as follows:",
        "thirty days",
    )


@pytest.mark.parametrize(
    ("begins", "said"),
    [
        ("This Agreement shall take effect upon approval by the board.", "effective upon approval by the board"),
        ("This Agreement is effective 03/04/2026.", "effective 03/04/2026"),
    ],
)
def test_a_version_of_which_it_is_not_known_whether_it_holds_is_said_to_be(
    begins: str, said: str, assistant: Assistant, folder: Path
) -> None:
    later = AGREEMENT.replace("ninety", "sixty").replace("This agreement is", f"{begins} This agreement is")
    os.utime(folder / "agreement.md", (1_700_000_000, 1_700_000_000))

    answer = ask(assistant, folder, later, today=date(2026, 3, 20))

    assert_said_in_order(answer, "sixty days' notice", said, "ninety days' notice")
    links = [link for passage in answer.passages for link in passage.links if link.relation == "revises"]
    assert {link.standing for link in links} == {"unknown"}
    assert "whether that has come is not known" in answer.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("at its office.", "at its office. A notice is void while any invoice of the Supplier is unpaid."),
        ("at its office.", "at its office.\n\nA notice is void while any invoice of the Supplier is unpaid."),
        ("at its office.", "at its office.5"),
    ],
)
def test_a_clause_that_a_later_version_extends_is_revised(
    before: str, after: str, assistant: Assistant, folder: Path
) -> None:
    os.utime(folder / "agreement.md", (1_700_000_000, 1_700_000_000))

    answer = ask(assistant, folder, AGREEMENT.replace(before, after))

    targets = {link.target for passage in answer.passages for link in passage.links if link.relation == "revises"}
    assert targets == {"4.1"}


VERSION = AGREEMENT.replace(
    "## 5. Support",
    "4.2 The Supplier may not terminate this agreement before the warehouse has run for two full years.\n\n"
    "4.3 A notice that reaches the other party on a holiday counts from the next working day at its own place."
    "\n\n## 5. Support",
)


def test_a_clause_that_a_later_version_leaves_out_is_not_shown_as_if_it_held(
    assistant: Assistant, folder: Path
) -> None:
    (folder / "agreement.md").write_text(VERSION, encoding="utf-8")
    os.utime(folder / "agreement.md", (1_700_000_000, 1_700_000_000))
    later = "\n".join(line for line in VERSION.split("\n") if not line.startswith("4.3"))

    answer = ask(assistant, folder, later, question="From which day does a notice count that arrives on a holiday?")

    assert_said_in_order(
        answer,
        "A later version of the document has no such clause 4.3. Near its place stands:",
        "4.2 The Supplier may",
        "Before, it read:",
    )
    assert ("drops", "4.3") in {(link.relation, link.target) for passage in answer.passages for link in passage.links}


def test_a_clause_that_only_has_another_number_in_a_later_version_is_unchanged(
    assistant: Assistant, folder: Path
) -> None:
    (folder / "agreement.md").write_text(VERSION, encoding="utf-8")
    os.utime(folder / "agreement.md", (1_700_000_000, 1_700_000_000))
    lines = [line for line in VERSION.split("\n") if not line.startswith("4.2")]
    later = "\n".join(lines).replace("4.3 A notice", "4.2 A notice")

    answer = ask(assistant, folder, later, question="From which day does a notice count that arrives on a holiday?")

    targets = {link.target for passage in answer.passages for link in passage.links if link.relation != "revises"}
    assert "4.3" not in targets
    assert "no such clause" not in answer.text


def test_a_restated_agreement_governs_the_one_that_it_restates(assistant: Assistant, folder: Path) -> None:
    restated = AGREEMENT.replace("# Master", "# Amended and Restated Master").replace("ninety", "thirty")
    restated = restated.replace("1 February 2023", "5 May 2025").replace(
        "and governs",
        "and restates the Master Services Agreement No. MSA-2023-88 of 1 February 2023 in its entirety. It governs",
    )
    os.utime(folder / "agreement.md", (1_700_000_000, 1_700_000_000))

    answer = ask(assistant, folder, restated, FIRST)

    assert_said_in_order(answer, "thirty days' notice", "ninety days' notice")
    new = next(passage for passage in answer.passages if "thirty" in passage.text)
    assert not [link for link in governing(answer) if link.number == new.number]


def test_a_side_letter_amends(assistant: Assistant, folder: Path) -> None:
    letter = """# Side Letter

Highfield Logistics Group Ltd writes to Alder Peak Systems Ltd on 3 June 2024 about the Master Services Agreement
No. MSA-2023-88 of 1 February 2023, and both have signed below.

This letter confirms that clause 4.1 of the Agreement is varied so that the Customer gives sixty days' notice.
"""

    answer = ask(assistant, folder, letter)

    assert_said_in_order(
        answer, "sixty days' notice", "This amends clause 4.1 (amendment of 3 June 2024). Before", "ninety days' notice"
    )


def test_an_agreement_that_only_speaks_of_amendments_amends_none(assistant: Assistant, folder: Path) -> None:
    order = """# Statement of Work

This statement of work is made on 3 June 2024 between Alder Peak Systems Ltd and Highfield Logistics Group Ltd under the
Master Services Agreement No. MSA-2023-88 of 1 February 2023, as amended from time to time.

1.1 No amendment of clause 4.1 of the Agreement shall be effective unless in writing. Clause 4.1 may be amended.

1.2 If the index ceases to exist, clause 4.1 of the Agreement shall be amended by the parties accordingly.
"""

    answer = ask(assistant, folder, order)

    assert not governing(answer)
    assert "ninety days' notice" in answer.text


def test_chinese_is_told_in_chinese(assistant: Assistant, tmp_path: Path) -> None:
    folder = tmp_path / "chinese"
    folder.mkdir()
    (folder / "contract.md").write_text(
        "# 设备采购合同\n\n合同编号 CG-2024-08。本合同由北方机械有限公司与东海贸易有限公司于2024年3月1日签订。\n\n"
        "第四条 交货期\n\n第四条 卖方应在合同签订后三十日内将全部设备交付买方指定的仓库。\n\n"
        "第五条 付款\n\n第五条 买方应在验收合格后十日内支付全部货款。\n",
        encoding="utf-8",
    )
    supplement = (
        "# 设备采购合同补充协议\n\n北方机械有限公司与东海贸易有限公司于2026年1月5日就编号 CG-2024-08 的设备采购合同"
        "（2024年3月1日签订）达成如下补充协议。本补充协议自2026年7月1日起生效。\n\n"
        "一、《设备采购合同》第四条修改为：“第四条 卖方应在合同签订后十五日内将全部设备交付买方指定的仓库。”\n"
    )

    answer = ask(assistant, folder, supplement, question="CG-2024-08 的卖方应在多少日内交付设备？")

    assert_said_in_order(
        answer, "今日（2026年3月1日）有效：", "三十日内", "尚未生效：自 2026年7月1日 起，第 4 条将修改：", "十五日内"
    )


CHINESE = {
    "contract.txt": """设备采购合同

合同编号 CG-2024-08。本合同由北方机械有限公司（甲方）与东海贸易有限公司（乙方）于2024年3月1日签订。

第四条 交货期
卖方应在合同签订后三十日内将全部设备交付买方指定的仓库。

第五条 违约金
逾期交付的，每日按合同总价的千分之一支付违约金。
""",
    "first.txt": """设备采购合同第一次补充协议

甲方：北方机械有限公司
乙方：东海贸易有限公司

双方就2024年3月1日签订的《设备采购合同》（合同编号 CG-2024-08）达成如下补充协议：

一、原合同第四条修改为：“卖方应在合同签订后二十日内将全部设备交付买方指定的仓库。”

本补充协议自双方签字盖章之日起生效。
签订日期：2024年6月1日
""",
    "second.txt": """设备采购合同第二次补充协议

甲方：北方机械有限公司
乙方：东海贸易有限公司

双方就2024年3月1日签订的《设备采购合同》（合同编号 CG-2024-08）达成如下补充协议：

一、第一次补充协议第一条中的“二十日”改为“十五日”，自2027年1月1日起执行。

本补充协议自双方签字盖章之日起生效。
签订日期：2025年6月1日
""",
}


def test_a_second_supplement_may_change_the_first(tmp_path: Path, encoder: MiniLmEncoder) -> None:
    folder = tmp_path / "supplements"
    folder.mkdir()
    for name, text in CHINESE.items():
        (folder / name).write_text(text, encoding="utf-8")

    with closing(opened(tmp_path / "home", encoder, chunk_tokens=80)) as assistant:
        answer = ask(assistant, folder, question="CG-2024-08 的设备应在多少日内交付？")

    assert_said_in_order(
        answer,
        "今日（2026年3月1日）有效：",
        "二十日内",
        "以上内容修改了第 4 条（2024年6月1日 的修改）。此前为：",
        "三十日内",
        "尚未生效：自 2027年1月1日 起，“first”第 1 条将修改：",
        "十五日",
    )


def test_a_language_model_is_told_the_day_and_what_is_not_in_force(
    folder: Path, tmp_path: Path, encoder: MiniLmEncoder, server: ChatServer
) -> None:
    server.pieces = ["With ninety days' notice [1]."]

    with closing(opened(tmp_path / "home", encoder, server.model())) as assistant:
        ask(assistant, folder, THIRD)

    system, human = (message["content"] for message in server.requests[0]["messages"])  # type: ignore[attr-defined]
    assert "Today is 1 March 2026." in system
    assert "(not yet in force: effective 1 January 2027)" in human
