"""A quoted clause with what changed it: what governs today, since when, what it replaced, and what will govern.

Passages are linked as wholes (`Passage.links`); here it is seen which links concern the very words that are quoted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ingest.amending import amended, runs_on
from ingest.clauses import normal_number
from ingest.numbering import clause_number
from ingest.outline import touches
from rag_app.answer import GOVERNING, WHOLE, Link, Passage, Relation
from rag_app.dates import NO_DAY, Day, day_name
from rag_app.effective import since
from rag_app.openings import ordinal
from rag_app.quotes import MAX_LIST_CHARACTERS, Quote, quotes_of
from rag_app.sentences import sentences
from rag_app.words import Language

Lead = Mapping[Language, str]
"""What is said above a quote that was not chosen for itself."""

Score = Callable[[Sequence[str]], Sequence[float]]

Told = tuple[Lead | None, Quote]

_IS: Mapping[Relation, Lead] = {
    "amends": {"en": "This amends {clause}{since}.", "zh": "以上内容修改了{clause}{since}。"},
    "ends": {"en": "This ends {clause}{since}.", "zh": "以上内容使{clause}失效{since}。"},
    "revises": {
        "en": "This is {clause} in the later version of the document{since}.",
        "zh": "以上为新版文件的{clause}{since}。",
    },
    "drops": {"en": "", "zh": ""},  # said above already
}
_WILL_BE: Mapping[Relation, Lead] = {
    "amends": {
        "en": "Not in force yet: from {day} on, {clause} is amended:",
        "zh": "尚未生效：自 {day} 起，{clause}将修改：",
    },
    "ends": {"en": "Not in force yet: from {day} on, {clause} ends:", "zh": "尚未生效：自 {day} 起，{clause}将失效："},
    "revises": {
        "en": "Not in force yet: from {day} on, a later version of the document has {clause} as follows:",
        "zh": "尚未生效：自 {day} 起适用的新版文件中，{clause}为：",
    },
    "drops": {
        "en": "Not in force yet: from {day} on, a later version has no such {clause}. Near its place stands:",
        "zh": "尚未生效：自 {day} 起适用的新版文件中不再有此{clause}，其相近处为：",
    },
}
_DROPPED: Lead = {
    "en": "A later version of the document has no such {clause}{since}. Near its place stands:",
    "zh": "新版文件中不再有此{clause}{since}，其相近处为：",
}
_TODAY: Lead = {"en": "In force today, {today}:", "zh": "今日（{today}）有效："}
_BEFORE: Lead = {"en": "Before, it read:", "zh": "此前为："}
_UNTIL_THEN: Lead = {"en": "Until then, it reads:", "zh": "在此之前为："}
_EARLIER: Lead = {"en": "An earlier amendment of it{since}:", "zh": "此前的修改{since}："}
_ANOTHER: Lead = {
    "en": "Another amendment of it{since}; which of them is the later is not known:",
    "zh": "另一项修改{since}，先后不明：",
}
_EFFECTIVE: Lead = {"en": ", effective {day}", "zh": "（自 {day} 起生效）"}
_DATED: Lead = {"en": " (amendment of {day})", "zh": "（{day} 的修改）"}
_UNSURE: Lead = {
    "en": ", effective {day} (whether that has come is not known)",
    "zh": "（自 {day} 起生效，是否已到不明）",
}
_UNKNOWN: Lead = {"en": " (from when on is not stated)", "zh": "（生效日期未注明）"}
_CLAUSE: Lead = {"en": "clause {number}", "zh": "第 {number} 条"}
_OF: Lead = {"en": "{clause} of “{title}”", "zh": "“{title}”{clause}"}
_ALL: Lead = {"en": "the whole document", "zh": "整份文件"}


@dataclass(frozen=True, slots=True)
class _Change:
    """A passage that changes a clause, by this link; `of` is the title of an amendment whose clause that is."""

    passage: Passage
    link: Link
    of: str

    @property
    def rank(self) -> tuple[bool, tuple[Day, Day], int, int]:
        """The highest governs: what is in force, of that the latest."""
        link = self.link
        order = since(link.effective, link.dated), ordinal(self.passage.title)
        return (link.standing == "in force", *order, -self.passage.number)

    def is_known_to_follow(self, other: _Change) -> bool:
        """Whether this is the later one for sure: by its day, unless it was made before, or by its number."""
        (begins, made), (others, others_made) = (since(one.link.effective, one.link.dated) for one in (self, other))
        if "unknown" in (self.link.standing, other.link.standing) or NO_DAY in (begins, others):
            return 0 < ordinal(other.passage.title) < ordinal(self.passage.title)
        made_before = NO_DAY != made < others_made
        return self.rank[1:3] > other.rank[1:3] and not made_before


@dataclass(frozen=True, slots=True)
class Governing:
    """Tells of quotes from these passages what governs on the day `today`.

    `score` gives one figure a text, higher for what answers better.
    """

    passages: Sequence[Passage]
    score: Score
    today: date

    def told(self, quote: Quote) -> list[Told]:
        """The quote alone; where its clause was changed or it changes one, what governs today before all else."""
        now, later = self._history(*self._first(quote), set())
        if later and now[0][0] is None:
            today = {language: words.format(today=day_name(self.today, language)) for language, words in _TODAY.items()}
            now[0] = today, now[0][1]
        return now + later

    def _first(self, quote: Quote) -> tuple[Quote, str]:
        """The clause that a quote changes, or that which the changed one changes itself; else the one it stands in."""
        by_number = {passage.number: passage for passage in self.passages}
        clause = _clause_at(quote)
        seen = {quote.passage.number}
        while link := self._changed_by(quote, clause):
            if link.number in seen:
                break
            seen.add(link.number)
            quote, clause = best_within(by_number[link.number], link.target, self.score), link.target
        return quote, clause

    def _changed_by(self, quote: Quote, clause: str) -> Link | None:
        """The first link by which the quote itself changes a clause of another passage."""
        changed = amended(quote.text)
        for link in quote.passage.links:
            is_version = link.relation == "revises" and touches(link.target, clause)
            if is_version or (link.relation in GOVERNING and link.target in changed and link.target != WHOLE):
                return link
        return None

    def _history(self, quote: Quote, clause: str, seen: set[int]) -> tuple[list[Told], list[Told]]:
        """The quote with all that changes its clause: today's rule and what it replaced; and what is to come.

        The passages that are told are added to those `seen`: each is told once, also where amendments change each
        other.
        """
        changes = self._changes(quote, clause, seen)
        present = [change for change in changes if change.link.standing != "to come"]
        seen |= {quote.passage.number, *(change.passage.number for change in changes)}
        told: list[Told] = []
        later: list[Told] = []
        for place, change in enumerate(present):
            above = _lead_of_earlier(present[place - 1], change, place) if place else _dropped(change)
            now, to_come = self._of_change(change, above, seen)
            told += now
            later += to_come
        told.append((_before(present) if present else None, quote))
        for change in reversed(changes):
            if change not in present:
                now, to_come = self._of_change(change, _named(_WILL_BE, change), seen)
                later += now + to_come
        return told, later

    def _changes(self, quote: Quote, clause: str, seen: set[int]) -> list[_Change]:
        """What changes this clause in the passage of the quote, each passage once, what governs first."""
        found = {
            passage.number: _Change(passage, link, quote.passage.title if seen else "")
            for passage in self.passages
            for link in reversed(passage.links)
            if link.relation in GOVERNING and link.number == quote.passage.number and passage.number not in seen
            if link.target == WHOLE or touches(link.target, clause)
        }
        return sorted(found.values(), key=lambda change: change.rank, reverse=True)

    def _of_change(self, change: _Change, lead: Lead | None, seen: set[int]) -> tuple[list[Told], list[Told]]:
        """The words of a change; a later amendment may have changed these in turn."""
        quote = _governing_quote(change, self.score)
        now, later = self._history(quote, _clause_at(quote), seen)
        return [(lead or now[0][0], now[0][1]), *now[1:]], later


def _governing_quote(change: _Change, score: Score) -> Quote:
    """The clause in a later version; or the sentence that changes it, with as much new wording as a quote may hold."""
    passage, link = change.passage, change.link
    if link.relation in ("revises", "drops"):
        return best_within(passage, link.target, score)
    quotes = list(quotes_of(passage))
    quote = next((one for one in quotes if link.target in amended(one.text)), quotes[0])
    start, end = quote.span
    for _, further in sentences(passage.text):
        if further > end and runs_on(passage.text[start:end]) and further - start <= MAX_LIST_CHARACTERS:
            end = further
    return Quote(passage, (start, end), passage.text[start:end])


# What is said


def _before(present: Sequence[_Change]) -> Lead:
    """What is said above the replaced text: of one change what it is, of several that the text was before all."""
    if len(present) > 1:
        return _BEFORE
    link = present[0].link
    waits = link.standing == "unknown" and link.effective
    return _joined(_named(_IS, present[0]), _UNTIL_THEN if waits else _BEFORE)


def _dropped(change: _Change) -> Lead | None:
    """What is said above all else where the clause is no more in the later version."""
    return _named({"drops": _DROPPED}, change) if change.link.relation == "drops" else None


def _lead_of_earlier(later: _Change, earlier: _Change, place: int) -> Lead:
    """What is said above the second and further changes; behind the first, what that one is."""
    words = _EARLIER if later.is_known_to_follow(earlier) else _ANOTHER
    lead = {language: text.format(since=_since(earlier.link, language)) for language, text in words.items()}
    return lead if place > 1 else _joined(_named(_IS, later), lead)


def _named(words: Mapping[Relation, Lead], change: _Change) -> Lead:
    link = change.link
    leads: dict[Language, str] = {}
    for language, text in words[link.relation].items():
        numbered = _CLAUSE[language].format(number=link.target) if link.target[:1].isdigit() else link.target
        clause = _ALL[language] if link.target == WHOLE else numbered
        if change.of:
            clause = _OF[language].format(clause=clause, title=change.of)
        leads[language] = text.format(clause=clause, since=_since(link, language), day=link.effective or link.dated)
    return leads


def _since(link: Link, language: Language) -> str:
    day = link.effective or link.dated
    if not day:
        return "" if link.relation in ("revises", "drops") else _UNKNOWN[language]
    if link.standing == "unknown":
        return _UNSURE[language].format(day=day)
    return (_EFFECTIVE if link.effective else _DATED)[language].format(day=day)


def _joined(lead: Lead, other: Lead) -> Lead:
    return {"en": f"{lead['en']} {other['en']}".strip(), "zh": f"{lead['zh']}{other['zh']}"}


# Places within passages


def best_within(passage: Passage, target: str, score: Score, about: str = "") -> Quote:
    """The best quote from this clause of the passage, or from all of it for a table or a page.

    Words on the term `about` are better than others.
    """
    quotes = list(quotes_of(passage))
    within = [quote for quote in quotes if touches(target, _clause_at(quote))] or quotes
    within = [quote for quote in within if about in quote.text] or within
    scores = score([quote.text for quote in within])
    return within[max(range(len(within)), key=scores.__getitem__)]


def _clause_at(quote: Quote) -> str:
    """The number of the clause that a quote begins in, "" where nothing numbers it."""
    text = quote.passage.text
    line_end = text.find("\n", quote.span[0])
    lines = text[: line_end if line_end >= 0 else len(text)].split("\n")
    printed = next((number for line in reversed(lines) if (number := clause_number(line))), None)
    return normal_number(printed) if printed else next(iter(quote.passage.clauses), "")
