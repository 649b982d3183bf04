"""The workbench's rankings as HTML. Pure functions, which escape what they are given; draws nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from rag_app.reranking import Candidate, Ranked, Ranking, Scale
from rag_app.words import matching_places
from ui.markup import bar_lengths, head_html, marked_html, marked_line, moved_html
from ui.text import say

_EXCERPT_LENGTH = 160


def ranked_html(ranking: Ranking, candidates: Sequence[Candidate], scale: Scale, before: Mapping[int, int]) -> str:
    """A table of the texts, best first: rank, score, and the text with the query's words highlighted; a long one opens.

    `before` gives the ranks that the places are compared with, by index; nothing for no comparison.
    """
    lengths = _lengths([result.score for result in ranking.results], scale)
    rows = "".join(
        _row(rank, result, length, candidates[result.index], ranking.query, before.get(result.index))
        for rank, (result, length) in enumerate(zip(ranking.results, lengths, strict=True), start=1)
    )
    head = head_html(say("workbench.rank"), say("workbench.score"), say("workbench.text"))
    return f'<table class="ranking ranked">{head}<tbody>{rows}</tbody></table>'


def _lengths(scores: Sequence[float], scale: Scale) -> list[float]:
    """A probability fills its share of the bar; other scores are measured by the highest."""
    return list(scores) if scale == "probability" else bar_lengths(scores)


def _row(rank: int, result: Ranked, length: float, candidate: Candidate, query: str, before: int | None) -> str:
    moved = "" if before is None else moved_html(before, rank)
    return (
        f'<tr><td class="rank"><b>{rank}</b>{moved}</td>'
        f'<td class="value"><span>{result.score:.4f}</span><i><i style="width:{length * 100:.0f}%"></i></i></td>'
        f"<td>{_text(result.text, query)}<div>{escape(candidate.origin)}</div></td></tr>"
    )


def _text(text: str, query: str) -> str:
    line = " ".join(text.split())
    excerpt = line if len(line) <= _EXCERPT_LENGTH else f"{line[:_EXCERPT_LENGTH].rsplit(' ', 1)[0]} …"
    marked = marked_line(excerpt, matching_places(query, excerpt))
    if line == text and excerpt == line:
        return marked
    return f"<details><summary>{marked}</summary>{marked_html(text, matching_places(query, text))}</details>"
