"""The workbench's rankings as HTML. Pure functions, which escape what they are given; knows nothing of Streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from rag_app.reranking import Candidate, Ranked, Ranking, Scale
from rag_app.words import matching_places
from ui.markup import bar_lengths, marked_html, shorten
from ui.text import say

_EXCERPT_LENGTH = 140


def ranked_html(ranking: Ranking, candidates: Sequence[Candidate], scale: Scale, before: Mapping[int, int]) -> str:
    """A table of the texts, best first: rank, score, and the text, which opens with the query's words highlighted.

    `before` gives the ranks that the places are compared with, by index; nothing for no comparison.
    """
    lengths = _lengths([result.score for result in ranking.results], scale)
    rows = "".join(
        _row(rank, result, length, candidates[result.index], ranking.query, before.get(result.index))
        for rank, (result, length) in enumerate(zip(ranking.results, lengths, strict=True), start=1)
    )
    names = (say("workbench.rank"), say("workbench.score"), say("workbench.text"))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return f'<table class="ranking ranked"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _lengths(scores: Sequence[float], scale: Scale) -> list[float]:
    """A probability fills its share of the bar; other scores are measured by the highest."""
    return list(scores) if scale == "probability" else bar_lengths(scores)


def _row(rank: int, result: Ranked, length: float, candidate: Candidate, query: str, before: int | None) -> str:
    excerpt = shorten(" ".join(result.text.split()), _EXCERPT_LENGTH)
    return (
        f'<tr><td class="rank"><b>{rank}</b>{_change(rank, before)}</td>'
        f'<td class="value"><span>{result.score:.4f}</span><i><i style="width:{length * 100:.0f}%"></i></i></td>'
        f"<td><details><summary>{escape(excerpt)}<div>{escape(candidate.origin)}</div></summary>"
        f"{marked_html(result.text, matching_places(query, result.text))}</details></td></tr>"
    )


def _change(rank: int, before: int | None) -> str:
    """How far the text moved from the other ranking, in words for a screen reader too."""
    if before is None:
        return ""
    gain = before - rank
    if gain == 0:
        return f'<div class="same">{escape(say("workbench.same"))}</div>'
    kind, sign = ("up", "▲") if gain > 0 else ("down", "▼")
    label = escape(say(f"workbench.{kind}", count=abs(gain)))
    return f'<div class="{kind}" title="{label}" aria-label="{label}" role="img">{sign} {abs(gain)}</div>'
