"""Text of documents and models as safe HTML and safe Streamlit labels.

Streamlit reads labels as Markdown with extras of its own, so text that is not ours goes through `escape_label` there
and through `html.escape` wherever HTML is built. Every function here that returns HTML has escaped what it was given.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from html import escape
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag_app.answer import Answer, GateReading, RankedCandidate, State, Statement
from ui.text import say

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_MARK = re.compile(r"\[(\d{1,3})\]")
_TABLE_ROW = re.compile(r"\s*\|.*\|")
_TABLE_RULE = re.compile(r"[|\s:+-]+")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_WITHIN_CELL = re.compile(r"(?:\\\||[^|\n\r])+")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")

# Two characters of the private use area stand for <mark> and </mark> until the text around them is escaped.
_OPEN, _CLOSE = "\ue000", "\ue001"
# Two more stand for the signs behind statements in doubt, until the text is HTML.
_SIGNS: dict[State, str] = {"weak": "\ue002", "unsupported": "\ue003"}
_NOT_OURS = str.maketrans(dict.fromkeys((_OPEN, _CLOSE, *_SIGNS.values()), "\ufffd"))
_WORD_JOINER = "\u2060"


def escape_label(text: str) -> str:
    """The text as it must be written in a Streamlit label or message to be shown as it is, on one line.

    Backslashes end Markdown, HTML, math and colour directives. Emoji and icon names (":smile:") are replaced after
    that, so an invisible character stands behind each colon.
    """
    line = " ".join(text.split())
    return _PUNCTUATION.sub(lambda match: "\\" + match.group(), line).replace(":", ":" + _WORD_JOINER)


def shorten(text: str, limit: int) -> str:
    """The text cut in its middle to at most `limit` characters: both ends of a file name tell files apart."""
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def answer_html(answer: Answer) -> str:
    """A finished answer or refusal. What a refusal lists is left out: it stands beside, where it can be opened."""
    if answer.refused:
        text = "\n".join(line for line in answer.text.splitlines() if not line.startswith("- "))
        return f'<div class="refusal">{quoted_html(text, ())}</div>'
    numbers = {citation.number for citation in answer.citations}
    if answer.quoted:
        return quoted_html(answer.text, numbers)
    return written_html(answer.text, numbers, answer.statements)


def quoted_html(text: str, numbers: Container[int]) -> str:
    """An answer made of the documents' own words: nothing in it is Markdown but tables. Marks become badges."""
    return f'<div class="answer">{_with_marks(_blocks(text), numbers)}</div>'


def written_html(text: str, numbers: Container[int], statements: Sequence[Statement] = ()) -> str:
    """An answer written by a language model: Markdown without HTML, images and links. Marks become badges.

    A sign with its meaning stands behind each of the `statements` that is not verified.
    """
    # "zero" knows nothing but paragraphs: what may come from a model is listed, not what may not.
    markdown = MarkdownIt("zero", {"html": False}).enable(
        ["newline", "escape", "emphasis", "backticks", "list", "blockquote", "code", "fence", "heading", "table"]
    )

    def text_with_marks(self: Any, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
        return _with_marks(escape(tokens[index].content), numbers)

    markdown.add_render_rule("text", text_with_marks)
    return f'<div class="answer">{_with_signs(markdown.render(_signed(text, statements)))}</div>'


def _signed(text: str, statements: Sequence[Statement]) -> str:
    """The Markdown with a character for each sign. Below a table it needs a line of its own."""
    signed = text.translate(_NOT_OURS)
    for statement in sorted(statements, key=lambda one: one.end, reverse=True):
        if statement.state in _SIGNS:
            before = signed[: statement.end]
            gap = "\n\n" if before.rsplit("\n", 1)[-1].lstrip().startswith("|") else " "
            signed = f"{before}{gap}{_SIGNS[statement.state]}{signed[statement.end :]}"
    return signed


def _with_signs(html: str) -> str:
    for state, sign in _SIGNS.items():
        name, meaning = escape(say(f"markup.{state}")), escape(say(f"markup.{state}-meaning"))
        html = html.replace(sign, f'<span class="doubt {state}" title="{meaning}">{name}</span>')
    return html


def passage_html(text: str, quotes: Iterable[str] = ()) -> str:
    """A passage with its quotes highlighted; rows of Markdown tables become a table."""
    plain = text.replace(_OPEN, "").replace(_CLOSE, "")
    return marked_html(plain, _ranges(plain, quotes))


def marked_html(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    """A passage with these ranges of its characters highlighted; rows of Markdown tables become a table."""
    plain = text.replace(_OPEN, "\ufffd").replace(_CLOSE, "\ufffd")
    for start, end in _merged(ranges):
        plain = plain[:start] + _highlighted(plain[start:end]) + plain[end:]
    html = _blocks(plain).replace(_OPEN, "<mark>").replace(_CLOSE, "</mark>")
    return f'<div class="passage">{html}</div>'


def marked_line(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    """A text with these ranges highlighted, to stand within a line."""
    plain = text.replace(_OPEN, "\ufffd").replace(_CLOSE, "\ufffd")
    for start, end in _merged(ranges):
        plain = f"{plain[:start]}{_OPEN}{plain[start:end]}{_CLOSE}{plain[end:]}"
    return escape(plain).replace(_OPEN, "<mark>").replace(_CLOSE, "</mark>")


def timings_html(timings_ms: Mapping[str, float]) -> str:
    """The time of each stage as a bar, in order, and the sum."""
    longest = max(timings_ms.values(), default=0.0)
    rows = "".join(
        f"<dt>{escape(say(f'markup.stage-{stage}'))}</dt>"
        f"<dd>{_track('time', milliseconds / longest if longest else 0.0)}<span>{_duration(milliseconds)}</span></dd>"
        for stage, milliseconds in timings_ms.items()
    )
    total = f"<dt>{escape(say('markup.total'))}</dt><dd><span>{_duration(sum(timings_ms.values()))}</span></dd>"
    return f'<dl class="timings">{rows}{total}</dl>'


def ranking_html(candidates: Sequence[RankedCandidate], given: Container[str]) -> str:
    """A table of the candidates: place before and after reranking, where they stand, both scores as bars.

    `given` are the chunk ids of those that the answer was made from.
    """
    rerank_bars = bar_lengths([candidate.score for candidate in candidates])
    search_bars = bar_lengths([candidate.retrieval_score for candidate in candidates])
    rows = "".join(
        f'<tr{_is_given(candidate, given)}><td class="rank">{_rank_change(candidate)}</td>'
        f'<td class="place">{_whereabouts(candidate)}{_tokens(candidate)}</td>'
        f'<td class="scores">{_bar("rerank", candidate.score, after)}'
        f"{_bar('search', candidate.retrieval_score, before)}</td></tr>"
        for candidate, after, before in zip(candidates, rerank_bars, search_bars, strict=True)
    )
    head = head_html(say("markup.rank"), say("markup.passage"), say("markup.scores"))
    return f'<table class="ranking">{head}<tbody>{rows}</tbody></table>'


def reranked_html(candidates: Sequence[RankedCandidate], before: Mapping[str, int]) -> str:
    """A short table of the candidates with their score; each tells how far it stands from its place in `before`."""
    bars = bar_lengths([candidate.score for candidate in candidates])
    rows = "".join(
        f'<tr><td class="rank"><b>{candidate.rank}</b>{moved_html(before[candidate.chunk_id], candidate.rank)}</td>'
        f'<td class="place">{_whereabouts(candidate)}{_bar("rerank", candidate.score, bar)}</td></tr>'
        for candidate, bar in zip(candidates, bars, strict=True)
    )
    return f'<table class="ranking short"><tbody>{rows}</tbody></table>'


def gate_html(reading: GateReading) -> str:
    """The gate's probability on a scale with its threshold, and the features that it was made from."""
    probability, threshold = f"{reading.probability:.0%}", f"{reading.threshold:.0%}"
    scale = (
        f'<div class="gate"><b>{probability}</b>{_track("time", reading.probability)}'
        f'<u style="left:calc(3.5rem + (100% - 3.5rem) * {reading.threshold:.3f})" title="{threshold}"></u></div>'
    )
    rows = "".join(
        f"<tr><td>{escape(say(f'markup.feature-{name}'))}</td><td>{reading.features[name]:.2f}</td>"
        f"<td>× {weight:.2f}</td></tr>"
        for name, weight in reading.weights.items()
    )
    head = head_html(say("markup.feature"), say("markup.value"), say("markup.weight"))
    return f'{scale}<table class="features">{head}<tbody>{rows}</tbody></table>'


def head_html(*names: str) -> str:
    """The head of a table with these columns."""
    return "<thead><tr>" + "".join(f'<th scope="col">{escape(name)}</th>' for name in names) + "</tr></thead>"


def bar_lengths(scores: Sequence[float | None]) -> list[float]:
    """Each score's share (0 to 1) of the way from zero, or from the lowest if below zero, to the highest.

    No score has no length.
    """
    known = [score for score in scores if score is not None]
    lowest, highest = min([0.0, *known]), max(known, default=0.0)
    if highest <= lowest:
        return [0.0] * len(scores)
    return [0.0 if score is None else (score - lowest) / (highest - lowest) for score in scores]


def place(page: int, page_label: str, *, has_pages: bool) -> str:
    """The page as it is printed, else as it is counted: "p. iii", "p. 7"; nothing for formats without pages."""
    return say("markup.page", page=page_label or page) if page_label or page > 1 or has_pages else ""


def _with_marks(html: str, numbers: Container[int]) -> str:
    def badge(match: re.Match[str]) -> str:
        return f'<sup class="mark">{match.group(1)}</sup>' if int(match.group(1)) in numbers else match.group()

    return _MARK.sub(badge, html)


def _blocks(text: str) -> str:
    """Paragraphs and tables of plain text, escaped."""
    blocks: list[str] = []
    lines: list[str] = []
    rows: list[str] = []
    for line in [*_LINE_BREAK.split(text), ""]:
        is_row = _TABLE_ROW.match(line) is not None
        if rows and not is_row:
            blocks.append(_table(rows))
            rows = []
        if lines and (is_row or not line.strip()):
            blocks.append(f"<p>{'<br>'.join(map(escape, lines))}</p>")
            lines = []
        if is_row:
            rows.append(line)
        elif line.strip():
            lines.append(line)
    return "".join([*blocks, *([_table(rows)] if rows else [])])


def _table(rows: Sequence[str]) -> str:
    has_head = len(rows) > 1 and _TABLE_RULE.fullmatch(rows[1]) is not None
    html = ""
    for index, row in enumerate(rows):
        if _TABLE_RULE.fullmatch(row) and "-" in row:
            continue
        kind = "th" if has_head and index == 0 else "td"
        cells = _CELL_BORDER.split(row.strip())[1:]
        # What stands behind the last border is no cell, but a mark may stand there.
        cells = [*cells[:-2], f"{cells[-2]} {cells[-1]}"] if len(cells) > 1 else cells
        html += "<tr>" + "".join(f"<{kind}>{escape(_cell_text(cell))}</{kind}>" for cell in cells) + "</tr>"
    return f"<table>{html}</table>"


def _cell_text(cell: str) -> str:
    return cell.strip().replace("\\|", "|")


def _ranges(text: str, quotes: Iterable[str]) -> list[tuple[int, int]]:
    """Where the quotes stand in the text, whatever its line breaks; a quote that is not there has no place."""
    ranges = []
    for quote in quotes:
        words = [re.escape(word) for word in quote.replace(_OPEN, "").replace(_CLOSE, "").split()]
        if words and (match := re.search(r"\s+".join(words), text)):
            ranges.append(match.span())
    return ranges


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges without overlaps, last first, so that replacing one leaves the places of the others."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged[::-1]


def _highlighted(text: str) -> str:
    """Each run of text between line breaks and cell borders in marks of its own: they may not cross an element."""

    def wrap(run: re.Match[str]) -> str:
        return f"{_OPEN}{run.group()}{_CLOSE}" if run.group().strip() else run.group()

    return _WITHIN_CELL.sub(wrap, text)


def _whereabouts(candidate: RankedCandidate) -> str:
    page = place(candidate.page, candidate.page_label, has_pages=False)
    section = f"<div>{escape(candidate.section)}</div>" if candidate.section else ""
    return (
        f"<b>{escape(candidate.source)}</b> <span>{escape(page)}</span>{section}"
        f'<div class="excerpt">{escape(candidate.excerpt)}</div>'
    )


def _is_given(candidate: RankedCandidate, given: Container[str]) -> str:
    return ' class="given"' if candidate.chunk_id in given else ""


def _tokens(candidate: RankedCandidate) -> str:
    """What the reranker read of the passage, where it counts: of a passage that was cut, both numbers."""
    if candidate.tokens is None or candidate.tokens_kept is None:
        return ""
    if candidate.tokens_kept == candidate.tokens:
        return f'<div class="tokens">{escape(say("markup.tokens", count=candidate.tokens))}</div>'
    cut = say("markup.tokens-cut", kept=candidate.tokens_kept, total=candidate.tokens)
    return f'<div class="tokens cut">{escape(cut)}</div>'


def _rank_change(candidate: RankedCandidate) -> str:
    change = moved_html(candidate.retrieval_rank, candidate.rank)
    return f"{candidate.retrieval_rank} → <b>{candidate.rank}</b>{change}"


def moved_html(before: int, after: int) -> str:
    """How far something moved from one rank to another, in words for a screen reader too."""
    gain = before - after
    if gain == 0:
        return f'<div class="same">{escape(say("markup.as-before"))}</div>'
    kind, sign = ("up", "▲") if gain > 0 else ("down", "▼")
    label = escape(say(f"markup.{kind}", count=abs(gain)))
    return f'<div class="{kind}" title="{label}" aria-label="{label}" role="img">{sign} {abs(gain)}</div>'


def _bar(kind: Literal["rerank", "search"], score: float | None, length: float) -> str:
    name = escape(say(f"markup.{kind}"))
    if score is None:
        return f"<div class='score unscored'><span>{name}</span><span>{escape(say('markup.not-scored'))}</span></div>"
    return f"<div class='score'><span>{name}</span>{_track(kind, length)}<span>{score:.3f}</span></div>"


def _track(kind: str, length: float) -> str:
    """A bar of this share (0 to 1) of the room."""
    return f"<i class='{kind}'><i style='width:{length * 100:.0f}%'></i></i>"


def _duration(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"
