"""Which kind of figure a question asks for, and which texts hold one: a pressure in bar, a period in months, a date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag_app.dates import dates, without_dates
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


# "3月" is March, a period is "3个月".
_CHINESE_MONTH = re.compile(r"(?:\d{1,2}|[一二三四五六七八九十]{1,2})\s?月(?!份?内)")


@dataclass(frozen=True, slots=True)
class Measure:
    """A kind of figure: the questions that ask for it, the nouns that name it, its units, and how it is said without.

    With `dated` a date is one too. `telling`: the units are few and known, so that a text without any holds no such
    figure; of others it may be said in ways that nobody thought of.
    """

    asked: re.Pattern[str]
    nouns: re.Pattern[str]
    units: frozenset[str]
    said: re.Pattern[str] | None = None
    dated: bool = False
    telling: bool = False

    def stands_in(self, text: str) -> bool:
        """Whether the text holds such a figure."""
        undated = _CHINESE_MONTH.sub(" ", without_dates(text))
        return (
            any(quantity.unit in self.units for quantity in quantities(undated))
            or (self.said is not None and self.said.search(undated) is not None)
            or (self.dated and bool(dates(text)))
        )


def _pattern(*forms: str) -> re.Pattern[str]:
    return re.compile("|".join(forms), re.IGNORECASE)


def _measure(
    english: str, chinese: str, units: str, *, also: str = r"(?!)", said: str = "", telling: bool = False
) -> Measure:
    """What these nouns name: asked for by "what is the largest pressure of ...", "torque of ...", not by "why is ...".

    `units` are those that `quantities` knows, apart by blanks; `said` are other ways to write one behind a number, and
    `also` further forms of the question.
    """
    asked = _pattern(
        rf"\b(?:what|which)(?:['’]s| (?:is|are|was|were|should|must|shall))\b(?: (?!of\b){_WORD}){{0,4}}"
        rf" (?:{english}){_BEHIND}",
        rf"\b(?:what|which)(?: (?!causes?\b|happens\b|does\b|do\b|if\b){_WORD})?? (?:{english}){_BEHIND}",
        rf"\bhow (?:much|high|low|large)(?: {_WORD}){{0,2}}? (?:{english})\b",
        rf"^(?!(?:{_NO_NOUN_PHRASE})\b)(?:{_WORD} ){{0,3}}?(?:{english}) (?:of|for|on|at|in)\b",
        rf"(?:{chinese})[^，。？；]{{0,16}}(?:多[少大高低长]|是几)|(?:多[少大高长]|几).{{0,4}}(?:{chinese})",
        also,
    )
    numbered = _pattern(rf"\d\s?-?(?:{said})(?![a-z])") if said else None
    return Measure(asked, _pattern(rf"\b(?:{english})\b", chinese), word_set(units), numbered, telling=telling)


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
_NUMBER = r"(?:\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|sixty|ninety))"
_CHINESE_PERIOD = r"[\d一二两三四五六七八九十百]\s?个?(?:日历|工作|自然|营业)?(?:日|天|周|星期|季度|年|小时|分钟|秒)"


def _units_of(period: str) -> frozenset[str]:
    return word_set(f"{period} {_PERIODS[period]}") | {
        f"{kind} {period}" for kind in ("business", "working", "calendar")
    }


def _said(period: str) -> str:
    """ "One year", "each week", "500 operating hours": a period that is no number with its unit."""
    kinds = r"(?:\(1\)|full|calendar|business|working|consecutive|running|operating|service)"
    return rf"(?:\b(?:one|an?|each|every|per)|{_NUMBER}\S*)(?: {kinds})* {period}s?\b"


_ALL_PERIODS = frozenset[str]().union(*map(_units_of, _PERIODS)) | {"ms"}
_LASTING = _pattern(
    _said(_ANY_PERIOD),
    r"\d\s?(?:mins?|hrs?|secs?|yrs?|wks?)\b",
    r"\buntil\b|\b(?:dai|week|month|quarter|year)ly\b|\bannual|\bindefinite|\bperpetu|\bpermanent|\bimmediate",
    r"\b(?:at any time|as long as|surviv\w+|for the (?:term|duration|life\w*)"
    r"|(?:every|each) (?:shift|use|start|stop|time|run|season|operation|cycle|visit|delivery))\b",
    rf"{_CHINESE_PERIOD}|[一二两三四五六七八九十\d]+\s?个月|每[天日周月年季次班]|永久|立即|无限期|长期|随时|半年",
)
_MONEY = _pattern(
    r"[$€£¥￥₹₩₽]\s?\d|\b(?:usd|eur|gbp|cny|rmb|chf|jpy|aud|cad|sek|nok|dkk|inr|hkd|sgd|nzd|krw|twd|brl|mxn|zar|pln|czk|huf)\b",
    r"\b(?:dollars?|euros?|pounds? sterling|yuan|yen|cents?)\b|\d\s?(?:万|亿)?\s?[元圆]|[百千万]分之|人民币",
    r"\b(?:free of charge|no charge|at no cost|for free)\b",
    r"\bat (?:its|his|their|the \w+['’]s) (?:own )?(?:cost|expense)\b|免费|自费",
)
MEASURES = (
    _measure(
        "pressure|vacuum",
        "压力|压强|气压|真空度",
        "bar mbar pa kpa mpa psi 巴 千帕 兆帕",
        said="bars?|psi[ag]?|kg/cm|kgf/cm|atm|mm ?hg|in ?hg|torr|(?:mega|kilo|hecto)?pascals?|hpa|n/mm|大气压|公斤|帕",
        telling=True,
    ),
    _measure(
        "torque",
        "扭矩|力矩",
        "nm 牛米",
        also=r"\bhow tight\b",
        said=r"(?:(?:ft|in|foot|inch)[-. ·]?)?(?:lb|pound)s?f?(?:[-. ·]?(?:ft|in|foot|inch|feet))?|newton"
        r"|[ck]?n[-. ·]?m|kgf?|牛",
        telling=True,
    ),
    _measure(
        "temperature",
        "温度",
        "°c °f c k 度",
        also=r"\bhow (?:hot|cold|warm)\b",
        said="°|º|℃|℉|deg(?:rees?)?|kelvin|摄氏|度",
        telling=True,
    ),
    _measure("voltage", "电压", "v mv kv 伏 千伏", said="(?:kilo|milli)?volts?|v ?[ad]c|v[ad]c|vpp|伏", telling=True),
    _measure("amperage|current", "电流", "a ma 安 毫安", said="(?:milli|micro)?amp(?:ere)?s?|[µμu]a|na|a ?[ad]c|安"),
    _measure("frequency", "频率", "hz khz mhz ghz", said="(?:kilo|mega|giga)?hertz|赫"),
    _measure(
        "weight|mass",
        "重量|质量",
        "g kg mg t 吨 公斤 千克 克",
        also=r"\bhow heavy\b",
        said="lbs?|pounds?|oz|ounces?|ton(?:ne)?s?|(?:kilo|milli)?grams?|斤",
    ),
    _measure(
        "distance|diameter|thickness|clearance|length|height|width|depth",
        "距离|间隙|直径|厚度|长度|高度|宽度|深度",
        "mm cm m km µm μm in 毫米 厘米 米 微米",
        also=r"\bhow (?:deep|wide|thick|tall|close)\b|\bhow long (?:is|are|should|must|can|may) (?:the|an?|its|our)\b",
        said=r"(?:milli|centi|kilo)?met(?:re|er)s?|f(?:ee|oo)?t|in(?:ch(?:es)?)?|yards?|miles?|[′″'\"]",
    ),
    _measure(
        "percentage|percent", "比例|百分比", "%", also="百分之[多几]|[百千万]分之几", said="percent|per cent|‰|成"
    ),
    replace(
        _measure(
            "price|cost|salary|rent|wage",
            "价格|总价|单价|费用|金额",
            "usd eur cny rmb 元 万元",
            also=r"\b(?:how much|what (?:do|does|did|will|would))\b.{0,80}\bcost|\bhow expensive\b|多少钱",
            telling=True,
        ),
        said=_MONEY,
    ),
    # Often a share of something.
    replace(
        _measure(
            "fee|penalty|penalties|liquidated damages|interest rate|rate of interest|discount|surcharge",
            "违约金|罚款|罚金|利息|手续费",
            "% usd eur cny rmb 元 万元",
            also=r"\bhow much\b.{0,80}\b(?:pay|charge|owe)|[付交收缴罚赔].{0,4}多少",
        ),
        said=_MONEY,
    ),
    replace(
        _measure(
            "interval|duration|period|time limit|deadline|lifetime|timeout",
            "期限|周期|间隔|时间|时长|寿命|保修期|质保期",
            "",
            also=rf"\bhow (?:long|often|soon|quickly)\b|\bhow far in advance\b|\bhow many (?:{_WORD} )?{_ANY_PERIOD}s\b"
            r"|多久|多长时间|[几多少]+个?(?:天|日|年|小时|月|周|分钟|秒)",
        ),
        units=_ALL_PERIODS,
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
        _pattern(
            _LASTING.pattern, r"\b(?:when|whenever|upon|once|if|as soon as|during|after|before)\b|之日|[时后起前]"
        ),
        dated=True,
    ),
)
_PERIOD_ASKED = _pattern(
    rf"\b(?:how many|in) (?:{_WORD} )?(?P<en>{_ANY_PERIOD})s\b", r"[几多少]+个?(?P<zh>小时|分钟|秒|天|周|月|年)"
)


def asked_measures(question: str) -> list[Measure]:
    """The kinds of figure that the question asks for by name; none where it asks for any number, or for none."""
    return [measure for measure in MEASURES if measure.asked.search(question)]


def _period_asked(question: str) -> list[Measure]:
    """The very period that is asked for: hours by "after how many hours" and by "when, in hours"."""
    named = _PERIOD_ASKED.search(question)
    if named is None or not asked_measures(question):
        return []
    period = (named["en"] or next(name for name in _PERIODS if named["zh"] in _PERIODS[name].split())).lower()
    return [Measure(_PERIOD_ASKED, _pattern(period), _units_of(period), _pattern(_said(period)))]


def lacks_asked_figure(question: str, text: str) -> bool:
    """Whether the question asks for a figure of which every text with one is known, and the text holds none.

    A unit without a number is one too: it may stand in the head of a table.
    """
    measures = asked_measures(question)
    return bool(measures) and not any(
        not measure.telling or measure.stands_in(text) or measure.units & units(text) for measure in measures
    )


def asks_for_figure(question: str) -> bool:
    """Whether the answer must hold a number: "how many", "what torque", "by when", 多少, 多久."""
    return _ANY_FIGURE.search(question) is not None or bool(asked_measures(question))


def with_asked_figure(question: str, texts: Sequence[str]) -> list[int]:
    """The places of the texts that hold the kind of figure asked for, else of those with any figure, else all of them.

    A text is a sentence, or a table row below the head of its table.
    """
    for measures in (_period_asked(question), asked_measures(question)):
        places = [place for place, text in enumerate(texts) if any(_holds(measure, text) for measure in measures)]
        if places:
            return places
    if asks_for_figure(question):
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
