"""Text in any encoding."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.loaders.encoding import decode
from ingest.loaders.errors import UnreadableFileError

SENTENCES = {
    "機械の電源を切ってから、カバーを外してください。油量が不足している場合は補充します。": "shift_jis euc_jp",
    "기계의 전원을 끄고 덮개를 분리하십시오. 계약 당사자는 삼십일 이내에 통지하여야 한다.": "euc_kr cp949",
    "本合約自雙方簽署之日起生效,賣方應於六十日內交貨,逾期應支付違約金。": "big5",
    "Press HP-40 操作手册: drain the oil 每天 and check 压力 regularly.": "gb18030",
    "第三条 交货": "gb18030",
    "Поставщик обязан передать товар в течение тридцати дней.": "cp1251 koi8_r iso8859_5 cp866",
    "Постачальник зобов'язаний передати товар протягом тридцяти днів.": "cp1251 koi8_u",
    "Ο πωλητής υποχρεούται να παραδώσει τα εμπορεύματα εντός τριάντα ημερών.": "iso8859_7 cp1253",
    "המוכר מתחייב למסור את הסחורה בתוך שלושים יום ממועד החתימה.": "cp1255",
    "يلتزم البائع بتسليم البضاعة خلال ثلاثين يوما من تاريخ التوقيع على العقد.": "cp1256",
    "ผู้ขายต้องส่งมอบสินค้าภายในสามสิบวันนับแต่วันลงนามในสัญญา": "cp874",
    "Wykonawca zobowiązuje się dostarczyć śruby i łożyska w terminie trzydziestu dni.": "iso8859_2 cp1250",
    "Prodávající je povinen dodat zboží do třiceti dnů. Zkontrolujte těsnění.": "iso8859_2 cp1250",
    "A szállító köteles az árut harminc napon belül átadni. Győződjön meg róla.": "iso8859_2 cp1250",
    "Satıcı, malları otuz gün içinde teslim etmekle yükümlüdür. Yağı değiştirin.": "iso8859_9 cp1254",
    "Le vendeur s’engage à livrer les marchandises dans un délai de trente jours.": "cp1252",
    "¿Cómo se cambia el aceite? Señor Núñez, año 2020.": "cp1252 iso8859_15",
    "La pompa è già piena; perché non c'è più olio? È così.": "cp1252",
    "Säljaren ska leverera på måndag, gör så här.": "cp1252",
    "Temperature: 90°C ± 5, area 4 m², 5 m³": "cp1252",
    "Drain the oil.\nClose valve V8.\n": "utf-16-le utf-16-be",
    "第三条 交货\n卖方应在六十日内交货。\n": "utf-16-le utf-16-be",
}


@pytest.mark.parametrize(
    ("sentence", "encoding"),
    [(sentence, encoding) for sentence, encodings in SENTENCES.items() for encoding in encodings.split()],
)
def test_a_sentence_is_read_in_the_encodings_of_its_language(sentence: str, encoding: str) -> None:
    assert decode(sentence.encode(encoding)) == sentence


def test_the_encoding_shows_where_only_the_end_of_a_long_file_is_not_ascii() -> None:
    text = "All is well.\n" * 20_000 + "第三条 交货：卖方应在六十日内交货。\n"

    assert decode(text.encode("gb18030")) == text


def test_a_long_line_does_not_take_long() -> None:
    assert decode(b"a" * 5_000_000 + "é".encode("cp1252")).endswith("é")


def test_a_damaged_character_does_not_cost_the_others() -> None:
    text = "第三条 交货：卖方应在六十日内交货。\n" * 20

    assert decode(text.encode("gb18030") + b"\xff\n").startswith(text)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"], ids=["utf-8", "utf-8 with mark", "utf-16", "gb18030"]
)
def test_chinese_is_read_in_the_encodings_it_comes_in(encoding: str) -> None:
    text = "第三条 交货：卖方应在六十日内交货。"

    assert decode(text.encode(encoding)) == text


def test_western_text_of_old_windows_is_read() -> None:
    assert decode("Größe der Öffnung: 5 mm – café".encode("cp1252")) == "Größe der Öffnung: 5 mm – café"


@pytest.mark.parametrize("content", [b"\x00\x01\x02\x03" * 20, b"\0" * 64, bytes(range(256))])
def test_binary_content_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableFileError):
        decode(content)


def test_text_that_breaks_its_own_mark_is_damaged() -> None:
    with pytest.raises(UnreadableFileError, match="damaged"):
        decode(b"\xef\xbb\xbf\xff\xfe\xff")


@given(st.binary(max_size=400))
def test_any_bytes_give_text_or_are_refused(content: bytes) -> None:
    with contextlib.suppress(UnreadableFileError):
        assert isinstance(decode(content), str)
