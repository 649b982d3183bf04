"""Which clauses of another document a text changes: "Clause 9.1 of the Agreement is deleted and replaced by ...".

Pure, and bounded like `references`. That a text changes "Clause 9.1" says nothing of whose clause that is: the opening
of its document names the other one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.references import references

_CHANGED = r"(?:amended|deleted|replaced|restated|modified|varied|superseded|revised|substituted|cancelled|removed)"
# "Clause 4.1 is hereby deleted"; that a clause "may be amended" changes nothing.
_PASSIVE = re.compile(
    rf"\b(?:is|are|(?:shall|will)\s{{1,3}}be)\s{{1,3}}(?:(?:hereby|further|also|each|both)\s{{1,3}}){{0,3}}{_CHANGED}\b"
    r"|修改为|变更为|替换为|调整为|修订为|改为|予以?删除|被?取代"
)
# "... shall replace Section 3(e)", "is amended by deleting Section 5.2", "The parties agree to amend Section 7"
_ACTIVE = re.compile(
    r"\b(?:hereby\s{1,3}(?:amends?|deletes?|replaces?|restates?|modif(?:y|ies)|var(?:y|ies))"
    r"|shall\s{1,3}(?:replace|supersede)|agreed?\s{1,3}to\s{1,3}(?:amend|delete|replace|modify|vary)"
    r"|amended\s{1,3}by\s{1,3}(?:deleting|replacing|amending|modifying|substituting))\b|删除(?!了)"
)
# Which document's clause it is, said between its number and the verb: "of the Original Agreement".
_OF_DOCUMENT = re.compile(
    r",?\s{1,3}(?:of|to|in|under)\s{1,3}(?:(?:the|that|said|such|our|certain)\s{1,3}){0,3}"
    r"(?:[A-Z][\w’'&.-]{0,30}\s{1,3}){1,6}(?=is|are|shall|will|by|and|as|from|so|to\b)"
)
_SENTENCE_END = re.compile(r"(?<=[.;:])\s+(?=[A-Z(“\"\d])|(?<=[。；：])|\n")
_STRAIGHT_QUOTATION = re.compile(r"\"[^\"]*\"?")
_KINDS = ("clause", "attachment", "table")


def amended(text: str) -> list[str]:
    """The clauses, attachments and tables that the text changes, numbered as in `Chunk.clauses`, in order, once each.

    New wording, which stands in quotation marks, is not read; what a text adds is no change.
    """
    found = [target for sentence in _SENTENCE_END.split(_without_quotations(text)) for target in _changed_by(sentence)]
    return list(dict.fromkeys(found))


def runs_on(text: str) -> bool:
    """Whether the new wording goes on behind the end of the text: it announces it, or leaves its quotation open."""
    is_open = text.count("“") > text.count("”") or text.count('"') % 2 == 1
    return is_open or text.rstrip().endswith((":", "："))


def _changed_by(sentence: str) -> Iterator[str]:
    passive, active = _PASSIVE.search(sentence), _ACTIVE.search(sentence)
    if passive and (targets := list(_targets(sentence[: passive.end()]))):
        yield from targets
    elif active:
        yield from _targets(sentence[active.end() :])


def _targets(part: str) -> Iterator[str]:
    own = _OF_DOCUMENT.sub(" ", part)
    yield from (reference.target for reference in references(own) if reference.kind in _KINDS)


def _without_quotations(text: str) -> str:
    """The text without what stands in quotation marks, also where such marks stand within others."""
    kept: list[str] = []
    depth = 0
    for character in _STRAIGHT_QUOTATION.sub(" … ", text):
        depth += character == "“"
        if not depth:
            kept.append(character)
        depth = max(0, depth - (character == "”"))
    return "".join(kept)
