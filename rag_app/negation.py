"""Whether two texts deny the same thing, and set the same kind of limit.

A rule, not understanding: words such as "not", "without" or 禁止 deny the words behind them up to the end of their
clause, twice denied is not denied, and "at most" contradicts "more than".
"""

from __future__ import annotations

import re
from itertools import chain, zip_longest

from ingest.segmentation import STOP_WORDS, fold
from rag_app.words import Language, content_words, language

# How many words a negation is about; what stands further behind may stand elsewhere in a paraphrase. A Chinese "word"
# is a pair of characters, and the verb may stand at the end: 严禁在甲与乙之间加装阀门.
SCOPE_WORDS: dict[Language, int] = {"en": 6, "zh": 24}

_MORE = r"(?:more|later|longer|higher|greater|larger) than"
_LESS = r"(?:less|fewer|earlier|sooner|shorter|lower|smaller) than"
_ZH_MORE, _ZH_LESS = "(?:超过|多于|大于|高于|迟于|晚于)", "(?:少于|低于|小于|早于|短于)"
# In the order in which they are looked for: "not more than" is no "more than".
_LIMITS = {
    "at most": re.compile(
        rf"\b(?:at most|up to|maximum of|(?:no|not)(?: be)? {_MORE}|not(?: be)? exceed\w*)\b"
        rf"|不(?:得|应|能|可)?{_ZH_MORE}|至多|最多"
    ),
    "at least": re.compile(
        rf"\b(?:at least|minimum of|(?:no|not)(?: be)? {_LESS})\b|不(?:得|应|能|可)?{_ZH_LESS}|至少|最少"
    ),
    "above": re.compile(rf"\b(?:{_MORE}|exceed\w*)\b|{_ZH_MORE}"),
    "below": re.compile(rf"\b{_LESS}\b|{_ZH_LESS}"),
}
_OPPOSITES = {
    "at most": {"above", "at least"},
    "at least": {"below", "at most"},
    "above": {"at most"},
    "below": {"at least"},
}

# They look like negations and deny nothing.
_NEUTRAL = re.compile(
    r"\beven (?:if|when|where|though) [^,.;]*"
    r"|\bnot (?:only|just|merely|limited to|matter)\b|\bwhether or not\b|\bif not\b|\bno\.? ?(?=\d)"
    r"|不仅|不但|不只|不论|不管|不锈|不同|不断|不可抗力|不动产|无论|无线|无人|未来|非常|非标|除非|是否"
)
_DENIED_TWICE = re.compile(
    r"\b(?:not|never|cannot|n't) (?:be )?"
    r"(?:un(?=\w{4})|in(?=valid|admissible|correct)|im(?=possible|permissible)|without\b)"
    r"|不(?:能|可|得|应)不|不无|并?非不|没有不|无不"
)
_NEGATION = re.compile(
    r"\b(?:not|never|no|none|neither|nor|cannot|without|nobody|nothing|fail(?:s|ed|ing)? to|refrain(?:s|ed)? from"
    r"|unable to|free (?:of|from))\b|n't\b"
    r"|严禁|禁止|切勿|请勿|不得|不应|不能|不可|不会|不予|不再|没有|未经|无须|无需|毋须|[不未无非勿莫]"
)
# These deny what stands before them: "Smoking is prohibited."
_NEGATION_BEHIND = re.compile(r"\b(?:is|are|be|being|strictly|expressly) (?:prohibited|forbidden|excluded)\b")
# The commas of "sell, assign or transfer" end no clause.
_CLAUSE_END = re.compile(
    r"[.;:!?。；：！？，\n|]|,(?!\s*\w+(?: \w+)?\s*(?:,|\bor\b|\bnor\b))"
    r"|\b(?:but|except|unless|if|when|where|because|provided|and)\b"
)
_ONLY = re.compile(r"\b(?:only|solely|exclusively)\b|只|仅|方可|才")
_EXCEPTION = re.compile(r"\b(?:without|unless|except|until|before|other than)\b|未经|除非|除.{0,20}外")


def contradicts(statement: str, source: str) -> bool:
    """Whether one of the two denies what the other states, or sets the opposite limit.

    `source` is what is said to bear the statement out. A negation in the statement alone is a contradiction; one in
    the source alone only when it denies words of the statement, for a source may say more.
    """
    ours, our_limits = _without_limits(fold(statement))
    theirs, their_limits = _without_limits(fold(source))
    if any(their_limits & _OPPOSITES[limit] and limit not in their_limits for limit in our_limits):
        return True
    if _is_condition(ours, theirs) or _is_condition(theirs, ours):
        return False
    our_scopes, our_plain = _scopes(ours)
    their_scopes, their_plain = _scopes(theirs)
    if not our_scopes:
        return any(_denies(scope, their_plain, set(content_words(ours))) for scope in their_scopes)
    we_deny, they_deny = set(chain(*our_scopes)) - our_plain, set(chain(*their_scopes)) - their_plain
    return not their_scopes or bool(we_deny & set(content_words(theirs)) and not we_deny & they_deny)


def _without_limits(text: str) -> tuple[str, set[str]]:
    """The text without its limits, whose "not" is no negation, and without words that only look like negations."""
    found = set()
    for name, pattern in _LIMITS.items():
        text, count = pattern.subn(" ", text)
        if count:
            found.add(name)
    return _DENIED_TWICE.sub(" ", _NEUTRAL.sub(" ", text)), found


def _is_condition(text: str, other: str) -> bool:
    """Whether one says "only with" what the other says as "not without": two ways to set the same condition."""
    return bool(_ONLY.search(text) and _EXCEPTION.search(other) and _NEGATION.search(other))


def _scopes(text: str) -> tuple[list[list[str]], set[str]]:
    """For each negation the words that it is about, nearest first, and all words that stand outside of these.

    A negation reaches up to the next one or the end of the clause.
    """
    scopes: list[list[str]] = []
    plain: set[str] = set()
    for clause in _CLAUSE_END.split(text):
        limit = SCOPE_WORDS[language(clause)]
        behind = _NEGATION_BEHIND.search(clause)
        denials = list(_NEGATION.finditer(clause))
        before = _words(clause[: behind.start() if behind else denials[0].start() if denials else None])
        if behind:
            scopes.append(before[::-1][:limit])
        else:
            plain.update(before)
        for denial, following in zip_longest(denials, denials[1:]):
            words = _words(clause[denial.end() : following.start() if following else None])
            scopes.append(words[:limit])
            plain.update(words[limit:])
    return [scope for scope in scopes if scope], plain


def _words(text: str) -> list[str]:
    return [word for word in content_words(text) if word not in STOP_WORDS]


def _denies(scope: list[str], plain: set[str], stated: set[str]) -> bool:
    """Whether the nearest denied word, for that is the verb, or half of all are stated, and are nowhere plain."""
    shared = sum(word in stated - plain for word in scope)
    return scope[0] in stated - plain or shared >= max(2, len(scope) / 2)
