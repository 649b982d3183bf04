"""How well the check of citations tells true statements from false ones: `python bench/citations.py`.

Prints a table with one row for each kind of statement in `citations.toml`, and what the judge's score alone would say
at each threshold. A true statement beside every other passage of its language makes the kind "passage".
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

# In front of this file's folder, where bench/ingest.py hides the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ingest.embedding import MiniLmEncoder
from rag_app.answer import Passage
from rag_app.support import best_quote, holds_facts, judged_text, state_of
from rag_app.words import language
from retrievers.rerank.late_interaction import LateInteractionReranker

Case = tuple[str, str, Passage]
"""A kind, a statement, and the passage that it is said to stand in."""


def cases() -> Iterator[Case]:
    groups = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["passage"]
    passages = [
        Passage(n, group["text"], "", group["title"], 1, "", group["section"], "", "", 0.0, 0.0, 1)
        for n, group in enumerate(groups, start=1)
    ]
    for group, passage in zip(groups, passages, strict=True):
        for kind, statements in group.items():
            if isinstance(statements, list):
                yield from ((kind, statement, passage) for statement in statements)
        for statement in group["true"]:
            others = (other for other in passages if other != passage)
            yield from (
                ("passage", statement, other) for other in others if language(other.text) == language(statement)
            )


def main() -> None:
    judge = LateInteractionReranker(MiniLmEncoder()).score
    states: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    scores: defaultdict[tuple[str, bool], list[float]] = defaultdict(list)
    for kind, statement, passage in cases():
        quote = (passage, best_quote(statement, passage.text))
        state = state_of(statement, [quote], judge)
        states[language(statement), kind][state] += 1
        if holds_facts(statement, [quote]) and kind in ("true", "unsaid", "passage"):
            scores[language(statement), kind == "true"] += judge(statement, [judged_text([quote])])
        if (kind == "true") != (state == "verified") and kind != "passage":
            print(f"{kind}: {state}: {statement}")

    print("| language | kind | statements | verified | weak | unsupported |\n|---|---|---|---|---|---|")
    for (tongue, kind), found in states.items():
        figures = [found.total(), found["verified"], found["weak"], found["unsupported"]]
        print(f"| {tongue} | {kind} | {' | '.join(map(str, figures))} |")
    for (tongue, is_true), values in scores.items():
        shares = [f"{low / 20:.2f}: {sum(v >= low / 20 for v in values)}" for low in range(4, 19)]
        print(f"{tongue} {'true' if is_true else 'false'} that hold their facts ({len(values)}): {', '.join(shares)}")


if __name__ == "__main__":
    main()
