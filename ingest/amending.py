"""Which clauses of another document a text changes: "Clause 9.1 of the Agreement is deleted and replaced by ...".

Pure, and bounded like `references`. That a text changes "Clause 9.1" says nothing of whose clause that is: the opening
of its document names the other one. What may change a clause one day, or only mentions that it can, changes none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.amending_words import (
    ACTIVE,
    ADDS,
    AS_AMENDED,
    BEHIND_IF,
    ENDS,
    GROUNDS,
    IF,
    IF_FIRST,
    IN_ITS_PLACE,
    IS_RESTATED,
    NAMED,
    NEW_WORDS,
    OF_AMENDMENT,
    OF_DOCUMENT,
    OF_LAW,
    OF_WHOLE,
    OWN_NUMBER,
    OWN_PLACE,
    PART,
    PASSIVE,
    RANGE,
    SENTENCE_END,
    STRAIGHT_QUOTATION,
)
from ingest.clauses import normal_number
from ingest.references import references

# How far before the verb its condition is looked for.
CONDITION_CHARACTERS = 200
MOST_TITLE = 30
MOST_IN_RANGE = 50
WHOLE = "*"
"""The target of what ends or restates a whole document."""

_STOPS = ".;。；"
_KINDS = ("clause", "attachment", "table")


@dataclass(frozen=True, slots=True)
class Amending:
    """One change that a text makes.

    `target` is numbered as in `Chunk.clauses`, or `WHOLE`. `document` names whose clause it is, "" where nothing
    does. `ends`: nothing takes the place of what is deleted or terminated. `sentence` is the one in which it stands,
    without quotations.
    """

    target: str
    document: str
    ends: bool
    sentence: str


def amendings(text: str) -> list[Amending]:
    """The changes that the text makes, in order, each target once.

    New wording, which stands in quotation marks, is not read; what a text adds is no change.
    """
    parts = SENTENCE_END.split(without_quotations(text))
    following = [*parts[1:], ""]
    found = [one for part, next_ in zip(parts, following, strict=True) for one in _changed_by(part, next_)]
    changes: dict[tuple[str, str], Amending] = {}
    for one in found:
        before = changes.setdefault((one.target, one.document), one)
        if before.ends:  # "Exhibit B is deleted and a new Exhibit B is substituted"
            changes[one.target, one.document] = one
    return list(changes.values())


def amended(text: str) -> list[str]:
    """The targets of `amendings`, in order, once each."""
    return list(dict.fromkeys(one.target for one in amendings(text)))


def runs_on(text: str) -> bool:
    """Whether the new wording goes on behind the end of the text: it announces it, or leaves its quotation open."""
    straight = [quotation.group() for quotation in STRAIGHT_QUOTATION.finditer(text)]
    is_open = text.count("“") > text.count("”") or any(len(one) < 2 or one[-1] != '"' for one in straight)
    return is_open or text.rstrip().endswith((":", "："))


def is_of_amendment(name: str) -> bool:
    """Whether a document of this name amends another one."""
    return OF_AMENDMENT.search(name) is not None


def without_quotations(text: str) -> str:
    """The text with "…" for what stands in quotation marks, also where such marks stand within others.

    Where the quotation ends a sentence, its full stop stands behind that.
    """
    kept: list[str] = []
    depth = 0
    before = ""
    for character in STRAIGHT_QUOTATION.sub(_left_out, text):
        if character == "“":
            kept += () if depth else "…"
            depth += 1
        elif not depth:
            kept.append(character)
        elif character == "”":
            depth -= 1
            kept += before if not depth and before in _STOPS else ""
        before = character
    return "".join(kept)


def _left_out(quotation: re.Match[str]) -> str:
    last = quotation.group().rstrip('"')[-1:]
    return f" …{last} " if last and last in _STOPS else " … "


@dataclass(frozen=True, slots=True)
class _Clause:
    """Part of a sentence: the words before the verb, which name what it changes, and what becomes of that."""

    subject: str
    predicate: str

    @property
    def document(self) -> str:
        named = OF_DOCUMENT.search(self.subject)
        return named.group().strip(" ,") if named else ""

    @property
    def targets(self) -> list[str]:
        own = OF_DOCUMENT.sub(lambda match: match.group() if OF_LAW.search(match.group()) else " ", self.subject)
        named = [reference.target for reference in references(own) if reference.kind in _KINDS]
        within = {normal_number(span.group("first")): _within(span) for span in RANGE.finditer(own)}
        return list(dict.fromkeys(one for target in named for one in (target, *within.get(target, ()))))

    def ends(self, following: str) -> bool:
        """Whether all of what it changes is gone, and no new words stand in its place, nor in the next sentence."""
        if PART.search(self.subject) or IN_ITS_PLACE.search(following):
            return False
        return bool(ENDS.search(self.predicate)) and not NEW_WORDS.search(self.predicate)


def _within(span: re.Match[str]) -> list[str]:
    """The numbers between the ends of a range that differ in their last part alone: "3.3" of 3.2 to 3.4."""
    ends = [end if end[0].isdecimal() else normal_number(end) for end in span.group("first", "last")]
    (before, dot, first), (other, _, last) = (end.rpartition(".") for end in ends)
    numbers = range(int(first) + 1, int(last)) if before == other else range(0)
    return [f"{before}{dot}{number}" for number in numbers[:MOST_IN_RANGE]]


def _changed_by(sentence: str, following: str) -> Iterator[Amending]:
    own = AS_AMENDED.sub(" ", OWN_PLACE.sub(" ", GROUNDS.sub(" ", sentence)))
    found = _found(own)
    if number := OWN_NUMBER.match(own):  # 第一条 原合同第五条修改为; but 第五条 付款方式修改为
        rest = own[number.end() :]
        found = _found(rest) or (found if _is_title(rest) else [])
    for clause in found:
        for target in clause.targets:
            yield Amending(target, clause.document, clause.ends(following), sentence)
    if not found and (whole := OF_WHOLE.search(own)) and not _is_unsure(own, whole):
        yield Amending(WHOLE, _name_in(whole.group()), not IS_RESTATED.search(whole.group()), sentence)


def _name_in(words: str) -> str:
    named = NAMED.search(words)
    return named.group() if named else ""


def _found(sentence: str) -> list[_Clause]:
    return [*_passive(sentence)] or [*_active(sentence)]


def _passive(sentence: str) -> Iterator[_Clause]:
    """What stands before each verb: "Section 5 is deleted and Section 6 is replaced"."""
    begin = 0
    found: list[tuple[int, re.Match[str]]] = []
    for verb in PASSIVE.finditer(sentence):
        if not _is_unsure(sentence, verb) and _Clause(sentence[begin : verb.end()], "").targets:
            found.append((begin, verb))
        begin = verb.end()
    ends = [verb.start() for _, verb in found[1:]] + [len(sentence)]
    for (begin, verb), end in zip(found, ends, strict=False):
        if not ADDS.search(sentence, verb.end(), end):
            yield _Clause(sentence[begin : verb.end()], sentence[verb.start() : end])


def _active(sentence: str) -> Iterator[_Clause]:
    """What stands behind the first verb."""
    verb = ACTIVE.search(sentence)
    clause = _Clause(sentence[verb.end() :], sentence[verb.start() :]) if verb else None
    if verb and clause and clause.targets and not _is_unsure(sentence, verb):
        yield clause


def _is_title(text: str) -> bool:
    """Whether only the title of a clause stands before the verb."""
    verb = PASSIVE.search(text)
    return verb is not None and verb.start() <= MOST_TITLE and not re.search("[,，]", text[: verb.start()])


def _is_unsure(sentence: str, verb: re.Match[str]) -> bool:
    """Whether the sentence says only when or how a change is to be made."""
    if "hereby" in sentence:
        return False
    before = IF.search(sentence, max(0, verb.end() - CONDITION_CHARACTERS), verb.end())
    return bool(IF_FIRST.match(sentence) or before or BEHIND_IF.match(sentence, verb.end()))
