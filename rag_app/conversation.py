"""Follow-up questions made to stand alone, so that they can be searched without the conversation.

With a language model, it rewrites the question. Without one, a rule recognises questions that lean on the one before
and gives them its subject: "And for the HP-60?" after "What torque for the ram bolts of the HP-40?" becomes "What
torque for the ram bolts of the HP-60?"; "Why is it limited?" becomes "Why is it limited? (torque ram bolts HP-40)".
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

from ingest.segmentation import CJK, STOP_WORDS, fold, identifiers
from rag_app.answer import Turn
from rag_app.words import content_words, language, word_set

if TYPE_CHECKING:
    from rag_app.llm import LanguageModel

logger = logging.getLogger(__name__)

# A pronoun in a longer question usually stands for something in the question itself.
MAX_WORDS_WITH_PRONOUN = 6
MAX_WORDS_OF_FRAGMENT = 2
MAX_CARRIED_CHARACTERS = 200
# A rewriting adds the subject; one much longer than the question answers it or explains itself.
MAX_ADDED_CHARACTERS = 400

_CONTINUES = re.compile(
    r"^\W*(?:and|but|or|also|then|so|what about|how about|what if|same for|in that case"
    r"|那么?|还有|另外|以及|如果是|换成)"
    rf"(?:\b|(?=[{CJK}]))",
    re.IGNORECASE,
)
_CONTINUES_AT_END = re.compile(r"呢[\s?？。!！]*$")
_PRONOUNS = word_set("it its this these those they them their one ones he she him her there same")
# "That" stands for something as a subject or behind these words; elsewhere it joins clauses: "now that it is amended".
_THAT = re.compile(
    r"^\W*that\b|\b(?:is|was|does|do|did|can|will|about|after|before|by|for|from|in|like|of|on|than|to|with|without)"
    r"\s+that\b|\bthat\s*[?.!,]",
    re.IGNORECASE,
)
# What begins so is a whole question, which may be short: "What colour is the moon?", "By when is it due?"
_ASKS = re.compile(
    r"^\W*(?:(?:about|after|at|by|for|from|in|of|on|since|to|under|until|with)\s+)?(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|may|must|shall|should"
    r"|will|would|has|have|had)\b|多[少久长大高]|什么|哪|谁|几[个次天年月]|怎|如何|是否|能否|吗[?？]?$",
    re.IGNORECASE,
)
_ACRONYM = re.compile(r"[A-Z]{2,6}")
_CJK_PRONOUN = re.compile("它|他们|她们|这个|那个|这些|那些|这种|那种|(?<!应)该|其中|其|此|上述|这里|那里|同样")
# "for", "on": words that may stand beside a new name without asking anything new.
_ELLIPSIS_WORDS = STOP_WORDS | word_set("case same model version 那 那么 呢 的 换成 如果是 还有 另外 型号")
_CJK_GRAMMAR = re.compile(
    "为什么|什么时候|怎么办|什么|多少|怎么样|怎么|怎样|如何|哪里|哪个|哪些|多久|是否|可以|应该|需要|请问|[的了是在和与吗呢吧啊我你您有被把将会能请那]"
)
_WORD = re.compile(rf"[{CJK}]+|[^\W{CJK}]+(?:[-./'’:]?[^\W{CJK}]+)*(?:\([^\W_]{{1,4}}\))*")


def standalone(question: str, history: Sequence[Turn], model: LanguageModel | None = None) -> str:
    """The question as it can be understood alone; unchanged without a history or when it leans on nothing.

    Raises LanguageModelError when the model fails. A reply of the model that is no question (empty, of several lines,
    far too long) is logged, and the rule's result stands.
    """
    if not history:
        return question
    by_rule = reduce(_carry_over, [turn.question for turn in history[1:]] + [question], history[0].question)
    return by_rule if model is None else _rewritten(question, history, model) or by_rule


def _rewritten(question: str, history: Sequence[Turn], model: LanguageModel) -> str:
    from rag_app.prompts import standalone_messages

    reply = model.complete(standalone_messages(question, history)).strip()
    if not reply or "\n" in reply or len(reply) > len(question) + MAX_ADDED_CHARACTERS:
        logger.warning(
            "Expected a one-line question from the language model, got %d characters in %d lines; "
            "the follow-up is completed by rule instead.",
            len(reply),
            len(reply.splitlines()),
        )
        return ""
    return reply


def is_follow_up(question: str) -> bool:
    """Whether a question leans on the one before: it begins like a continuation, is a fragment, or has a pronoun."""
    if _CONTINUES.search(question) or _CONTINUES_AT_END.search(question):
        return True
    words = _subject_words(question)
    if any(identifiers(word) for word in words):
        return _has_pronoun(question) and len(words) <= MAX_WORDS_OF_FRAGMENT
    if len(words) <= _size(MAX_WORDS_OF_FRAGMENT - _is_whole(question), question):
        return True
    return _has_pronoun(question) and len(words) <= _size(MAX_WORDS_WITH_PRONOUN, question)


def _is_whole(question: str) -> bool:
    """Whether it asks something of its own: "What is the torque?", not "Why?", "How often?", "And the torque?"."""
    return (
        _ASKS.search(question) is not None
        and bool(_subject_words(question))
        and (language(question) == "zh" or len(_WORD.findall(question)) > MAX_WORDS_OF_FRAGMENT)
    )


def _has_pronoun(question: str) -> bool:
    words = {word.lower() for word in _WORD.findall(question)}
    return bool(words & _PRONOUNS) or _THAT.search(question) is not None or _CJK_PRONOUN.search(question) is not None


def _size(words: int, question: str) -> int:
    """A Chinese subject is written in runs, not words: one run holds about two words."""
    return words if language(question) == "en" else max(words // 2, 1)


def _carry_over(previous: str, question: str) -> str:
    """The question with what it lacks from the previous standalone one."""
    if not is_follow_up(question):
        return question
    replaced = _replacements(previous, question)
    if replaced and not _asks_more(question):
        return _substituted(previous, replaced)
    present = set(content_words(question))
    subject = [
        word
        for word in _subject_words(previous)
        if fold(word) not in replaced and not set(content_words(word)) <= present
    ]
    if _is_whole(question) and not _has_pronoun(question):
        # Of what was asked before, only the machine or the part is still meant: its name keeps the sister model out.
        subject = [word for word in subject if identifiers(word)]
    elif _subject_words(question):
        subject = [word for word in subject if not _ACRONYM.fullmatch(word)]  # "And the lease?" leaves the NDA
    if not subject:
        return question
    return f"{question} ({_shortened(subject)})"


def _replacements(previous: str, question: str) -> dict[str, str]:
    """The identifiers of the previous question that ones of the same shape replace: hp-40 by HP-60, e05 by E07."""
    named = [word for word in _subject_words(question) if identifiers(word)]
    kept = {fold(word) for word in named}
    new = {_letters(word): word for word in named if _letters(word)} | {_shape(word): word for word in named}
    found = {old: new.get(_shape(old)) or new.get(_letters(old)) for old in map(fold, _subject_words(previous))}
    return {old: word for old, word in found.items() if word and identifiers(old) and old not in kept}


def _letters(identifier: str) -> str:
    """What HP-40 and "hp60" have in common, however they are written; "" for a single letter and for a number."""
    letters = re.sub(r"[\W\d_]+", "", fold(identifier))
    return letters if len(letters) > 1 else ""


def _shape(identifier: str) -> str:
    """The identifier with letters as "a" and digits as "9": HP-40 and KT-200 are both "a-9"."""
    bare = re.sub(r"\([^)]*\)", "", fold(identifier))
    return re.sub(r"9(?:\.9)+", "9.9", re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", bare)))


def _asks_more(question: str) -> bool:
    """Whether the question holds words of its own beside the names it puts in."""
    return any(not identifiers(word) and fold(word) not in _ELLIPSIS_WORDS for word in _subject_words(question))


def _substituted(previous: str, replaced: dict[str, str]) -> str:
    return _WORD.sub(lambda match: replaced.get(fold(match.group()), match.group()), previous)


def _subject_words(text: str) -> list[str]:
    """The words as written, without grammar: what a question is about, in order, once each."""
    spaced = _CJK_GRAMMAR.sub(" ", _CJK_PRONOUN.sub(" ", text))
    words = [word for word in _WORD.findall(spaced) if word.lower() not in STOP_WORDS]
    return list(dict.fromkeys(words))


def _shortened(words: Sequence[str]) -> str:
    kept: list[str] = []
    for word in words:
        if len(" ".join([*kept, word])) > MAX_CARRIED_CHARACTERS:
            break
        kept.append(word)
    return " ".join(kept)
