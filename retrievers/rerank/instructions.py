"""What counts as relevant, in words that a reranker reads: named instructions, and which one fits a question.

They are in English whatever the language of question and documents, because the models were trained on English ones.
Each says what is relevant, and where a near miss does harm also what is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ingest.catalog import KINDS, Kind
from ingest.errors import UsageError
from retrievers.rerank.prompt import DEFAULT_INSTRUCTION

__all__ = ["DEFAULTS", "INSTRUCTIONS", "KINDS", "MAX_CHARACTERS", "RULES", "Kind", "resolve", "route"]

INSTRUCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "web": DEFAULT_INSTRUCTION,
        "manual": (
            "Given a question about a product, retrieve passages of its technical manual that answer the question "
            "for the very model that is asked about; passages about another model are not relevant"
        ),
        "fault-code": (
            "Given a fault code or a symptom, retrieve passages of the manual that explain the meaning, the cause or "
            "the remedy of exactly that code on exactly that model; the same code of another model and other codes of "
            "the same model are not relevant"
        ),
        "procedure": (
            "Given a task, retrieve passages of the manual that tell the steps, tools or precautions for carrying it "
            "out on the model that is named; passages that only mention the part are not relevant"
        ),
        "specification": (
            "Given a question about a technical value, retrieve passages or table rows that state this quantity for "
            "the model and the condition that are asked about; values of other quantities, models or conditions are "
            "not relevant"
        ),
        "clause": (
            "Given a question about a contract, retrieve clauses of that contract in force that settle the matter, "
            "including amendments that change them; clauses of other contracts, and clauses that only share the "
            "subject, are not relevant"
        ),
        "definition": (
            "Given a term, retrieve the passage that defines the term or says what it means; passages that only use "
            "the term are not relevant"
        ),
        "obligation": (
            "Given a question about a duty, retrieve clauses that say what the party that is asked about must do, must "
            "not do or is liable for; rights of that party and duties of another party are not relevant"
        ),
        "deadline": (
            "Given a question about a deadline, retrieve passages that state the date, the period or the notice for "
            "that very event and what it is counted from; periods for other events are not relevant"
        ),
        "statute": (
            "Given a legal question or a description of a case, retrieve articles of law that govern it; articles on "
            "a similar subject that do not apply to these facts are not relevant"
        ),
        "code": (
            "Given a question about software, retrieve code or documentation that implements or explains what is "
            "asked for, with the very names of functions, options and errors that the question mentions"
        ),
        "academic": (
            "Given a research question or a claim, retrieve passages of scientific papers that answer the question, "
            "or support or refute the claim with evidence"
        ),
    }
)

MAX_CHARACTERS = 1000

DEFAULTS: Mapping[Kind, str] = MappingProxyType({"general": "web", "manual": "manual", "contract": "clause"})
"""The instruction for a question that no rule knows, by the kind of the collection."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Questions that match get this instruction in collections of these kinds."""

    name: str
    pattern: re.Pattern[str]
    kinds: frozenset[Kind]


def _rule(name: str, kinds: tuple[Kind, ...], *patterns: str) -> Rule:
    return Rule(name, re.compile("|".join(patterns), re.IGNORECASE), frozenset(kinds))


# Chinese characters are letters to a pattern, so that \b does not stand between them and a code.
_CODE = r"(?<![a-z0-9-])[a-z]{1,3}-?\d{1,4}(?![a-z0-9-])"
_QUANTITY = (
    r"(?:torque|pressure|temperature|voltage|current|weight|mass|capacity|speed|power|size|dimensions?|clearance"
    r"|interval|viscosity|rating|range|length|width|height|depth|diameter|tolerance|flow rate|level|value)"
)

RULES: tuple[Rule, ...] = (
    _rule(
        "fault-code",
        ("manual",),
        r"(?<![a-z0-9-])(?:[efap]|al|err?)-?0\d{1,4}(?![a-z0-9])",  # E07, F0021, AL012: no model begins with a zero
        r"\b(?:fault|error|alarm|trouble|diagnostic)(?: codes?| messages?| numbers?)? \W?[a-z]{0,4}-?\d",
        r"\b(?:shows?|displays?|reports?|flashes|what does) (?:the )?\W?" + _CODE + r"(?! (?:key|button|menu)\b)",
        _CODE + r" (?:fault|error|alarm|code)\b",
        r"(?:故障|错误|报警|告警|报错)(?:代码|码|号)?\s?[a-z]{0,4}-?\d",
        r"(?:显示|出现|报)\s?" + _CODE,
        _CODE + r"\s?(?:故障|报警|告警|报错|错误|(?:代码)?(?:是|代表)?什么意思)",
    ),
    _rule(
        "definition",
        ("general", "contract"),
        r"\bdefin(?:e[ds]?|itions?)\b",
        r"\bwhat (?:does|do) (?!it |this |that ).{1,80}? mean(?: in| under| here| by|\W*$)",
        r"\bwhat is meant by\b",
        r"\bmeaning of\b",
        r"定义|(?<!为)什么是|是什么意思|的含义|何谓|指的?是什么",
    ),
    _rule(
        "deadline",
        ("general", "contract"),
        r"\bby when\b",
        r"\bdeadlines?\b",
        r"\bdue dates?\b",
        r"\bnotice periods?\b",
        r"\bhow many (?:\w+ )?(?:days|weeks|months)\b",
        r"\bwithin (?:what|how|which)\b",
        r"\bwhen (?:is|are|does|do|must|shall) .{1,60}\b(?:due|expires?|pay|paid|deliver(?:ed)?)\b",
        r"期限|截止|到期|几[天日]|多少[天日个]|(?:何时|什么时候)(?:之?前|应|付|交|到)|多久(?:之?内|之?前)",
    ),
    _rule(
        "obligation",
        ("contract",),
        r"\b(?:must|shall|obliged|obligat(?:ed|ions?)|required to|ha(?:s|ve) to|duty (?:to|of))\b",
        r"必须|应当|应该|义务",
    ),
    _rule(
        "procedure",
        ("manual",),
        r"\bhow (?:to|do i|do you|do we|can i|can we|should i|must i) (?!know\b)",
        r"\bhow (?:is|are) .{1,60} (?:changed|replaced|removed|installed|mounted|adjusted|cleaned|reset|connected)\b",
        r"\b(?:steps|procedure|instructions) (?:to|for)\b",
        r"\bwhat (?:should|must|do) i do\b",
        r"如何|怎样|怎么(?!回事|了)|步骤",
    ),
    _rule(
        "specification",
        ("manual",),
        r"\bhow (?:much|many|high|heavy|long|wide|deep|thick|tight|fast|hot|cold|loud|often|far|big|large|tall)\b",
        r"\bwhat(?: is| are|'s) the (?:[\w-]+ ){0,3}?" + _QUANTITY + r"(?= (?:of|for|in|on|at|to|with|between)\b|\W*$)",
        r"\b(?:what|which) (?:maximum |minimum |rated |nominal |oil |operating )?" + _QUANTITY + r"\b",
        r"\bwhat(?: is| are|'s) the (?:maximum|minimum|rated|nominal|permissible|permitted)\b",
        r"多少|多[大重高长宽深快久]|规格|额定|最[大小高低](?:允许|工作)?\w{0,4}(?:压力|温度|电压|电流|重量|速度|功率|扭矩)",
    ),
)
"""Read from top to bottom; the first that matches wins."""


def route(question: str, kind: Kind) -> str:
    """The name of the instruction that fits a question in a collection of this kind."""
    matching = (rule.name for rule in RULES if kind in rule.kinds and rule.pattern.search(question))
    return next(matching, DEFAULTS[kind])


def resolve(instruction: str) -> str:
    """The text of a named instruction; any other text as it is, on one line.

    Raises `UsageError` for a single word that is no name, for nothing and for more than `MAX_CHARACTERS`.
    """
    text = " ".join(instruction.split())
    if text in INSTRUCTIONS:
        return INSTRUCTIONS[text]
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"The instruction has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read. Shorten it."
        )
    if " " not in text and text.isascii():  # Chinese has no spaces between its words
        raise UsageError(
            f"There is no instruction '{text[:80]}'. Name one of {', '.join(INSTRUCTIONS)}, or write a sentence."
        )
    return text


def check_instruction(instruction: str | None) -> None:
    """Raises `UsageError` for a mistyped one, also where the reranker would not read it."""
    if instruction is not None:
        resolve(instruction)
