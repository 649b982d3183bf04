"""The title of a document: what its metadata says, else its first heading."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.document import Page
from ingest.numbering import clause_number

# What programs write where nobody gave a title.
_NO_TITLE = re.compile(
    r"(?:untitled|microsoft word|microsoft powerpoint|word document$|document\d*$|.*\.\w{3,4}$)", re.IGNORECASE
)
_ONLY_A_PLACE = re.compile(
    r"(?:exhibit|annex|appendix|schedule)\b.{0,12}|(?:table of )?contents|execution (?:copy|version)|目录",
    re.IGNORECASE,
)
_PAGES_WITH_TITLE = 3


def document_title(named: str, pages: Sequence[Page]) -> str:
    """The title as a person would say it; `named` is the one in the file's metadata, empty without one.

    Empty where neither says it: the file's name is not a fact about its content.
    """
    named = " ".join(named.split())
    if named and not _NO_TITLE.match(named):
        return named
    return _first_heading(pages[:_PAGES_WITH_TITLE])


def _first_heading(pages: Sequence[Page]) -> str:
    """The first heading that names the document; "EXHIBIT 10.3" names only its place in a filing."""
    headings = (block.text for page in pages for block in page.blocks if block.kind == "heading")
    titles = (" ".join(heading.split()) for heading in headings)
    return next((title for title in titles if not (_ONLY_A_PLACE.fullmatch(title) or clause_number(title))), "")
