"""How often answers without a language model quote the evidence: `python bench/quotes.py DIR... [--limit 60]`.

DIR is a question set as `rag-app eval` reads it, with spans. Its documents are read as files of text, and up to `limit`
of its answerable questions are asked of the whole assistant on the embedded profile. A quote is right when it shares
60 characters with labelled evidence, or 60 % of the shorter of both. Prints one row for each set.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

# In front of this file's folder, where bench/ingest.py hides the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rag_app.answer import Answer, Finished
from rag_app.assistant import Assistant, build_assistant
from rag_app.question_set import QuestionSet, Sample
from rag_app.settings import load_settings

SHARED_CHARACTERS = 60
SHARED_PART = 0.6

_NO_LETTER = re.compile(r"[\W_]+")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR")
    parser.add_argument("--limit", type=int, default=60)
    arguments = parser.parse_args()
    print(
        "| set | asked | answered | first quote right | a quote right | quotes an answer |\n|---|---|---|---|---|---|"
    )
    for folder in arguments.folders:
        print(measure(QuestionSet.load(folder), arguments.limit), flush=True)


def measure(question_set: QuestionSet, limit: int) -> str:
    """The row of a question set; shares are of the answered questions."""
    spans, texts = question_set.spans, {document.id: document.text for document in question_set.documents}
    queries = [query for query in question_set.answerable(Sample(limit)) if query.id in spans]
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder), reranker="embedded")
        assistant = build_assistant(settings, create=True, writes=False)
        files = Path(folder) / "files"
        files.mkdir()
        for document in question_set.documents:
            name = re.sub(r"[^\w .-]", "_", document.title)[:80]
            (files / f"{name} {document.id.replace('/', '_')[-40:]}.txt").write_text(document.text, encoding="utf-8")
        assistant.library.ingest([files])
        answers = {query.id: ask(assistant, query.text) for query in queries}
        assistant.home.close()
    evidence = {
        query.id: [texts[span.document_id][span.start : span.end] for span in spans[query.id]] for query in queries
    }
    right = [
        [is_right(citation.quote, evidence[identifier]) for citation in answer.citations]
        for identifier, answer in answers.items()
        if not answer.refused
    ]
    shares = [sum(first for first, *_ in right), sum(map(any, right)), sum(map(len, right))]
    figures = " | ".join(f"{share / len(right):.2f}" if right else "–" for share in shares)
    return f"| {question_set.name} | {len(queries)} | {len(right)} | {figures} |"


def ask(assistant: Assistant, question: str) -> Answer:
    *_, last = assistant.ask(question)
    assert isinstance(last, Finished)
    return last.answer


def is_right(quote: str, evidence: Sequence[str]) -> bool:
    """Whether the quote shares enough with a text of the evidence; only letters and digits count."""
    quoted = _letters(quote)
    for text in map(_letters, evidence):
        shared = max(1, min(SHARED_CHARACTERS, round(SHARED_PART * min(len(quoted), len(text)))))
        if any(quoted[start : start + shared] in text for start in range(len(quoted) - shared + 1)):
            return True
    return False


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", text.lower())


if __name__ == "__main__":
    main()
