"""Opens a PDF in pdfium: with one of the passwords, and repaired where pdfium refuses it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pypdfium2
import pypdfium2.raw as pdfium

from ingest.loaders.errors import LockedFileError, UnreadableFileError
from ingest.loaders.pdf_facts import PYPDF_DAMAGE

MAX_PAGES = 20_000

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PdfFile:
    """An open file: in pdfium as `pdf`, for other readers as `source` (the repaired bytes, or the path) with the
    password that opens it (None: it needs none)."""

    pdf: Any
    source: Path | bytes
    password: str | None


@contextmanager
def opened(path: Path, passwords: Sequence[str]) -> Iterator[PdfFile]:
    """The file; no password is tried first, then the empty one. The caller holds pdfium's lock.

    Raises `LockedFileError` where no password fits and `UnreadableFileError` where nothing can open the file.
    """
    file = _unlocked(path, passwords) or _repaired(path, passwords)
    try:
        if len(file.pdf) > MAX_PAGES:
            raise UnreadableFileError(f"The PDF has {len(file.pdf)} pages; at most {MAX_PAGES} are read. Split it.")
        yield file
    finally:
        file.pdf.close()


def _unlocked(path: Path, passwords: Sequence[str]) -> PdfFile | None:
    """The file as it is; None where it is damaged."""
    for password in (None, "", *passwords):
        try:
            pdf = pypdfium2.PdfDocument(path, password=password)
        except pypdfium2.PdfiumError as error:
            if error.err_code == pdfium.FPDF_ERR_PASSWORD:
                continue
            return None
        if len(pdf):
            return _with_forms(PdfFile(pdf, path, password))
        pdf.close()
        return None
    raise _locked(passwords)


def _with_forms(file: PdfFile) -> PdfFile:
    """The file with its form fields filled in as their values say, even where it holds no drawing of them."""
    if file.pdf.get_formtype() == pdfium.FORMTYPE_ACRO_FORM:
        file.pdf.init_forms()
    return file


def _repaired(path: Path, passwords: Sequence[str]) -> PdfFile:
    """The file as other readers understand it, written anew without a password."""
    for rewrite in (_rewritten_by_pikepdf, _rewritten_by_pypdf):
        try:
            content = rewrite(path, passwords)
            pdf = pypdfium2.PdfDocument(content)
        # What a damaged file makes these readers raise; the next may understand it.
        except (pikepdf.PdfError, pypdfium2.PdfiumError, *PYPDF_DAMAGE) as error:
            _LOG.info("%s: %s cannot repair it: %r", path, rewrite.__name__, error)
            continue
        if len(pdf):
            return _with_forms(PdfFile(pdf, content, None))
        pdf.close()
    raise UnreadableFileError("The PDF is damaged and could not be repaired. Save it anew with a PDF program.")


def _rewritten_by_pikepdf(path: Path, passwords: Sequence[str]) -> bytes:
    for password in ("", *passwords):
        try:
            with pikepdf.open(path, password=password, suppress_warnings=True) as pdf:
                return _written(pdf.save)
        except pikepdf.PasswordError:
            continue
    raise _locked(passwords)


def _rewritten_by_pypdf(path: Path, passwords: Sequence[str]) -> bytes:
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    reader = pypdf.PdfReader(path)
    if reader.is_encrypted and not any(reader.decrypt(password) for password in ("", *passwords)):
        raise _locked(passwords)
    return _written(pypdf.PdfWriter(clone_from=reader).write)


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _locked(passwords: Sequence[str]) -> LockedFileError:
    given = "none of the passwords given opens it" if passwords else "no password was given"
    return LockedFileError(f"The PDF is encrypted and {given}. Name its password with --password.")
