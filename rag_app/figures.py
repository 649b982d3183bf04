"""Which kind of figure a question asks for, and which texts hold one: a pressure in bar, a period in months, a date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag_app.dates import dates
from rag_app.sentences import is_table_row
from rag_app.words import holds_figure, quantities, units, word_set

_ANY_FIGURE = re.compile(
    r"\bhow (?:many|much|long|far|often|tight|high|low|large|big|fast|quickly|soon|close|deep|wide|thick|heavy|hot)\b"
    r"|\bwhat (?:amount|number)\b|多少|多高|多大|几[个次]",
    re.IGNORECASE,
)
# "170", "≥ 1,450", "12.5 x": not "May 2025".
_NUMBER_CELL = re.compile(r"[^\w\s]?\s?\d[\d.,\s]*(?:\s?[^\d\s]{1,6})?")
_WORD = r"[\w'’-]+"
# What may stand behind the noun that is asked for; in "pressure relief valve" it is no more than part of another.
_BEHIND = r"(?=\s*(?:[^\w\s]|$|(?:of|for|on|at|in|to|from|with|when|is|must|should|may|can|does|do|will)\b))"
_NO_NOUN_PHRASE = "who|why|how|where|when|is|are|was|were|do|does|did|can|may|must|should|shall|will|has|have|if"


@dataclass(frozen=True, slots=True)
class Measure:
    """A kind of figure: the questions that ask for it, the nouns that name it, its units, and how it is said without.

    With `dated` a date is one too.
    """

    asked: re.Pattern[str]
    nouns: re.Pattern[str]
    units: frozenset[str]
    said: re.Pattern[str] | None = None
    dated: bool = False

    def stands_in(self, text: str) -> bool:
        """Whether the text holds such a figure."""
        return (
            any(quantity.unit in self.units for quantity in quantities(text))
            or (self.said is not None and self.said.search(text) is not None)
            or (self.dated and bool(dates(text)))
        )


def _pattern(*forms: str) -> re.Pattern[str]:
    return re.compile("|".join(forms), re.IGNORECASE)


def _measure(
    english: str, chinese: str, units: frozenset[str], *, also: str = r"(?!)", said: re.Pattern[str] | None = None
) -> Measure:
    """What these nouns name: asked for by "what is the largest pressure of ...", "torque of ...", not by "why is ...".

    `also` are further forms of the question.
    """
    asked = _pattern(
        rf"\b(?:what|which)(?:['’]s| (?:is|are|was|were|should|must|shall))\b(?: (?!of\b){_WORD}){{0,4}}"
        rf" (?:{english}){_BEHIND}",
        rf"\b(?:what|which)(?: (?!causes?\b|happens\b|does\b|do\b|if\b){_WORD})?? (?:{english}){_BEHIND}",
        rf"\bhow (?:much|high|low|large)(?: {_WORD}){{0,2}}? (?:{english})\b",
        rf"^(?!(?:{_NO_NOUN_PHRASE})\b)(?:{_WORD} ){{0,3}}?(?:{english}) (?:of|for|on|at|in)\b",
        rf"(?:{chinese})[^，。？；]{{0,16}}(?:多[少大高低长]|是几)|(?:多[少大高长]|什么|几).{{0,4}}(?:{chinese})",
        also,
    )
    return Measure(asked, _pattern(rf"\b(?:{english})\b", chinese), units, said)


_PERIODS = {
    "second": "s 秒",
    "minute": "min 分钟",
    "hour": "h 小时",
    "day": "天 工作日",
    "week": "周",
    "month": "月",
    "quarter": "季度",
    "year": "年",
}
"""Each period's unit with its other names."""

_ANY_PERIOD = f"(?:{'|'.join(_PERIODS)})"
_KINDS_OF_DAYS = ("business", "working", "calendar")


def _units_of(period: str) -> frozenset[str]:
    return word_set(f"{period} {_PERIODS[period]}") | {f"{kind} {period}" for kind in _KINDS_OF_DAYS}


def _said(period: str) -> str:
    """ "One year", "each week", "yearly": a period without a number."""
    return rf"\b(?:one|an?|each|every|per)(?: (?:\(1\)|full|calendar|business|working))* {period}s?\b"


_ALL_PERIODS = frozenset[str]().union(*map(_units_of, _PERIODS)) | {"ms"}
_LASTING = _pattern(
    _said(_ANY_PERIOD),
    r"\buntil\b|\b(?:dai|week|month|quarter|year)ly\b|\bannual|\bindefinite|\bperpetu|\bpermanent|\bimmediate",
    r"\bat any time\b|每[天日周月年季]|永久|立即|无限期|长期|随时|半年|一[天周年]",
)
_MONEY = _pattern(
    r"[$€£¥￥]\s?\d|\b(?:usd|eur|gbp|cny|rmb|chf|jpy|aud|cad)\b|\b(?:dollars?|euros?|pounds sterling|yuan)\b",
    r"\d\s?(?:万|亿)?\s?元|[百千万]分之|人民币|free of charge|no charge|免费",
)
MEASURES = (
    _measure("pressure|vacuum", "压力|压强|气压|真空度", word_set("bar mbar pa kpa mpa psi 巴 千帕 兆帕")),
    _measure("torque", "扭矩|力矩", word_set("nm 牛米"), also=r"\bhow tight\b"),
    _measure("temperature", "温度", word_set("°c °f c k 度"), also=r"\bhow (?:hot|cold|warm)\b"),
    _measure("voltage", "电压", word_set("v mv kv 伏 千伏")),
    _measure("amperage|current", "电流", word_set("a ma 安 毫安")),
    _measure("weight|mass", "重量|质量", word_set("g kg mg t 吨 公斤 千克 克"), also=r"\bhow heavy\b"),
    _measure(
        "distance|diameter|thickness|clearance",
        "距离|间隙|直径|厚度",
        word_set("mm cm m km µm μm in 毫米 厘米 米 微米"),
        also=r"\bhow (?:deep|wide|thick|tall|close)\b",
    ),
    _measure("percentage|percent", "比例|百分比", word_set("%"), also="百分之[多几]", said=_pattern("[百千万]分之")),
    _measure(
        "price|cost|salary|rent|wage",
        "价格|总价|单价|费用|金额",
        word_set("usd eur cny rmb 元 万元"),
        also=r"\bhow much\b.{0,80}\b(?:cost|pay|charge|owe)|\bhow expensive\b|多少钱",
        said=_MONEY,
    ),
    # Often a share of something.
    _measure(
        "fee|penalty|penalties|liquidated damages|interest|discount|surcharge",
        "违约金|罚款|罚金|利息|手续费",
        word_set("% usd eur cny rmb 元 万元"),
        said=_MONEY,
    ),
    _measure(
        "interval|duration|period|frequency|time limit|deadline|lifetime|timeout",
        "期限|周期|间隔|时间|时长|寿命|保修期|质保期",
        _ALL_PERIODS,
        also=rf"\bhow (?:long|often|soon|quickly)\b|\bhow far in advance\b|\bhow many (?:{_WORD} )?{_ANY_PERIOD}s\b"
        r"|多久|多长时间|[几多少]+个?(?:天|日|年|小时|月|周|分钟|秒)",
        said=_LASTING,
    ),
    Measure(
        _pattern(
            r"\bwhat date\b|\b(?:on|by) (?:what|which) (?:date|day)\b|\bby when\b|\bwhen "
            r"(?:is|are|was|were|do|does|did|must|should|shall|may|can|could|will|would|has|have)\b",
            r"何时|什么时候|哪一?天|(?:什么|哪个)日期|日期[是为]",
        ),
        _pattern(r"\bdate\b|日期"),
        _ALL_PERIODS,
        _pattern(_LASTING.pattern, r"\b(?:when|upon|once)\b|之日|[时后起]"),
        dated=True,
    ),
)
_PERIOD_ASKED = _pattern(
    rf"\b(?:how many|in) (?:{_WORD} )?(?P<en>{_ANY_PERIOD})s\b", r"[几多少]+个?(?P<zh>小时|分钟|秒|天|周|月|年)"
)


def asked_measures(question: str) -> list[Measure]:
    """The kinds of figure that the question asks for by name; none where it asks for any number, or for none.

    "After how many hours" and "when, in hours" ask for hours, and not for any period.
    """
    found = [measure for measure in MEASURES if measure.asked.search(question)]
    named = _PERIOD_ASKED.search(question) if found else None
    return [_period(named)] if named else found


def _period(named: re.Match[str]) -> Measure:
    period = named["en"] or next(name for name in _PERIODS if named["zh"] in _PERIODS[name].split())
    return Measure(_PERIOD_ASKED, _pattern(period), _units_of(period.lower()), _pattern(_said(period)))


def asks_for_figure(question: str) -> bool:
    """Whether the answer must hold a number: "how many", "what torque", "by when", 多少, 多久."""
    return _ANY_FIGURE.search(question) is not None or bool(asked_measures(question))


def with_asked_figure(question: str, texts: Sequence[str]) -> list[int]:
    """The places of the texts that hold the kind of figure asked for, else of those with any figure, else all of them.

    A text is a sentence, or a table row below the head of its table.
    """
    measures = asked_measures(question)
    places = [place for place, text in enumerate(texts) if any(_holds(measure, text) for measure in measures)]
    if not places and asks_for_figure(question):
        places = [place for place, text in enumerate(texts) if holds_figure(text) or _has_bare_number(text)]
    return places or list(range(len(texts)))


def _holds(measure: Measure, text: str) -> bool:
    """A bare number in a table cell has the unit that its head names: "Torque (Nm)"."""
    return measure.stands_in(text) or (_has_bare_number(text) and not measure.units.isdisjoint(units(text)))


def _has_bare_number(text: str) -> bool:
    """Whether a table row has a bare number, behind the cell that names the row."""
    row = text.rsplit("\n", 1)[-1]
    cells = row.strip("| ").split("|")[1:] if is_table_row(row) else []
    return any(_NUMBER_CELL.fullmatch(cell.strip()) for cell in cells)
