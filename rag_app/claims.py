"""What an answer states, and which of its marks vouch for what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag_app.dates import dates
from rag_app.marks import Mark, find_marks
from rag_app.sentences import Span, is_table_row, is_table_rule, sentences
from rag_app.words import content_words, holds_figure

_WORD = re.compile(r"\w")
_LIST_MARKER = re.compile(r"^\s*(?:\d{1,2}[.)、]|[-*•>])\s+")
_EDGES = " \t\n.,;:!?。，；：！？…"
# A heading, a line in bold, a question, or words that introduce what follows.
_NO_STATEMENT = re.compile(r"#{1,6}\s.*|\*\*[^*]+\*\*|.*[:：?？][\s*_\"”’」]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Claim:
    """Words of an answer, without marks, and the passages that are said to bear them out."""

    words: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence or a whole table of an answer, with the marks behind it: `text[start:end]`.

    It has no claims when it states nothing.
    """

    start: int
    end: int
    claims: tuple[Claim, ...]


def units(text: str) -> list[Unit]:
    """The sentences and tables of a cleaned text, in order; together they hold every word.

    A mark vouches for the words of its sentence since the marks before; the last one also for those that follow it.
    Marks behind the full stop or below a table vouch for what they follow.
    """
    marks = find_marks(text)
    found: list[Unit] = []
    for start, end in _blocks(text):
        own = [mark for mark in marks if start <= mark.start < end]
        trailing = _trailing(text, found[-1].end, (start, end), own) if found else []
        if trailing:
            body = trailing[-1].end
            found[-1] = _vouched(found[-1], trailing, body if _WORD.search(text[body:end]) else end)
            if not _WORD.search(text[body:end]):
                continue
            own = own[len(trailing) :]
            start = body + len(text[body:end]) - len(text[body:end].lstrip(_EDGES))
        found.append(Unit(start, end, tuple(_claims(text, (start, end), own))))
    return [replace(unit, claims=()) if _states_nothing(unit) else unit for unit in found]


def _blocks(text: str) -> Iterator[Span]:
    """The sentences of the text; neighbouring table rows are one."""
    table: Span | None = None
    for start, end in sentences(text):
        is_row = is_table_row(text[start:end])
        if table and is_row and text.count("\n", table[1], start) == 1:
            table = (table[0], end)
            continue
        if table:
            yield table
        table = (start, end) if is_row else None
        if not is_row:
            yield start, end
    if table:
        yield table


def _trailing(text: str, previous_end: int, block: Span, marks: Sequence[Mark]) -> list[Mark]:
    """The marks at the beginning of a block that belong to what stands before it."""
    start, end = block
    is_bare = not _WORD.search(_without_marks(text, start, end, marks))
    same_line = "\n" not in text[previous_end:start]
    trailing: list[Mark] = []
    for mark in marks:
        begins = trailing[-1].end if trailing else start
        if is_bare or (same_line and not text[begins : mark.start].strip(_EDGES)):
            trailing.append(mark)
        else:
            break
    return trailing


def _vouched(unit: Unit, marks: Sequence[Mark], end: int) -> Unit:
    """The unit with marks behind it: they vouch for its claims without any, else for all of its words."""
    numbers = _once(marks)
    if any(not claim.numbers for claim in unit.claims):
        claims = tuple(claim if claim.numbers else replace(claim, numbers=numbers) for claim in unit.claims)
    else:
        words = " ".join(dict.fromkeys(claim.words for claim in unit.claims))
        claims = (*unit.claims, Claim(words, numbers))
    return Unit(unit.start, end, claims)


def _claims(text: str, block: Span, marks: Sequence[Mark]) -> Iterator[Claim]:
    lines = [block]
    if is_table_row(text[slice(*block)]):
        rows = [(block[0] + start, block[0] + end) for start, end in sentences(text[slice(*block)])]
        has_head = len(rows) > 1 and is_table_rule(text[slice(*rows[1])])
        lines = rows[2 if has_head else 0 :]
    for start, end in lines:
        yield from _sentence_claims(text, start, end, [mark for mark in marks if start <= mark.start < end])


def _sentence_claims(text: str, start: int, end: int, marks: Sequence[Mark]) -> Iterator[Claim]:
    whole = _plain(_without_marks(text, start, end, marks))
    groups = _neighbours(text, marks)
    if not groups and _WORD.search(whole):
        yield Claim(whole, ())
    for index, group in enumerate(groups):
        behind = text[group[-1].end : end] if index == len(groups) - 1 else ""
        part = _plain(f"{text[start : group[0].start]} {behind}")
        # "Yes [1], it does [2]": a word alone says nothing.
        yield Claim(part if len(content_words(part)) > 1 else whole, _once(group))
        start = group[-1].end


def _neighbours(text: str, marks: Sequence[Mark]) -> list[list[Mark]]:
    """The marks in groups that no word parts."""
    groups: list[list[Mark]] = []
    for mark in marks:
        if groups and not _WORD.search(text[groups[-1][-1].end : mark.start]):
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups


def _states_nothing(unit: Unit) -> bool:
    """Whether a unit says that there is no answer, or is a heading, a question or a lead-in without marks.

    What holds a figure or a date states it, whatever it ends with.
    """
    from rag_app.prompts import says_no_answer  # not needed by those who only read settings

    words = " ".join(claim.words for claim in unit.claims)
    if says_no_answer(words):
        return True
    if any(claim.numbers for claim in unit.claims) or dates(words) or holds_figure(words):
        return False
    return _NO_STATEMENT.fullmatch(words) is not None


def _once(marks: Sequence[Mark]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(mark.number for mark in marks))


def _plain(words: str) -> str:
    return _LIST_MARKER.sub("", words).strip()


def _without_marks(text: str, start: int, end: int, marks: Sequence[Mark]) -> str:
    kept = start
    parts = []
    for mark in marks:
        parts.append(text[kept : mark.start])
        kept = mark.end
    return "".join([*parts, text[kept:end]])
