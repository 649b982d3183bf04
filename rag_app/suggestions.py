"""First questions for an empty chat, made from headings: what stands under a heading answers a question about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from llama_index.core.schema import BaseNode

from ingest.chunking import SECTION_SEPARATOR
from ingest.collection import Collection
from ingest.records import DocumentRecord
from rag_app.words import Language, language

SUGGESTIONS = 3
# However many documents there are, so many of them are looked at.
_MOST_DOCUMENTS = 9

# What a heading begins with before it says something, and all of "Section 2.1 - Section 2.6".
_NUMBER = re.compile(
    r"(?:第\s*[\d一二三四五六七八九十百零]+\s*[章节条款]"
    r"|(?:(?:Article|Section|Chapter|Part|Clause|Annex|Exhibit)\s+)?(?:[A-Z]\.|\d+|[IVX]+\b)(?:\.\d+)*[.):、．]?)"
    r"(?:\s*[-–—:]\s*|\s+|$)",
    re.IGNORECASE,
)
_LENGTHS = range(4, 61)
_LONGEST_TITLE = 60
# Characters below a heading; less says too little to answer anything.
_LEAST_TEXT: dict[Language, int] = {"en": 200, "zh": 70}
# Headings that stand in any document; a question about them says nothing.
_GENERAL = re.compile(
    r"(?:table of )?contents|introduction|overview|index|general(?: provisions)?|preface|foreword|abstract|summary"
    r"|(?:appendix|annex|schedule|exhibit)\b.*|references|notes?|miscellaneous"
    r"|background|recitals|definitions|other provisions|about (?:this|the) .*|copyright.*|notice"
    r"|目录|前言|概述|简介|引言|总则|定义|附录.*|附则|其他|说明|关于.*|版权.*|参考文献|摘要",
    re.IGNORECASE,
)
_QUESTIONS: dict[Language, tuple[str, str]] = {
    "en": ("What does {title} say about “{heading}”?", "What do the documents say about “{heading}”?"),
    "zh": ("《{title}》中关于“{heading}”是怎么规定或说明的？", "文档中关于“{heading}”是怎么规定或说明的？"),
}


def suggested_questions(collection: Collection) -> list[str]:
    """Up to `SUGGESTIONS` questions, one a document, the newest first, each in the language of its heading."""
    questions: list[str] = []
    for record in collection.catalog.newest(_MOST_DOCUMENTS):
        if heading := best_heading(record.title, collection.vectors.get_version(record.version)):
            questions.append(_question(record, heading))
        if len(questions) == SUGGESTIONS:
            break
    return questions


def best_heading(title: str, nodes: Sequence[BaseNode]) -> str:
    """The heading, without its number, that most text stands under; "" where none says more than the title."""
    lengths: Counter[str] = Counter()
    for node in nodes:
        lengths[_heading(str(node.metadata["section"]))] += len(node.get_content())
    good = [
        heading
        for heading, length in lengths.items()
        if _says_something(heading, title) and length >= _LEAST_TEXT[language(heading)]
    ]
    return max(good, key=lambda heading: lengths[heading], default="")


def _heading(section: str) -> str:
    """The words of the deepest heading of a path that has any."""
    headings = [_unnumbered(part) for part in section.split(SECTION_SEPARATOR)]
    return next((heading for heading in reversed(headings) if heading), "")


def _unnumbered(heading: str) -> str:
    words = heading.strip()
    while number := _NUMBER.match(words):
        words = words[number.end() :]
    return words.strip(" .:：-–—")


def _says_something(heading: str, title: str) -> bool:
    return (
        len(heading) in _LENGTHS
        and sum(map(str.isalpha, heading)) >= len(heading) / 2
        and heading.casefold() not in title.casefold()
        and not _GENERAL.fullmatch(heading)
        and not any(quote in heading for quote in '“”"')
    )


def _question(record: DocumentRecord, heading: str) -> str:
    of_one, of_all = _QUESTIONS[language(heading)]
    title = " ".join(record.title.split())
    return (
        of_one.format(title=title, heading=heading) if len(title) <= _LONGEST_TITLE else of_all.format(heading=heading)
    )
