"""Only what the documents bear out: an answer as it comes, without its unsupported sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ingest.segmentation import CJK
from rag_app.citations import Check, Checked
from rag_app.claims import Unit, units
from rag_app.sentences import MAX_SENTENCE_CHARACTERS

# Where a sentence may have ended. Without any, the text need not be read again: that would take quadratic time.
_MAY_END = re.compile(rf"[.!?…][^\w\s]*\s|[。！？；…\n]|[^\n]{{{MAX_SENTENCE_CHARACTERS}}}")
# A sentence has ended for certain when the next word is whole: "No." goes on with "5".
_NEXT_WORD = re.compile(rf"[^\s{CJK}]*[\s{CJK}]")


class Sieve:
    """Lets through the supported sentences of one answer; `checked` holds them afterwards, `text` what came through.

    A sentence is held back until it is checked. Headings and lead-ins wait for what they introduce, and go with it.
    """

    def __init__(self, check: Check) -> None:
        self._check = check
        self._waiting: list[str] = []
        self._gap = ""
        self._has_dropped = False
        self.text = ""
        self.checked: list[Checked] = []

    def supported(self, pieces: Iterable[str]) -> Iterator[str]:
        """The text that is let through, sentence by sentence; `pieces` are those of a cleaned text."""
        text, done = "", 0
        for piece in pieces:
            text += piece
            if not _MAY_END.search(text, done):
                continue
            found = [unit for unit in units(text) if unit.start >= done]
            for unit in found[:-1]:
                if not _NEXT_WORD.match(text, found[-1].start):
                    break
                yield from self._sifted(text, done, unit)
                done = unit.end
        for unit in units(text):
            if unit.start >= done:
                yield from self._sifted(text, done, unit)
                done = unit.end

    def _sifted(self, text: str, done: int, unit: Unit) -> Iterator[str]:
        """The unit and what waited for it, if it is supported."""
        gap = "".join(character for character in text[done : unit.start] if character.isspace())
        # What follows a dropped line begins where that line began.
        self._gap = max(self._gap, gap, key=lambda space: (space.count("\n"), len(space)))
        words = text[unit.start : unit.end]
        if not unit.claims:
            if self._has_dropped:
                self._waiting.clear()
            self._has_dropped = False
            self._waiting += [self._gap, words]
            self._gap = ""
            return
        checked = self._check(unit)
        if checked.statement.state == "unsupported":
            self._has_dropped = True
            return
        before = "".join([*self._waiting, self._gap])
        shown = (before if self.text else before.lstrip()) + words
        start = len(self.text) + len(shown) - len(words)
        self.text += shown
        statement = replace(checked.statement, start=start, end=len(self.text))
        self.checked.append(replace(checked, statement=statement))
        self._waiting.clear()
        self._gap = ""
        self._has_dropped = False
        yield shown
