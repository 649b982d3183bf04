"""Chunks of a document, cut along its headings, clauses and table rows.

A chunk stays within one section path, unless sections are so short that neighbours under the same parent are joined
(their headings then stand in the text). Paragraphs and clauses are not cut when they fit; longer ones are cut between
sentences, tables between rows with caption and header row repeated. The heading path is kept beside the text, never in
it, so that a quote from the text is a quote from the document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from ingest.clauses import ClauseTree, caption_number
from ingest.config import ChunkingConfig
from ingest.document import Block, Document, Page, PageBox
from ingest.numbering import clause_number
from ingest.segmentation import CJK

CountTokens = Callable[[str], int]

SECTION_SEPARATOR = " > "
CLAUSE_RANGE = " - "
# A tokenizer may call any very long run without spaces one token; text is bounded by characters too.
MAX_CHARACTERS_PER_TOKEN = 8

_SENTENCE_END = re.compile(r"(?<=[.!?;])[\"'”’)\]]*\s+|(?<=[。！？；])")
_LINE_END = re.compile(r"\n")
_SPACE = re.compile(r"\s+")
_HYPHENATED = re.compile(r"[^\W\d_]-$")
_CJK_END = re.compile(f"[{CJK}，。、；：！？（）《》“”]$")
_CJK_START = re.compile(f"^[{CJK}，。、；：！？（）《》“”]")
_SENTENCE_CLOSED = re.compile(r"[.!?;:。！？；：|)\]\"”]$")
_TABLE_RULE = re.compile(r"^[|\s:-]+$")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage as it is indexed: its text, where it stands, and which boxes on the page cover it.

    `page` is where the text begins. `boxes[i]` covers the characters `box_spans[i]` of `text`, in reading order.
    `clauses` are the full numbers of what begins or goes on in it ("12.3(b)", "Exhibit B", "Table 4"), in order.
    `ocr` is the lowest confidence of the pages it takes recognised text from, None where no text was recognised.
    """

    text: str
    page: int
    page_label: str
    section: str
    modality: str = "text"
    boxes: tuple[PageBox, ...] = ()
    box_spans: tuple[tuple[int, int], ...] = ()
    clauses: tuple[str, ...] = ()
    ocr: float | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a block that is never cut again, with what a chunk needs to know of it."""

    chunk: Chunk
    path: tuple[str, ...]
    clause: str | None
    tokens: int


@dataclass(frozen=True, slots=True)
class _Lead:
    """What stands in front of each part of a table; the first part has the rows `own` of it already."""

    text: str = ""
    own: str = ""


_NO_LEAD = _Lead()


@dataclass(frozen=True, slots=True)
class _Group:
    """Pieces that become one chunk. `path` is the section path they share."""

    pieces: tuple[_Piece, ...]
    path: tuple[str, ...]

    @property
    def tokens(self) -> int:
        return sum(piece.tokens for piece in self.pieces)

    def can_take(self, other: _Group, max_tokens: int) -> bool:
        """Whether both fit into one chunk: without boxes a chunk has one page, or its quotes had none."""
        last, first = self.pieces[-1].chunk, other.pieces[0].chunk
        same_page = last.page == first.page or bool(last.boxes and first.boxes)
        return same_page and self.tokens + other.tokens <= max_tokens


def chunk_document(document: Document, config: ChunkingConfig, count_tokens: CountTokens) -> list[Chunk]:
    """The document's chunks in reading order, each at most `config.max_tokens` long."""
    size = _bounded(count_tokens)
    groups = _fill_sections(_pieces(document, config.max_tokens, size), config.max_tokens)
    return [_merge(group) for group in _join_small(groups, config, size)]


def _bounded(count_tokens: CountTokens) -> CountTokens:
    """A text's size in tokens, and never fewer than its characters (and a space) may take."""

    @lru_cache(maxsize=64)  # a text is counted again when it turns out to fit, as a piece, and with its heading
    def size(text: str) -> int:
        return max(count_tokens(text), len(text) // MAX_CHARACTERS_PER_TOKEN + 1) if text else 0

    return size


def _pieces(document: Document, max_tokens: int, count_tokens: CountTokens) -> Iterator[_Piece]:
    """All text with its heading path; a heading that no text follows is a piece itself, so that nothing is lost."""
    path: list[tuple[int, str]] = []
    bare: list[_Piece] = []
    clause: str | None = None  # a paragraph without a number belongs to the clause above it
    tree = ClauseTree()
    begun: list[str] = []  # the numbers of headings that no text has followed yet
    for page, block, lead in _blocks(document):
        whole = _join_lines(block, page)
        if not whole.text:
            continue
        if block.kind != "heading":
            bare = []
            names = tuple(name for _, name in path)
            for part in _clauses(whole, tree):
                numbered = clause_number(part.text) if block.kind == "text" else None
                clause = numbered or clause
                for chunk in _cut(part, lead, max_tokens, count_tokens):
                    clauses = _unique([*begun, *_numbers(chunk, tree)])
                    yield _Piece(replace(chunk, clauses=clauses), names, clause, count_tokens(chunk.text))
                    begun = []
            continue
        clause = None
        if bare and block.level <= path[-1][0]:
            yield from bare
            begun = []
        path = [entry for entry in path if entry[0] < block.level]
        names = tuple(name for _, name in path)
        path.append((block.level, _SPACE.sub(" ", block.text).strip()))
        begun += tree.heading(path[-1][1], block.level)
        bare = [
            _Piece(replace(chunk, clauses=_unique(begun)), names, None, count_tokens(chunk.text))
            for chunk in _cut(whole, lead, max_tokens, count_tokens)
        ]
    yield from bare


def _blocks(document: Document) -> Iterator[tuple[Page, Block, _Lead]]:
    """The blocks in order; a table that goes on on the next page has the caption and header of its beginning."""
    above: Block | None = None
    table: tuple[Block, _Lead] | None = None  # the last one of the page before
    for page in document.pages:
        last = None
        for place, block in enumerate(page.blocks):
            lead = _lead(block, above)
            if place == 0 and table and _goes_on(*table, block, directly=table[0] is above):
                lead = _Lead(table[1].text, own=lead.own if lead.own and lead.own in table[1].text else "")
            if block.kind == "table":
                last = block, lead
            yield page, block, lead
            above = block
        table = last


def _lead(block: Block, above: Block | None) -> _Lead:
    header = _table_header(block)
    caption = _caption(above) if above else ""
    return _Lead(f"{caption}\n{header}" if caption else header, own=header) if header else _NO_LEAD


def _goes_on(table: Block, lead: _Lead, block: Block, *, directly: bool) -> bool:
    """Whether a table at the top of a page continues one of the page before, which has as many columns.

    Where notes stand below that one, its numbers must go on, too: cells with digits below a heading without.
    """
    rows = _rows(block) if block.kind == "table" else []
    if not lead.text or not rows:
        return False
    heading = next((row for row in lead.text.split("\n") if "|" in row), "").split("|")
    end, start = _rows(table)[-1].split("|"), rows[0].split("|")
    if not len(heading) == len(start) > 3:
        return False
    columns = zip(heading, end, start, strict=False)
    return directly or any(_has_digit(b) and _has_digit(c) and not _has_digit(a) for a, b, c in columns)


def _has_digit(cell: str) -> bool:
    return any(character.isdecimal() for character in cell)


def _rows(block: Block) -> list[str]:
    rows = (_SPACE.sub(" ", line.text).strip() for line in block.lines)
    return [row for row in rows if row]


def _table_header(block: Block) -> str:
    """The header row and, where there is one, the rule below it; empty without rows below, and for other blocks."""
    rows = _rows(block) if block.kind == "table" else []
    header = rows[:2] if len(rows) > 1 and _TABLE_RULE.match(rows[1]) else rows[:1]
    return "\n".join(header) if len(rows) > len(header) else ""


def _caption(block: Block) -> str:
    text = _SPACE.sub(" ", block.text).strip()
    return text if block.kind == "text" and caption_number(text) else ""


def _clauses(whole: Chunk, tree: ClauseTree) -> Iterator[Chunk]:
    """A paragraph, cut where further clauses begin in it; a table as it is."""
    starts = tree.inner_starts(whole.text) if whole.modality == "text" else []
    for start, end in pairwise([0, *starts, len(whole.text)]):
        yield _slice(whole, start, end)


def _numbers(chunk: Chunk, tree: ClauseTree) -> list[str]:
    """The full numbers of what begins or goes on in a text; a caption has that of its table or figure, too."""
    caption = caption_number(chunk.text.partition("\n")[0])
    if caption or chunk.modality == "table":
        return [caption or "", tree.current]
    return tree.paragraph(chunk.text)


def _unique(numbers: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(number for number in numbers if number))


def _cut(whole: Chunk, lead: _Lead, max_tokens: int, count_tokens: CountTokens) -> Iterator[Chunk]:
    """Parts that fit, those of a table with their lead in front."""
    room = max_tokens - count_tokens(lead.text)
    if room < max_tokens // 2:  # a header this large would leave no room for its rows
        lead, room = _NO_LEAD, max_tokens
    body = len(lead.own)
    for number, (start, end) in enumerate(_cuts(whole.text[body:], room, count_tokens)):
        if number == 0 and (lead.own or not lead.text):
            yield _slice(whole, 0, body + end)
        else:
            part = _slice(whole, body + start, body + end)
            yield _after(lead.text + "\n", part) if lead.text else part


def _join_lines(block: Block, page: Page) -> Chunk:
    """The block as one text: words broken over lines mended, CJK lines joined without space, a table row a line."""
    text = ""
    boxes: list[PageBox] = []
    spans: list[tuple[int, int]] = []
    for line in block.lines:
        content = _SPACE.sub(" ", line.text).strip()
        if not content:
            continue
        text = f"{text}\n{content}" if text and block.kind == "table" else _continued(text, content)
        if line.box is not None:
            start = len(text) - len(content)
            if spans:  # a mended hyphen belongs to no box
                spans[-1] = (spans[-1][0], min(spans[-1][1], start))
            boxes.append((page.number, *line.box))
            spans.append((start, len(text)))
    modality = "table" if block.kind == "table" else "text"
    confidence = page.ocr.confidence if page.ocr else None
    return Chunk(text, page.number, page.label, "", modality, tuple(boxes), tuple(spans), ocr=confidence)


def _continued(text: str, line: str) -> str:
    """`text` with its next printed line: without the hyphen of a broken word, without a space between CJK lines."""
    if not text:
        return line
    if _HYPHENATED.search(text) and line[0].islower():
        return text[:-1] + line
    if _CJK_END.search(text) and _CJK_START.search(line):
        return text + line
    return f"{text} {line}"


def _cuts(text: str, max_tokens: int, count_tokens: CountTokens) -> Iterator[tuple[int, int]]:
    """Ranges of `text` that fit, as long as possible, cut at the best places that `_fitting` finds."""

    def fits(start: int, end: int) -> bool:
        short = end - start < max_tokens * MAX_CHARACTERS_PER_TOKEN  # spares counting the tokens of a whole book
        return short and count_tokens(text[start:end]) <= max_tokens

    start = end = 0
    for piece_start, piece_end in _fitting(text, 0, len(text), fits):
        if not fits(start, piece_end) and end > start:
            yield start, end
            start = piece_start
        end = piece_end
    if end > start:
        yield start, end


def _fitting(text: str, start: int, end: int, fits: Callable[[int, int], bool]) -> Iterator[tuple[int, int]]:
    """Ranges that fit: the whole, else its lines (rows of a table), sentences, words, else its halves."""
    if fits(start, end):
        yield start, end
        return
    bounds: list[int] = []
    for boundary in (_LINE_END, _SENTENCE_END, _SPACE):
        bounds = bounds or [m.end() for m in boundary.finditer(text, start, end) if start < m.end() < end]
    bounds = bounds or [(start + end) // 2]
    for left, right in pairwise([start, *bounds, end]):
        yield from _fitting(text, left, right, fits)


def _slice(chunk: Chunk, start: int, end: int) -> Chunk:
    """The characters `start:end` of a chunk, trimmed of space, with the boxes that cover them."""
    text = chunk.text[start:end]
    start += len(text) - len(text.lstrip())
    text = text.strip()
    covered = [
        (box, (max(span[0], start) - start, min(span[1], start + len(text)) - start))
        for box, span in zip(chunk.boxes, chunk.box_spans, strict=True)
        if span[0] < start + len(text) and span[1] > start
    ]
    return replace(
        chunk,
        text=text,
        boxes=tuple(box for box, _ in covered),
        box_spans=tuple(span for _, span in covered),
    )


def _after(lead: str, chunk: Chunk) -> Chunk:
    """The chunk with `lead` in front of its text; its boxes keep covering what they covered."""
    spans = tuple((start + len(lead), end + len(lead)) for start, end in chunk.box_spans)
    return replace(chunk, text=lead + chunk.text, box_spans=spans)


def _fill_sections(pieces: Iterable[_Piece], max_tokens: int) -> Iterator[_Group]:
    """Pieces of the same section path, in order, put together as long as they fit."""
    current: _Group | None = None
    for piece in pieces:
        single = _Group((piece,), piece.path)
        if current is not None and current.path == single.path and current.can_take(single, max_tokens):
            current = _Group((*current.pieces, piece), current.path)
            continue
        if current is not None:
            current, single = _keep_caption(current, single, max_tokens)
            yield current
        current = single
    if current is not None:
        yield current


def _keep_caption(current: _Group, following: _Group, max_tokens: int) -> tuple[_Group, _Group]:
    """Both groups; a caption that ends the first one stands before its table, where that has room for it."""
    *others, last = current.pieces
    caption = _Group((last,), current.path)
    is_caption = caption_number(last.chunk.text) is not None and following.pieces[0].chunk.modality == "table"
    if not (others and is_caption and current.path == following.path and caption.can_take(following, max_tokens)):
        return current, following
    return _Group(tuple(others), current.path), _Group((last, *following.pieces), following.path)


def _join_small(groups: Iterable[_Group], config: ChunkingConfig, count_tokens: CountTokens) -> Iterator[_Group]:
    """Groups too small to be found alone, joined with a neighbour under the same parent heading."""
    current: _Group | None = None
    for group in groups:
        joined = current and _join(current, group, config, count_tokens)
        if current is not None and joined is None:
            yield current
        current = joined or group
    if current is not None:
        yield current


def _join(left: _Group, right: _Group, config: ChunkingConfig, count_tokens: CountTokens) -> _Group | None:
    """Both groups as one under their shared parent path, headings written out; None where they stay apart."""
    if min(left.tokens, right.tokens) >= config.small_tokens:
        return None
    depth = max(len(left.path), len(right.path)) - 1
    if left.path[:depth] != right.path[:depth]:
        return None
    parent = left.path if left.path == right.path else left.path[: max(depth, 0)]
    left, right = _titled(left, parent, count_tokens), _titled(right, parent, count_tokens)
    if not left.can_take(right, config.max_tokens):
        return None
    return _Group((*left.pieces, *right.pieces), parent)


def _titled(group: _Group, parent: tuple[str, ...], count_tokens: CountTokens) -> _Group:
    """The group with the headings below `parent` written in front of its text."""
    lead = "\n".join(group.path[len(parent) :])
    if not lead:
        return group
    first, *others = group.pieces
    chunk = _after(lead + "\n", first.chunk)
    return _Group((replace(first, chunk=chunk, tokens=count_tokens(chunk.text)), *others), parent)


def _merge(group: _Group) -> Chunk:
    """One chunk of a group's pieces, a paragraph a line; a sentence that a page break cut is mended."""
    text = ""
    boxes: list[PageBox] = []
    spans: list[tuple[int, int]] = []
    for piece in group.pieces:
        part = piece.chunk
        broken = text and not _SENTENCE_CLOSED.search(text) and part.text[0].islower()
        text = _continued(text, part.text) if broken or not text else f"{text}\n{part.text}"
        offset = len(text) - len(part.text)
        if spans:  # a mended hyphen belongs to no box
            spans[-1] = (spans[-1][0], min(spans[-1][1], offset))
        boxes.extend(part.boxes)
        spans.extend((start + offset, end + offset) for start, end in part.box_spans)
    first = group.pieces[0].chunk
    parts = [piece.chunk for piece in group.pieces]
    kinds = {part.modality for part in parts if part.modality == "table" or not caption_number(part.text)}
    return Chunk(
        text,
        first.page,
        first.page_label,
        _section_name(group),
        "table" if kinds == {"table"} else "text",
        tuple(boxes),
        tuple(spans),
        _unique(number for piece in group.pieces for number in piece.chunk.clauses),
        min((piece.chunk.ocr for piece in group.pieces if piece.chunk.ocr is not None), default=None),
    )


def _section_name(group: _Group) -> str:
    """The heading path and, where the heading does not say it already, the clauses that the group holds."""
    clauses = list(dict.fromkeys(piece.clause for piece in group.pieces if piece.clause))
    names = [*group.path]
    if clauses and not (names and names[-1].startswith(clauses[0])):
        names.append(clauses[0] if len(clauses) == 1 else f"{clauses[0]}{CLAUSE_RANGE}{clauses[-1]}")
    return SECTION_SEPARATOR.join(names)


def split_section(section: str) -> tuple[str, str]:
    """The heading path and the clauses of a chunk's section: "4. Delivery" and "4.1 - 4.6"; either may be empty."""
    path, _, last = section.rpartition(SECTION_SEPARATOR)
    first = last.partition(CLAUSE_RANGE)[0]
    return (path, last) if first and clause_number(first) == first else (section, "")


def join_sections(sections: Sequence[str]) -> str:
    """The section of neighbouring chunks below one heading: its path, and the clauses from the first to the last."""
    path = split_section(sections[0])[0]
    clauses = [name for section in sections if (name := split_section(section)[1])]
    if not clauses:
        return path
    first, last = clauses[0].partition(CLAUSE_RANGE)[0], clauses[-1].rpartition(CLAUSE_RANGE)[2]
    return SECTION_SEPARATOR.join(filter(None, (path, first if first == last else f"{first}{CLAUSE_RANGE}{last}")))
