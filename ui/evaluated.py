"""An evaluation as HTML. Pure functions, which escape what they are given; draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rag_app.evaluation import Excerpt, QuestionResult
from rag_app.evaluations import Evaluation
from rag_app.metrics import METRICS
from rag_app.words import matching_places
from ui.markup import head_html, marked_html
from ui.text import say

TIME = "ms_per_query"
_BEGINNING = 100


def strategies_html(evaluation: Evaluation) -> str:
    """A strategy a row, the best value of each column in bold."""
    columns = [*METRICS, TIME]
    best = {
        column: (min if column == TIME else max)(values[column] for values in evaluation.strategies.values())
        for column in columns
    }
    head = head_html(say("evaluation.strategy"), *METRICS, say("evaluation.time"))
    rows = ""
    for name, values in evaluation.strategies.items():
        cells = "".join(_cell(values[column], column, is_best=values[column] == best[column]) for column in columns)
        rows += f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'
    return f'<table class="measured">{head}<tbody>{rows}</tbody></table>'


def missed_html(questions: Sequence[QuestionResult], strategy: str, evaluation: Evaluation) -> str:
    """The questions, each opening to what answers it and to the passages that the strategy ranked first."""
    return '<div class="missed">' + "".join(_question(one, strategy, evaluation) for one in questions) + "</div>"


def _cell(value: float, column: str, *, is_best: bool) -> str:
    text = f"{value:.1f}" if column == TIME else f"{value:.3f}"
    return f"<td>{f'<b>{text}</b>' if is_best else text}</td>"


def _question(question: QuestionResult, strategy: str, evaluation: Evaluation) -> str:
    found = question.found[strategy]
    place = say("evaluation.found-at", rank=found.rank) if found.rank else say("evaluation.not-found")
    expected = "".join(_excerpt(excerpt, question.text) for excerpt in question.expected)
    ranked = [evaluation.passages[one] for one in found.passages if one in evaluation.passages]
    first = "".join(f"<li>{_excerpt(passage, question.text)}</li>" for passage in ranked)
    return (
        f"<details><summary>{escape(question.text)}<div>{escape(place)}</div></summary>"
        f"<h4>{escape(say('evaluation.expected'))}</h4>{expected}"
        f"<h4>{escape(say('evaluation.ranked-first'))}</h4>"
        + (f"<ol>{first}</ol>" if first else f"<p>{escape(say('evaluation.nothing'))}</p>")
        + "</details>"
    )


def _excerpt(excerpt: Excerpt, query: str) -> str:
    """The title and the first words; it opens to all words where there are some."""
    title = f"<b>{escape(excerpt.title)}</b>"
    if not excerpt.text:
        return f"<p>{title}</p>"
    words_of_text = " ".join(excerpt.text.split())
    begin = escape(words_of_text[:_BEGINNING]) + (" …" if len(words_of_text) > _BEGINNING else "")
    words = marked_html(excerpt.text, matching_places(query, excerpt.text))
    return f"<details><summary>{title} {begin}</summary>{words}</details>"
