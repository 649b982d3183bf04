"""Words of a text, as the keyword index stores them and as questions are compared with passages.

Latin scripts: lower-cased words without accents, not stemmed. CJK: jieba's words and, beside them, every character
bigram, so that a phrase is found where jieba cuts a question and a document differently. Identifiers that mix
letters, digits and punctuation ("E07", "HP-40", "12.3(b)", "M12x1.75") stay whole, and their parts follow, so that
"HP 40" still finds "HP-40".
"""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from jieba import Tokenizer

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
_CJK_RUN = re.compile(f"[{CJK}]+")
_LATIN_WORD = rf"[^\W_{CJK}]+"
# A word, or words and numbers tied by one of - . / _ ' & and closed by clause letters: 12.3(b)(ii), HP-40, R&D.
_TOKEN = re.compile(rf"{_LATIN_WORD}(?:[-./_'’&:]{_LATIN_WORD})*(?:\([^\W_{CJK}]{{1,4}}\))*|[{CJK}]+")
_PART = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_HAS_DIGIT = re.compile(r"\d")
_POSSESSIVE = re.compile(r"['’]s$")

_STOP_WORDS = """
    a an the this that these those it its they them their there here i me my we us our you your he him his she
    her is are was were be been being am do does did done doing have has had having can could may might shall
    should will would must need needs to of in on at by for from with without within into onto as about above
    below over under and or but if then than so because while until when where what which who whom whose why how
    much many long often far not no nor any some all each every both either other another such same own only
    just also too very more most please tell say says said give show let get got happen happens according mean
    means know want 的 了 是 在 和 与 或 及 吗 呢 吧 啊 我 你 您 他 她 它 这 那 有 被 把 将 为 对 从 到 要 会 能
    请 请问 多少 什么 怎么 怎样 如何 哪里 哪个 哪些 哪 谁 几 多久 何时 是否 可以 应该 需要 为什么 怎么办 是多
    么时 什么时候
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words that a question is made with, not about, in English and Chinese. They are indexed like any other."""


@cache
def _jieba() -> Tokenizer:
    import jieba

    # jieba reports its dictionary on stderr at INFO level; a library stays quiet.
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    # jieba keeps its dictionary in a cache file; by default in a folder that every user may write to.
    cache_folder = platformdirs.user_cache_path("rag-app", ensure_exists=True)
    tokenizer.tmp_dir = str(cache_folder)
    tokenizer.initialize()
    return tokenizer


def fold(text: str) -> str:
    """The text in lower case: compatibility forms unified (Ｅ０７ → e07), accents removed, 10,000 → 10000."""
    decomposed = _THOUSANDS.sub("", unicodedata.normalize("NFKD", text.replace("’", "'")))
    without_marks = "".join(
        character
        for character in decomposed
        # Japanese voicing marks are combining too, but they change the letter: keep them.
        if not unicodedata.combining(character) or character in "\u3099\u309a"
    )
    return unicodedata.normalize("NFC", without_marks).lower()


def segment(text: str) -> list[str]:
    """The text's words in order, repeats included: what is indexed, and what is searched for."""
    words: list[str] = []
    for match in _TOKEN.finditer(fold(text)):
        token = match.group()
        words.extend(_cjk_words(token) if _CJK_RUN.match(token) else _latin_words(token))
    return words


def cjk_bigrams(text: str) -> list[str]:
    """Every pair of neighbouring CJK characters, in order; a character that stands alone is returned by itself."""
    pairs: list[str] = []
    for match in _CJK_RUN.finditer(fold(text)):
        run = match.group()
        pairs.extend([run[i : i + 2] for i in range(len(run) - 1)] or [run])
    return pairs


def is_cjk(text: str) -> bool:
    """Whether the text holds a CJK character."""
    return _CJK_RUN.search(text) is not None


def _latin_words(token: str) -> list[str]:
    token = _POSSESSIVE.sub("", token)
    if token.isalpha() or token.isdigit():
        return [token]
    parts = _PART.findall(token)
    return [token] if parts == [token] else [token, *parts]


def _cjk_words(run: str) -> list[str]:
    # Two-character words are bigrams already; counting them twice would only inflate their weight.
    return cjk_bigrams(run) + [word for word in _jieba().cut(run) if len(word) > 2]


def identifiers(text: str) -> list[str]:
    """The words that name one thing: fault codes, models, part and clause numbers; folded, in order, once each."""
    tokens = (_POSSESSIVE.sub("", token) for token in _TOKEN.findall(fold(text)))
    return list(dict.fromkeys(token for token in tokens if _HAS_DIGIT.search(token)))
