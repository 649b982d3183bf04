"""How documents name themselves and each other: which contract an amendment means, what is a version of what."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingest.amending import is_of_amendment, without_quotations
from ingest.amending_words import NAMED
from ingest.references import definitions
from ingest.segmentation import fold
from rag_app.dates import dates, day_of, written_dates
from rag_app.names import names
from rag_app.words import cjk_number, codes, content_words, has_code

NAMES_IN_COMMON = 2
EVIDENCE_NEEDED = 2
# Where a document whose title says nothing tells what it is: "This Second Amendment (this “Amendment”) ...".
FIRST_WORDS = 120

_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8}
_ORDINAL = re.compile(
    rf"(?i:\b(?P<word>{'|'.join(_ORDINALS)})\s{{1,3}}(?:amendment|addendum|supplement|side\s{{1,3}}letter)"
    r"|(?:amendment|addendum|supplement|side\s{1,3}letter)\s{1,3}(?:(?:no\.?|number|#)\s{0,3})?(?P<digits>\d{1,2})\b)"
    r"|第(?P<before>[一二三四五六七八九十\d]{1,2})[次份]|补充协议[（(]?(?P<behind>[一二三四五六七八九十]|\d{1,2}(?!\d))"
)
_AMENDS_AN_AMENDMENT = re.compile(
    r"(?i:\b(?:to|of)\s{1,3}(?:the\s{1,3})?(?:\w{1,15}\s{1,3}){0,2}amendment\b)|补充协议的?补充"
)
# "by 28 November 2027": no date of the document.
_DEADLINE = re.compile(
    r"(?i:\b(?:by|until|before|through|than|effective|force|effect)\s{1,3}(?:(?:on|as|of|from)\s{1,3}){0,2})(?=\d|[A-Z][a-z]{2,8}\s\d)"
    r"[^.;\n]{4,20}\d{4}"
)
_SIGNED = re.compile(r"(?:签[订署约字]|订立)的?(?:日期|时间)\s?[:：][^\n]{0,30}|\bDated?\s?:[^\n]{0,30}")
_RESTATED = re.compile(
    r"\b(?:(?:first|second|third|fourth|fifth)\s+)?(?:amended\s+and\s+restated|restated)\b|[（(]?修订版[）)]?"
)

# What any agreement and any amendment of one may be called: "the said Original Agreement No. 2", 原合同.
_OF_ANY = re.compile(
    r"(?i:\b(?:of|to|in|under|the|that|this|said|such|our|certain|no|number|and|by|original|existing|initial|prior|previous"
    r"|earlier|former|main|principal|underlying|primary|base|current|agreements?|contracts?"
    rf"|amendments?|addendum|addenda|supplement(?:al)?|{'|'.join(_ORDINALS)}|\d{{1,2}})\b)"
    r"|合同|协议书?|合约|补充|修订|变更|第[一二三四五六七八九十\d]{1,2}次|首次|[原主该本《》的之中一二三四五六七八九十]|项下"
)
# How a document calls itself, wherever in its opening: THIS SUPPLY AGREEMENT is made.
_SELF = re.compile(
    r"\b(?:This|THIS|this)\s{1,3}(?:(?:[A-Z][\w’'&-]{0,20}|and|of|for)\s{1,3}){1,6}?"
    r"(?:Agreement|AGREEMENT|Contract|CONTRACT|Lease|LEASE|Deed|DEED|Terms|TERMS)\b"
)


@dataclass(frozen=True, slots=True)
class Opening:
    """How a document names itself, and what it names: its title and its first words."""

    title: str
    text: str

    @property
    def folded(self) -> str:
        return fold(f"{self.title}\n{self.text}")

    @property
    def names(self) -> set[str]:
        """Who and what is named, without roles such as "Buyer" and the words of the title."""
        title = fold(self.title)
        found = {fold(name) for name in names(self.text)} - {fold(term) for term in definitions(self.text)}
        return {name for name in found if name not in title}

    @property
    def own_names(self) -> set[str]:
        """The words by which the document may be called: those of its title, its initials, and what it defines."""
        title = "\n".join([self.title, self.text[:FIRST_WORDS], *_SELF.findall(self.text)])
        initials = ["".join(word[0] for word in name.group().split()) for name in NAMED.finditer(title)]
        return set(content_words(" ".join([title, *initials, *definitions(self.text)])))

    @property
    def is_amendment(self) -> bool:
        return is_of_amendment(self.title) or is_of_amendment(self.text[:FIRST_WORDS])

    @property
    def is_restated(self) -> bool:
        return _RESTATED.search(fold(f"{self.title}\n{self.text[:FIRST_WORDS]}")) is not None

    @property
    def amends_an_amendment(self) -> bool:
        return _AMENDS_AN_AMENDMENT.search(self.title) is not None

    @property
    def ordinal(self) -> int:
        """The number that an amendment has among those of its contract, 0 where it tells none."""
        return ordinal(self.title) or ordinal(self.text[:FIRST_WORDS])

    def dated(self, contract: Opening) -> str:
        """The own date of an amendment as written: the first that is not one of the contract's; "" for none."""
        theirs = dates(f"{contract.title}\n{contract.text}")
        own = written_dates(_DEADLINE.sub(" ", without_quotations(self.text)))
        return next((date for date in own if not any(one in theirs for one in dates(date))), "")


def signed(text: str) -> str:
    """The day that stands where a document is signed, as written: 签订日期：2026年1月5日, "Date: 5 January 2026"."""
    found = [date for match in _SIGNED.finditer(text) for date in written_dates(match.group())]
    return next(iter(found[-1:]), "")


def is_meant(contract: Opening, by: Opening, document: str) -> bool:
    """Whether what an amendment says of a clause of `document` ("" where it names none) is said of this contract.

    Amendments have clauses of their own, which another one may change, and which the agreement's are not.
    """
    if not _may_be_called(contract, by, document):
        return False
    if not document:
        return by.is_amendment and contract.is_amendment == by.amends_an_amendment
    if not contract.is_amendment:
        return not is_of_amendment(document)
    return is_of_amendment(document) and ordinal(document) in (0, contract.ordinal or 1)


def _may_be_called(contract: Opening, by: Opening, document: str) -> bool:
    """Whether the words that tell this name from that of any agreement are the contract's, or there are none."""
    own = contract.own_names
    return any(own.issuperset(_telling(name)) for name in (document, _meaning(document, by)))


def _telling(name: str) -> list[str]:
    return content_words(_OF_ANY.sub(" ", name))


def _meaning(document: str, by: Opening) -> str:
    """The full name for which a text says that this one stands: the Tenancy Agreement of 1 May (the “Lease”)."""
    words = NAMED.search(document)
    short = re.search(rf"[\"“](?:the\s)?{re.escape(words.group())}[\"”]", by.text) if words else None
    named = [name.group() for name in NAMED.finditer(by.text[: short.start()])] if short else []
    return named[-1] if named else document


def ordinal(text: str) -> int:
    """The number of the amendment that a text names first: 2 for "Second Amendment" and 补充协议二, 0 for none."""
    match = _ORDINAL.search(text)
    if match is None:
        return 0
    written = match.group(match.lastgroup or 0)
    return _ORDINALS.get(written.lower()) or (int(written) if written.isdecimal() else cjk_number(written))


def is_named(contract: Opening, by: Opening) -> bool:
    """Whether the opening of an amendment names this contract.

    Two of these must agree: the contract's number, the words of its title, a date, the parties. A number of the
    contract that the amendment lacks speaks against it, and so does a date where the amendment has others. An agreement
    that was restated later is not the one that was amended.
    """
    numbers = codes(contract.title)
    own = [number for number in numbers if has_code(number, fold(contract.text))]  # "final-v2" is a file's, not its own
    if not all(has_code(number, by.folded) for number in own):
        return False
    same_number = any(has_code(number, by.folded) for number in numbers)
    theirs, named = dates(contract.text), dates(f"{by.title}\n{by.text}")
    same_date = any(date in named for date in theirs)
    if theirs and named and not same_date and not same_number:
        return False
    if contract.is_restated and _is_later(contract, by):
        return False
    words = {word for word in content_words(contract.title) if word.isalpha()}
    same_title = bool(words) and words <= set(content_words(by.folded))
    same_parties = len(contract.names & by.names) >= NAMES_IN_COMMON
    return same_number + same_title + same_date + same_parties >= EVIDENCE_NEEDED


def _is_later(contract: Opening, by: Opening) -> bool:
    """Whether the contract begins with a date that the amendment does not know and that lies behind its own."""
    first, own = next(iter(written_dates(contract.text)), ""), by.dated(contract)
    return bool(first and own) and dates(first)[0] not in dates(by.text) and day_of(first) > day_of(own)


def is_same_work(one: Opening, other: Opening) -> bool:
    """Whether two documents of nearly the same words are versions of one: by title, its numbers, and who is named.

    Manuals of two models, and a form filled in for two customers, are as alike as versions are. A restated agreement
    is a version of the one that it restates.
    """
    if _work(one.title) != _work(other.title):
        return False
    return 2 * len(one.names & other.names) >= min(len(one.names), len(other.names))


def _work(title: str) -> str:
    return " ".join(_RESTATED.sub(" ", fold(title)).split())
