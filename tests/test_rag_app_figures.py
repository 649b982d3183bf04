"""Kinds of figures: a question for a pressure is answered by bars and not by litres."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_app.figures import asked_measures, asks_for_figure, lacks_asked_figure, with_asked_figure


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("To what pressure is the accumulator filled?", "Fill it to 110 bar.", "It holds 10 l."),
        ("What is the largest permitted working pressure of the pump?", "250 bar", "45 Nm"),
        ("How much nitrogen pressure belongs in the accumulator?", "90 bar", "10 l"),
        ("Torque of the HP-60's anchor bolts?", "480 Nm", "M24"),
        ("How tight are the head bolts?", "45 Nm", "24 hours"),
        ("At what temperature does the fan start?", "above 68 °C", "after 10 min"),
        ("How long is the warranty?", "twenty-four months", "EUR 500"),
        ("How long does the duty last?", "one year", "5 %"),
        ("For how long is data kept?", "until the account is closed", "in 3 places"),
        ("How many hours may pass between oil changes?", "every 4 000 h", "2 years"),
        ("When is the next oil change due, in operating hours?", "3 000 h", "18 months"),
        ("How much does a seal set cost?", "EUR 120", "1 piece"),
        ("What does a new main pump cost?", "EUR 120", "1.4 l of oil"),
        ("How much do we have to pay for a new key?", "It is free of charge.", "5 working days"),
        ("What is the price of the press?", "$5", "5 kg"),
        ("What fee is due for late payment?", "2 % a month", "30 kg"),
        ("How often is the filter cleaned?", "after every shift", "with 5 l of water"),
        ("How long is the power cable?", "3 m", "230 V"),
        ("After how many hours is the oil changed?", "500 operating hours", "2 years"),
        ("What is the rated frequency?", "50 Hz", "3 years"),
        ("When is the alarm triggered?", "if the level falls", "by the sensor"),
        ("付款期限是多少天？", "15 个日历日内", "2024年3月1日签订"),
        ("保修期是几个月？", "二十四个月", "自3月起"),
        ("By when must the goods be delivered?", "28 November 2025", "2 presses"),
        ("When does title pass?", "when the price is paid in full", "to the Buyer"),
        ("液压油多久更换一次？", "每 4000 小时更换", "容量为 200 升"),
        ("蓄能器的充气压力是多少？", "110 巴", "10 升"),
        ("买方付款晚了每天要付多少违约金？", "逾期金额的万分之五", "九十日内"),
        ("保修期是几年？", "2 年", "6 个月"),
        ("设备所有权什么时候转给买方？", "付清总价之日起", "归买方所有"),
    ],
)
def test_what_holds_the_kind_of_figure_asked_for_is_told_from_what_does_not(
    question: str, answer: str, other: str
) -> None:
    assert with_asked_figure(question, [other, answer]) == [1]


@pytest.mark.parametrize(
    "question",
    [
        "Why is the pressure too low?",
        "What does low oil pressure mean?",
        "What is the purpose of the pressure relief valve?",
        "What happens when the voltage drops?",
        "Who charges the fee?",
        "Is the price fixed?",
        "What is the current version?",
        "The pump stops when it is hot. What now?",
        "压力过低是什么原因？",
        "什么是压力开关？",
        "What interest does the lessee have in the land?",
    ],
)
def test_to_mention_a_measure_is_not_to_ask_for_its_figure(question: str) -> None:
    assert not asked_measures(question)
    assert not asks_for_figure(question)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What is the supply voltage?", "It runs on 400 volts."),
        ("What is the supply voltage?", "24 VDC"),
        ("How hot may the oil get?", "180 degrees Celsius"),
        ("What torque do the bolts need?", "33 lb-ft"),
        ("What torque do the bolts need?", "| Bolt | Torque (Nm) |\n|---|---|\n| M8 | 25 |"),
        ("What pressure is allowed?", "at most 150 psig"),
        ("How much does a seal cost?", "500 SEK"),
        ("How much does a seal cost?", "at the Buyer's expense"),
        ("How many days of notice are due?", "three months' notice"),
        ("Why is the pressure low?", "The pump is worn."),
    ],
)
def test_a_text_is_not_said_to_lack_a_figure_that_it_may_hold(question: str, text: str) -> None:
    assert not lacks_asked_figure(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How much does a new piston seal set cost?", "| 40-2101 | Piston seal set | 1 | 3 kg |"),
        ("To what pressure is it filled?", "It holds 10 l of oil."),
        ("拧紧扭矩是多少？", "容量为 200 升。"),
    ],
)
def test_a_text_without_any_figure_of_the_kind_lacks_it(question: str, text: str) -> None:
    assert lacks_asked_figure(question, text)


def test_a_unit_in_the_head_of_a_table_is_that_of_its_bare_numbers() -> None:
    rows = ["| Bolt | Length (mm) |\n| Ram bolt | 80 |", "| Bolt | Torque (Nm) |\n| Ram bolt | 45 |"]

    assert with_asked_figure("What torque do ram bolts need?", rows) == [1]


def test_without_the_kind_asked_for_any_figure_counts_and_without_any_everything() -> None:
    assert with_asked_figure("What torque?", ["none", "5 l"]) == [1]
    assert with_asked_figure("How many ducks?", ["none", "at all"]) == [0, 1]
    assert with_asked_figure("Which oil?", ["this", "5 l"]) == [0, 1]


@settings(deadline=None)  # the first call loads the dictionary of Chinese words
@given(st.text(), st.lists(st.text(), max_size=3))
def test_some_of_any_texts_are_left(question: str, texts: list[str]) -> None:
    places = with_asked_figure(question, texts)

    assert bool(places) == bool(texts)
    assert sorted(set(places)) == places
