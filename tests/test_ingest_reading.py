"""Files read in processes of their own, hostile ones among them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile_pdf import TEXT, endless_pdf, swelling_pdf
from hypothesis import given
from hypothesis import strategies as st

from ingest.config import ReadingConfig
from ingest.document import Attachment, Block, Document, Line, Media, Ocr, Page
from ingest.loaders.codec import document_from_json, document_to_json
from ingest.loaders.errors import UnreadableFileError, UnsupportedFileError
from ingest.reading import Reader, ReaderPool

Open = Callable[..., Reader]


@pytest.fixture
def reader() -> Iterator[Open]:
    """Opens readers, and ends them."""
    opened: list[Reader] = []

    def make(**limits: float) -> Reader:
        opened.append(Reader(ReadingConfig(), **limits))  # type: ignore[arg-type] # page_seconds and memory
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_a_reader_reads_one_file_after_the_other(reader: Open, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Pump\n\nDrain the oil.", encoding="utf-8")
    (tmp_path / "手册.txt").write_text("排放润滑油。", encoding="utf-8")
    one = reader()

    assert one.read(tmp_path / "a.md").title == "Pump"
    assert one.read(tmp_path / "手册.txt").pages[0].blocks[0].text == "排放润滑油。"


def test_what_cannot_be_read_is_refused_as_in_this_process(reader: Open, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "a.dwg").write_bytes(b"AC1032" + bytes(100))
    one = reader()

    with pytest.raises(UnreadableFileError, match=r"^The file is empty\.$"):
        one.read(tmp_path / "empty.txt")
    with pytest.raises(UnsupportedFileError):
        one.read(tmp_path / "a.dwg")
    with pytest.raises(UnreadableFileError, match="cannot be read: No such file"):
        one.read(tmp_path / "gone.txt")


def test_a_page_that_never_ends_costs_itself_and_no_other(reader: Open, tmp_path: Path) -> None:
    path = tmp_path / "endless.pdf"
    path.write_bytes(endless_pdf())

    first, second = reader(page_seconds=4.0).read(path).pages

    assert [block.text for block in first.blocks] == [TEXT]
    assert (second.blocks, second.problem) == ((), "The page cannot be read: it takes longer than 4 seconds.")


def test_a_page_that_swells_costs_itself_and_no_other(reader: Open, tmp_path: Path) -> None:
    path = tmp_path / "swelling.pdf"
    path.write_bytes(swelling_pdf(800))

    first, second = reader(memory=800 * 2**20).read(path).pages

    assert [block.text for block in first.blocks] == [TEXT]
    assert second.blocks == ()
    assert "it needs more than 0.8 GB of memory" in second.problem


def test_a_reader_that_was_killed_is_started_anew(reader: Open, tmp_path: Path) -> None:
    endless, good = tmp_path / "endless.pdf", tmp_path / "good.txt"
    endless.write_bytes(endless_pdf())
    good.write_text("Drain the oil.", encoding="utf-8")
    one = reader(page_seconds=4.0)

    one.read(endless)

    assert one.read(good).pages[0].blocks[0].text == "Drain the oil."


def test_a_reader_that_was_closed_reads_nothing_more(reader: Open, tmp_path: Path) -> None:
    """Else it would begin the file again without the page at which it was closed."""
    good = tmp_path / "good.txt"
    good.write_text("Drain the oil.", encoding="utf-8")
    one = reader()
    one.close()

    with pytest.raises(UnreadableFileError, match="reading was stopped"):
        one.read(good)


def test_a_pool_gives_every_file_once_whatever_becomes_of_it(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.txt").write_text(f"Clause {number}.", encoding="utf-8")
    (tmp_path / "empty.txt").touch()
    paths = sorted(tmp_path.iterdir())

    with ReaderPool(ReadingConfig(), workers=2) as pool:
        results = {read.key: read.result for read in pool.read((path.name, path) for path in paths)}

    assert len(results) == 31
    assert isinstance(results["empty.txt"], UnreadableFileError)
    texts = [result.pages[0].blocks[0].text for result in results.values() if isinstance(result, Document)]
    assert sorted(texts) == sorted(f"Clause {number}." for number in range(30))


def test_a_pool_says_whether_the_next_file_is_there_soon(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Clause 1.", encoding="utf-8")
    (tmp_path / "b.txt").write_text("Clause 2.", encoding="utf-8")
    (tmp_path / "endless.pdf").write_bytes(endless_pdf())

    with ReaderPool(ReadingConfig(), workers=1) as pool:
        reading = pool.read((name, tmp_path / name) for name in ("a.txt", "b.txt", "endless.pdf"))
        first = next(reading)
        assert pool.ready(20.0)
        second = next(reading)
        assert not pool.ready(0.1)

    assert {first.key, second.key} == {"a.txt", "b.txt"}


def test_leaving_a_pool_ends_its_readers_in_the_middle_of_a_page(tmp_path: Path) -> None:
    path = tmp_path / "endless.pdf"
    path.write_bytes(endless_pdf())
    started = time.monotonic()

    with ReaderPool(ReadingConfig(), workers=1) as pool:
        reading = pool.read([("a", path)])
        with pytest.raises(TimeoutError):
            _within(3.0, lambda: next(reading))

    assert time.monotonic() - started < 30  # the limit of a page is a minute


def test_a_pool_tells_each_page_and_stops_in_the_middle_of_one(tmp_path: Path) -> None:
    path = tmp_path / "endless.pdf"
    path.write_bytes(endless_pdf())
    pages: list[tuple[str, int, int]] = []
    pool = ReaderPool(
        ReadingConfig(),
        workers=1,
        on_reading=lambda path, page, pages_of_it: pages.append((path.name, page, pages_of_it)),
        stop=lambda: len(pages) == 3,
    )

    with pool:
        assert list(pool.read([("a", path)])) == []

    assert pages == [("endless.pdf", 0, 0), ("endless.pdf", 1, 2), ("endless.pdf", 2, 2)]


def _within(seconds: float, wait: Callable[[], object]) -> None:
    def ring(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        wait()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


STARTER = """
import sys, threading
from pathlib import Path
from ingest.config import ReadingConfig
from ingest.reading import Reader
reader = Reader(ReadingConfig())
threading.Thread(target=reader.read, args=(Path(sys.argv[1]),), daemon=True).start()
while reader._worker is None: pass
print(reader._worker._process.pid, flush=True)
sys.stdin.read()
"""


def test_a_reader_ends_with_the_process_that_started_it_even_when_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "endless.pdf"
    path.write_bytes(endless_pdf())
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(path)],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        time.sleep(1.0)  # it is in the middle of the page
        starter.kill()

    assert any(_gone(pid) or time.sleep(0.1) for _ in range(100))


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


# What crosses between the processes

texts = st.text(max_size=20)
boxes = st.none() | st.tuples(*[st.floats(-1e4, 1e4)] * 4)
lines = st.builds(Line, texts, boxes)
blocks = st.builds(
    Block, st.sampled_from(["heading", "text", "table"]), st.lists(lines, max_size=3).map(tuple), st.integers(0, 6)
)
pages = st.builds(
    Page,
    st.integers(1, 9999),
    texts,
    st.lists(blocks, max_size=3).map(tuple),
    st.floats(0, 1e4),
    st.floats(0, 1e4),
    st.none() | st.builds(Ocr, st.floats(0, 1), texts),
    texts,
)
documents = st.builds(
    Document,
    texts,
    st.lists(pages, max_size=3).map(tuple),
    st.lists(st.builds(Attachment, texts, st.binary(max_size=50)), max_size=2).map(tuple),
    st.none()
    | st.builds(Media, st.sampled_from(["image", "video"]), st.lists(st.tuples(texts, texts), max_size=2).map(tuple)),
)


@given(documents)
def test_a_document_arrives_as_it_was_sent(document: Document) -> None:
    assert document_from_json(json.loads(json.dumps(document_to_json(document)))) == document


def test_halves_of_surrogate_pairs_do_not_arrive() -> None:
    page = Page(1, "", (Block("text", (Line("oil \ud83d\udca7 and \udc00 air"),)),))

    arrived = document_from_json(document_to_json(Document("\ud800", (page,))))

    assert arrived.title == "\ufffd"
    assert arrived.pages[0].blocks[0].text == "oil \U0001f4a7 and \ufffd air"
