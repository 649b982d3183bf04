"""The evaluation: what counts as relevant, what is averaged, where passages are found, and the report."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from ingest.errors import UsageError
from rag_app.evaluation import Judge, Locator, RankedChunk, Report, StrategyResult, evaluate, holds, report_table
from rag_app.metrics import METRICS
from rag_app.plot import plot_report
from rag_app.question_set import Query, QuestionSet, Span

BY_PLACE = Query("q-place", "When is the rent due?", "en", "", media=False)
BY_DOCUMENT = Query("q-document", "Which lease?", "en", "", media=False)
PICTURE = Query("q-picture", "What does the photo show?", "en", "", media=True)
LEASE = QuestionSet(
    name="lease",
    documents=(),
    queries=(BY_PLACE, BY_DOCUMENT, PICTURE),
    grades={"q-place": {"lease": 1.0}, "q-document": {"lease": 2.0, "annex": 1.0}},
    spans={"q-place": (Span("lease", 100, 300),)},
)
CHUNKS = {
    chunk.chunk_id: chunk
    for chunk in (
        RankedChunk("before", "lease", ((0, 100),)),
        RankedChunk("first half", "lease", ((100, 200),)),
        RankedChunk("second half", "lease", ((200, 400),)),
        RankedChunk("same place elsewhere", "annex", ((100, 300),)),
    )
}
JUDGE = Judge(LEASE, list(CHUNKS.values()))


def ranking(*chunk_ids: str) -> list[RankedChunk]:
    return [CHUNKS[chunk_id] for chunk_id in chunk_ids]


def result(quality: float, milliseconds: float) -> StrategyResult:
    return StrategyResult({name: [quality] for name in METRICS}, [milliseconds / 1000])


@pytest.mark.parametrize(
    ("ranges", "span", "held"),
    [
        pytest.param([(0, 160)], (100, 1000), True, id="60 characters of a long span"),
        pytest.param([(0, 159)], (100, 1000), False, id="59 characters of a long span"),
        pytest.param([(100, 106)], (100, 110), True, id="60 % of a short span"),
        pytest.param([(100, 105)], (100, 110), False, id="half of a short span"),
        pytest.param([(90, 130), (140, 170)], (100, 1000), True, id="60 characters over two lines"),
        pytest.param([(0, 100)], (100, 110), False, id="up to the span"),
        pytest.param([], (100, 110), False, id="a passage that was not found"),
        pytest.param([(0, 50)], (20, 20), False, id="an empty span"),
    ],
)
def test_a_passage_holds_evidence_by_60_characters_or_60_percent(
    ranges: list[tuple[int, int]], span: tuple[int, int], held: bool
) -> None:
    assert holds(ranges, Span("lease", *span)) is held


def test_with_places_all_passages_there_are_relevant() -> None:
    assert JUDGE.relevant(BY_PLACE) == {"first half": 1.0, "second half": 1.0}
    assert JUDGE.items(BY_PLACE, ranking("before", "first half")) == ["before", "first half"]


def test_without_places_documents_are_ranked_by_their_first_passage() -> None:
    ranked = ranking("before", "same place elsewhere", "first half")

    assert JUDGE.relevant(BY_DOCUMENT) == {"lease": 2.0, "annex": 1.0}
    assert JUDGE.items(BY_DOCUMENT, ranked) == ["lease", "annex"]


def test_every_strategy_is_asked_every_question_and_its_values_are_averaged() -> None:
    def good(query: Query) -> Sequence[RankedChunk]:
        return ranking("first half", "second half", "same place elsewhere")

    def poor(query: Query) -> Sequence[RankedChunk]:
        return ranking("before") if query == BY_PLACE else []

    asked: list[None] = []
    report = evaluate(
        LEASE, [BY_PLACE, BY_DOCUMENT], JUDGE, {"good": good, "poor": poor}, on_query=lambda: asked.append(None)
    )

    values = report.as_dict()
    times = [values["strategies"][name].pop("ms_per_query") for name in ("good", "poor")]
    assert len(asked) == 2
    assert all(time > 0 for time in times)
    assert values == {
        "dataset": "lease",
        "queries": 2,
        "without_evidence": 0,
        "media": 1,
        "strategies": {"good": dict.fromkeys(METRICS, 1.0), "poor": dict.fromkeys(METRICS, 0.0)},
    }


def test_a_question_whose_evidence_is_in_no_passage_counts_as_zero() -> None:
    judge = Judge(LEASE, ranking("before"))

    report = evaluate(LEASE, [BY_PLACE], judge, {"only": lambda query: ranking("before")})

    assert report.without_evidence == 1
    assert report.as_dict()["strategies"]["only"]["ndcg@5"] == 0


def test_a_passage_is_found_though_its_white_space_and_hyphens_changed() -> None:
    text = "1. Term\n\nThis agree-\nment  lasts two\nyears.\n\n2. Fees"
    start, end = text.index("This"), text.index("years.") + len("years.")

    assert Locator(text).ranges("This agreement lasts two years.") == ((start, end),)


def test_repeated_text_is_found_in_reading_order() -> None:
    locator = Locator("Notice. A. Notice. B.")

    assert locator.ranges("Notice.\nA.") == ((0, 7), (8, 10))
    assert locator.ranges("Notice.\nB.") == ((11, 18), (19, 21))
    assert locator.ranges("A.") == ((8, 10),)


def test_lines_that_the_text_does_not_have_are_left_out() -> None:
    assert Locator("Fees are due.").ranges("| Heading |\nFees are due.\n\n-") == ((0, 13),)


@given(st.lists(st.text("ab甲 \n-\t", max_size=12), max_size=12), st.sampled_from(["", " ", "  ", "\t"]))
def test_passages_in_reading_order_are_found_where_they_were_cut(pieces: list[str], space: str) -> None:
    text = "".join(pieces)
    locator = Locator(text)
    start = 0
    for piece in pieces:
        inner = [place for place, character in enumerate(piece, start) if not (character.isspace() or character == "-")]
        expected = ((inner[0], inner[-1] + 1),) if inner else ()

        assert locator.ranges(space.join(piece.split())) == expected
        start += len(piece)


def test_the_table_prints_every_strategy_and_what_was_left_out() -> None:
    printed = io.StringIO()
    report = Report("[/b] lease", 40, 2, 5, {"bm25": result(0.41, 9.2), "rerank": result(0.603, 180)})

    Console(file=printed, width=100).print(report_table(report))

    text = printed.getvalue()
    assert "[/b] lease: 40 questions" in text
    assert all(cell in text for cell in ("bm25", "rerank", "0.410", "0.603", "9.2", "180.0", "recall@20"))
    assert "2 of them count as zero" in text
    assert "5 more about images and videos" in text


def test_the_plot_is_a_png(tmp_path: Path) -> None:
    path = tmp_path / "plot.png"

    plot_report(Report("$lease$", 40, 0, 0, {"bm25": result(0.41, 9.2), "rerank": result(0.603, 180)}), path)

    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width > 800


def test_a_plot_that_cannot_be_written_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be written to .*nowhere"):
        plot_report(Report("lease", 1, 0, 0, {"bm25": result(0.4, 9)}), tmp_path / "nowhere" / "plot.png")
